/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker processes: starting them, what they say, how they end. Which scope runs when is
 * decided in schedule.c. */
#ifndef GS_CREW_H
#define GS_CREW_H

#include <sys/types.h>

#include <json-c/json_object.h>

#include "schedule.h"

struct worker {
	pid_t pid;
	int fd;
	struct scope *scope;
	json_object *nodes;  /* kept until it ends: a run that is done again leaves none */
	json_object *asked;  /* an acquire that waits, or NULL */
	unsigned attempt;    /* its number in the journal */
	char checking[1100]; /* the filesystem it has checked now, "": none */
	bool waits_for_journal;
	char end[16];
	bool idle;           /* a person is waited for */
	json_object *leave;  /* what it is told as soon as the journal says that it goes on, or NULL */
	bool waiting;        /* its volumes are open and searched; it waits for leave to go on */
	bool holding;        /* all is checked; it keeps host filesystems open for others */
	/* CLOCK_MONOTONIC seconds; LONG_MAX: never */
	long look_limit;     /* when the others no longer wait for what it finds on its volumes */
	long limit;          /* when its scope's time is over; what it waits for others does not count */
	long step_limit;     /* when it must have said something */
	long asked_at;       /* since when the acquire waits */
	long stop_at;        /* when it was told to end; 0: not yet */
	bool late;           /* because its time was over */
	char step[1100];     /* the layer it opens, or the filesystem it checks; "": none in particular */
	int pidfd;
	bool deaf;           /* its channel is closed; it is not reaped yet */
	bool lost;           /* killed, and the kernel does not let go of it */
	bool over;           /* reaped */
};

struct crew {
	struct schedule *s;
	struct worker **w;
	size_t n;
	long stop_at;  /* when the workers were told to stop; 0: not yet */
	unsigned attempts; /* workers started so far */
	bool broken;   /* one of them did not end by itself */
	bool unclean;  /* and what it had open is still there */
	bool judged;   /* which guests are saved is known */
};

/* Starts a worker for scope. A scope for which that fails gets that as its verdict. */
void crew_start(struct crew *c, struct scope *scope) nonnull_all;

/* Lets w go on, which waits for leave; crew_commit() tells it. */
void crew_let_go(struct crew *c, struct worker *w) nonnull_all;

/* The same for all, who have been told to stop. */
void crew_let_all_go(struct crew *c) nonnull_all;

/* Waits for messages up to half a second and takes them; reaps who has ended. */
void crew_listen(struct crew *c) nonnull_all;

/* Takes one message of w (crewtalk.c). */
void crew_take(struct crew *c, struct worker *w, json_object *message) nonnull_all;

/* Answers every acquire that can be answered now. */
void crew_serve(struct crew *c) nonnull_all;

/* How many are at work, those left out that wait for leave or only hold something open. */
unsigned crew_working(const struct crew *c) nonnull_all;

/* How many of these are busy: they don't wait for a person. */
unsigned crew_busy(const struct crew *c) nonnull_all;

/* true where the worker of scope has not come to the end of its volumes in its time: it hangs, or its disk
 * does (crewtime.c). */
bool crew_looks_too_long(const struct crew *c, const struct scope *scope) nonnull_all;

/* true where the worker of scope does nothing but hold something open. */
bool crew_holds(const struct crew *c, const struct scope *scope) nonnull_all;

/* Tells those that hold something open to close it and end. */
void crew_close_holders(struct crew *c) nonnull_all;

/* Those whose time is over, all of them once the sweep's is: first asked, then killed, then left
 * behind, so that no one keeps the others from going on (crewtime.c). */
void crew_enforce(struct crew *c) nonnull_all;

/* true while nobody is beyond all that crew_enforce() gives: the sweep makes progress. */
bool crew_is_in_time(const struct crew *c) nonnull_all;

/* Of a new worker, and of one that has said something: how long it may now go on. bytes: of the
 * layer it opens; checks: a checker runs, which has a limit of its own. */
void crew_begin_time(struct crew *c, struct worker *w) nonnull_all;
void crew_give_time(struct worker *w, uint64_t bytes, bool checks) nonnull_all;

/* It has nothing more to say, and is to be gone soon. */
void crew_expect_end(struct worker *w) nonnull_all;

/* An acquire of w begins to wait, or is answered. */
void crew_stop_clock(struct worker *w) nonnull_all;
void crew_start_clock(struct crew *c, struct worker *w) nonnull_all;

/* Gives up one that a SIGKILL did not end: its scope has failed. */
void crew_give_up(struct crew *c, struct worker *w) nonnull_all;

/* true while w's process is there, and nobody has given it up. */
bool crew_has(const struct worker *w) nonnull_all;

/* Removes what dead workers left, but nothing of those that hold something open. */
void crew_clean(struct crew *c) nonnull_all;

/* The scope is done, with an error on each of its volumes. */
void crew_fail_scope(struct crew *c, struct scope *scope, const char *code, const char *why)
	nonnull_all;

void crew_free(struct crew *c) nonnull_all;

/* ---- crewjournal.c ---- */

/* true where the last sweep was cut off while it was at a volume of scope: it goes first, alone, so
 * that should this one be cut off too, it is known by what. */
bool crew_was_interrupted(const struct crew *c, const struct scope *scope) nonnull_all;

/* Gives the volumes of scope their verdict where one of them is to be left alone; returns whether. */
bool crew_quarantine(struct crew *c, struct scope *scope) nonnull_all;

/* A worker has looked at its volumes and waits for leave; and it gets that. */
void crew_note_looked(struct crew *c, const struct worker *w) nonnull_all;
void crew_note_leave(struct crew *c, struct worker *w) nonnull_all;

/* A worker asks for its volumes, or for a filesystem of them; answered now or by crew_commit(). */
void crew_take_opened(struct crew *c, struct worker *w) nonnull_all;
void crew_take_checking(struct crew *c, struct worker *w, const char *stack) nonnull_all;

/* A node has been told of: it may be the filesystem that was being checked. */
void crew_take_checked(struct crew *c, struct worker *w, json_object *node) nonnull_all;

/* A worker is over, or does nothing more to its volumes than to keep them open. */
void crew_note_end(struct crew *c, struct worker *w, bool to_be_tried_again) nonnull_all;

/* Brings what was noted to disk where somebody waits for that, and answers; is_quiet: also where nobody does. */
void crew_commit(struct crew *c, bool is_quiet) nonnull_all;

#endif
