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
 * path. Returns 0 or -errno; nothing is left then. */
int undokeep_begin(const struct walk *w, const struct node *n, char path[UNDO_PATH_SIZE], struct err *e)
	must_check nonnull_all;

/* After the repair: notes the hash of what the volume holds now where the undo file would write, and
 * names the file in n's check. An undo file that saved nothing is removed. */
void undokeep_end(struct node *n, const char *path) nonnull_all;

/* Plays the file at path back at once, since its repair could not go on, and removes it. Returns 0 or -errno. */
int undokeep_take_back(const struct node *n, const char *path, struct err *e) must_check nonnull_all;

/* Removes both, where nothing has been written. */
void undokeep_drop(const char *path) nonnull_all;

#endif
