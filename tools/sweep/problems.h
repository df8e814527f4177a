/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What e2fsck has found and corrected, from its problem log (-E problem_log=, with our patch of it), and what
 * that means for the data. */
#ifndef GS_PROBLEMS_H
#define GS_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"

#define PROBLEMS_MAX 64   /* kinds; e2fsck knows some 400, a filesystem rarely has ten */
#define LOST_FOUND_MAX 32 /* named; the others are counted */

struct problem_count {
	unsigned code; /* of e2fsck's problem.h */
	unsigned count, fixed;
};

struct problems {
	struct problem_count kinds[PROBLEMS_MAX];
	size_t n;
	unsigned lost_found[LOST_FOUND_MAX]; /* inodes that went there; the files are named #INODE */
	unsigned n_lost_found;               /* all of them */
};

/* Adds what the problem log at path says, a few MiB at most; lines that are none of it count for nothing. */
void problems_read(struct problems *p, const char *path) nonnull_all;

/* true where something was corrected. e2fsck's exit status forgets what it did before it started over. */
bool problems_corrected(const struct problems *p) nonnull_all;

/* true where something was corrected in a way that takes data away, or its name. */
bool problems_lose_data(const struct problems *p) nonnull_all;

/* In plain words into buf: how many problems of which part there were, and whether data may be lost; ""
 * where there was none. would: it has not really been done. Returns buf. */
const char *problems_text(const struct problems *p, bool would, char *buf, size_t size) nonnull_all;

#endif
