/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state journal: a file "journal" beside the runs on the report filesystem that says what
 * this sweep is about to do, on disk before it is done. After a power cut, a crash or a reset
 * by the watchdog the next sweep reads there what was being opened or checked.
 *
 * A line each, text, the CRC-32C of what follows in front of it; lines that are torn are not
 * there. The file is replaced as a whole when a sweep starts, then only added to:
 *
 *   run N                  counts the sweeps; no clock is asked
 *   interrupted TIMES opening|checking KEY   carried over: so often in a row
 *   planned KEY
 *   opened ATTEMPT KEY     a volume; all of one attempt are one worker's
 *   checking ATTEMPT KEY   a filesystem of that worker's
 *   done ATTEMPT KEY       either; what was counted of it is forgotten
 *   left ATTEMPT KEY       either; to be tried again
 *   end                    the sweep came to its end in order
 *
 * A key is a node's stack: ids differ from sweep to sweep.
 */
#ifndef GS_JOURNAL_H
#define GS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "attrs.h"
#include "err.h"

#define JOURNAL_QUARANTINE 2 /* interrupted so often, it is left alone */

enum journal_state {
	JOURNAL_PLANNED, JOURNAL_OPENED, JOURNAL_CHECKING, JOURNAL_DONE, JOURNAL_LEFT,
};

struct journal_entry {
	char *key;
	bool checking;  /* it is a filesystem that was being checked, not a volume being opened */
	unsigned times; /* its last so many attempts were interrupted */
	bool fresh;     /* the last one by the end of the last sweep */
};

struct journal {
	char path[600];
	int fd;                      /* -1: nothing is written (yet, or any more) */
	unsigned long long run;      /* this sweep's number */
	struct journal_entry *entry;
	size_t n;
	bool was_cut;                /* the last sweep did not come to its end */
	size_t planned, done;        /* volumes of the last sweep */
	char *pending;               /* lines that are not on disk yet */
	size_t pending_size, pending_room;
	off_t end;                   /* where the next line goes */
};

/* Reads what the last sweep has left in folder; without a journal that can be read, *j is one of
 * a first sweep. Returns 0; -errno, *j being empty, where the file can't be read. Release with
 * journal_close() in any case. */
int journal_read(struct journal *j, const char *folder, struct err *e) must_check nonnull_all;

/* Replaces the file: this sweep has begun. What was noted before is in it. Returns 0 or -errno;
 * then nothing is ever written. */
int journal_start(struct journal *j, struct err *e) must_check nonnull_all;

/* Notes a line, which journal_commit() brings to disk. attempt: of no meaning for PLANNED. */
void journal_note(struct journal *j, enum journal_state state, unsigned attempt, const char *key)
	nonnull_all;

/* Brings all lines noted so far to disk, if there are any. Returns 0 or -errno; then nothing is
 * ever written any more. */
int journal_commit(struct journal *j, struct err *e) must_check nonnull_all;

/* Notes that the sweep came to its end, and commits. Returns 0 or -errno. */
int journal_finish(struct journal *j, struct err *e) must_check nonnull_all;

/* How many times in a row key was interrupted. */
unsigned journal_times(const struct journal *j, const char *key) nonnull_all;

/* true where volume, or a filesystem in it, was interrupted the last time it was tried. */
bool journal_concerns(const struct journal *j, const char *volume) nonnull_all;

void journal_close(struct journal *j) nonnull_all;

/* In a process made by fork(2): what is open there, too, would keep the filesystem busy. */
void journal_abandon(struct journal *j) nonnull_all;

/* ---- journalread.c ---- */

/* Reads size bytes of an old journal into *j: its run, entry and what was planned and done.
 * Returns 0 or -ENOMEM. */
int journal_recover(struct journal *j, const char *text, size_t size, struct err *e)
	must_check nonnull_all;

/* The CRC-32C of a line. */
unsigned journal_sum(const char *line, size_t size) nonnull_all;

#endif
