/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking repairs back: guestsweep.undo=RUN[:NODE]. The sweep opens what it needs to come to the filesystems
 * whose undo files that run has kept, and plays each back instead of checking, provided that the volume is
 * as the repair left it.
 */
#ifndef GS_UNDOPLAN_H
#define GS_UNDOPLAN_H

#include "results.h"
#include "undokeep.h"

struct undo_item {
	unsigned node;               /* its id in that run */
	char path[UNDO_PATH_SIZE];   /* of the undo file */
	char device[1024];           /* stack of the device that the filesystem is on */
	char stack[1024];
	char uuid[64];
	char after[160];             /* hash of what the repair left; "": it was cut */
	bool forced;                 /* -p was not enough for it */
};

struct undoplan {
	char run[32];
	struct undo_item *items;
	size_t n;
	struct words volumes; /* of the host, that have to be opened */
};

/* Fills *p with what folder (where the runs are) holds of spec: "RUN", "RUN:NODE" or "last". Returns 0, or
 * -errno and a sentence: there is no such run, or it has no such undo file. Release with undoplan_free(). */
int undoplan_load(struct undoplan *p, const char *folder, const char *spec, struct err *e)
	must_check nonnull_all;
void undoplan_free(struct undoplan *p) nonnull_all;

/* true where disk images on filesystem n are to be come to: it is checked and opened as in any sweep. */
bool undoplan_leads_through(const struct undoplan *p, const struct node *n) nonnull_all;

/* Plays back what p has for filesystem n, or leaves it alone, and sets its verdict. Returns 0; -errno and e: it
 * could not be taken back. */
int undoplan_apply(const struct undoplan *p, struct walk *w, struct node *n, struct err *e)
	must_check nonnull_all;

/* Names those that no filesystem has been found for, among the nodes of r. */
void undoplan_report_missing(const struct undoplan *p, struct results *r) nonnull_all;

#endif
