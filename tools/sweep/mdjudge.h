/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which members of an md array belong together, and whether it may be started. */
#ifndef GS_MDJUDGE_H
#define GS_MDJUDGE_H

#include "layer.h"
#include "mdsuper.h"

struct md_members {
	const struct node *member[MAX_PARENTS]; /* one per place in the array */
	size_t n;
	unsigned n_stale;
	struct mdsuper super; /* the newest */
};

/* The superblock that a member's node holds. */
const struct mdsuper *md_super(const struct node *member) nonnull_all;

/* Takes from n members of one array those that are up to date into *a. */
void md_collect(struct md_members *a, const struct node *const *same, size_t n) nonnull_all;

/* true where nothing lacks of the array that these are members of. */
bool is_md_whole(const struct node *const *same, size_t n) nonnull_all;

/* Gives the array's node n a verdict where it must not be started: members missing (also where
 * it would run degraded, unless last_try), copies, halves that went apart, a reshape, a journal, parity
 * that may be wrong and is needed.
 * a: what md_collect() took of the n_same members in same. */
void md_judge(struct node *n, const struct md_members *a, const struct node *const *same,
	      size_t n_same, bool last_try) nonnull_all;

/* What the host calls the array below /dev: "md0", "md/data"; escaped. */
void md_name(const struct mdsuper *s, char *name, size_t size) nonnull_all;

/* "raid10", "linear". */
void md_level_name(const struct mdsuper *s, char *name, size_t size) nonnull_all;

#endif
