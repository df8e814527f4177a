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
	char end[16];
	bool idle;           /* a person is waited for */
	bool waiting;        /* its volumes are open and searched; it waits for leave to go on */
	bool holding;        /* all is checked; it keeps host filesystems open for others */
	bool lost;           /* killed, and the kernel does not let go of it */
	bool over;           /* reaped */
};

struct crew {
	struct schedule *s;
	struct worker **w;
	size_t n;
	long stop_at;  /* when the workers were told to stop; 0: not yet */
	bool broken;   /* one of them did not end by itself */
	bool unclean;  /* and what it had open is still there */
	bool judged;   /* which guests are saved is known */
};

/* Starts a worker for scope. A scope for which that fails gets that as its verdict. */
void crew_start(struct crew *c, struct scope *scope) nonnull_all;

/* Lets w go on, which waits for leave. */
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

/* true where the worker of scope does nothing but hold something open. */
bool crew_holds(const struct crew *c, const struct scope *scope) nonnull_all;

/* Tells those that hold something open to close it and end. */
void crew_close_holders(struct crew *c) nonnull_all;

/* Sends sig to all at work, also to the holders where asked for. */
void crew_signal(struct crew *c, int sig, bool holders_too) nonnull_all;

/* Gives up those that a SIGKILL did not end: their scopes have failed. */
void crew_give_up(struct crew *c) nonnull_all;

/* Removes what dead workers left, but nothing of those that hold something open. */
void crew_clean(struct crew *c) nonnull_all;

/* The scope is done, with an error on each of its volumes. */
void crew_fail_scope(struct crew *c, struct scope *scope, const char *code, const char *why)
	nonnull_all;

void crew_free(struct crew *c) nonnull_all;

#endif
