/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies beside an undo file, so that it can be played back by a later boot: undo/NNN.json, of which
 * node it is and how the repair left the volume. It is on disk before the first change reaches the
 * guest's, as is the empty undo file with its name.
 */
#ifndef GS_UNDOKEEP_H
#define GS_UNDOKEEP_H

#include "walk.h"

#define UNDO_PATH_SIZE 700

/* Makes an empty undo file of filesystem n and its companion, synced with their folder, and names it in
 * path; "" where the policy wants none, or wants one only where there is room for it: bytes is about what
 * a repair overwrites. Returns 0; -ENOSPC: the policy requires one, and there can't be one. */
int undokeep_begin(const struct walk *w, const struct node *n, uint64_t bytes, char path[UNDO_PATH_SIZE],
		   struct err *e) must_check nonnull_all;

/* After the repair: notes the hash of what the volume holds now where the undo file would write, and
 * names the file in n's check. An undo file that saved nothing is removed. */
void undokeep_end(const struct walk *w, struct node *n, const char *path) nonnull_all;

/* The undo file could not be written to its end, and its repair not go on: what has been written so far is
 * taken back, and path becomes "". Returns 0 where a repair without one may follow; -errno: the policy
 * requires one, or it could not be taken back (path is kept then). */
int undokeep_give_up(const struct walk *w, const struct node *n, char *path, struct err *e)
	must_check nonnull_all;

/* Removes the undo file and its companion: what was written is not worth it. */
void undokeep_drop(const char *path) nonnull_all;

#endif
