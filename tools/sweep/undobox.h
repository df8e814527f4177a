/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Undo files (undofile.h) are written by a checker that a guest's bytes may have taken over. So whatever is done with one is
 * done in a sandbox that has nothing but the file, open for reading, and the device. What it says of the file and the device may
 * be false, and then it is about this guest alone.
 *
 * path is the undo file, of filesystem n, whose device is its first parent's. Each of these takes no longer than a
 * check of n may, and returns 0 or -errno: what undofile.h says, or -EIO, code tool-failed: the sandbox broke.
 */
#ifndef GS_UNDOBOX_H
#define GS_UNDOBOX_H

#include "walk.h"

#define UNDOBOX_HASH_SIZE 129 /* hex digits and a NUL */

/* The hash of what stands on the device where the file would write. -ENODATA: nothing was saved. */
int undobox_hash(const struct walk_env *env, const struct node *n, const char *path, char hash[UNDOBOX_HASH_SIZE],
		 struct err *e) must_check nonnull_all;

/* *known: the superblock on the device is one that the repair has left, or had found. */
int undobox_knows_super(const struct walk_env *env, const struct node *n, const char *path, bool *known, struct err *e)
	must_check nonnull_all;

/* Plays it back, and compares. -ENODATA: nothing was saved. Where it fails a part may have been written, and e says so. */
int undobox_play(const struct walk_env *env, const struct node *n, const char *path, struct err *e)
	must_check nonnull_all;

#endif
