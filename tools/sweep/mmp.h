/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Multi-mount protection (MMP) of ext4: a number in a block of its own that a system which has the
 * filesystem mounted changes every few seconds. Format: ext4's Documentation/.../mmp.rst. */
#ifndef GS_MMP_H
#define GS_MMP_H

#include "extsuper.h"
#include "walk.h"

/* Forbids to write where a number changes while we watch it (all nodes at once, some seconds, and only
 * where one was not taken out of use), or says that an e2fsck is at it. supers: the superblock of each
 * node; NULL where it has none that can be believed. */
void mmp_guard(struct walk *w, struct node *const *nodes, const struct extsuper *const *supers, size_t n)
	nonnull_all;

/* device is a throw-away copy of a filesystem that mmp_guard() has watched: e2fsck need not do
 * that once more. */
void mmp_clear_copy(const char *device, const struct extsuper *s) nonnull_all;

#endif
