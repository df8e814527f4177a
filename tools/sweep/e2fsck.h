/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs of e2fsck(8), and what its exit status says. */
#ifndef GS_E2FSCK_H
#define GS_E2FSCK_H

#include "extsuper.h"
#include "walk.h"

enum e2fsck_way {
	E2FSCK_PREEN,  /* -f -p: only what is safe without a human */
	E2FSCK_YES,    /* -f -y */
	E2FSCK_VERIFY, /* -f -n */
};

/* What the exit status (a sum of bits, e2fsck(8) EXIT CODE) and the words in the
 * log come to. */
enum e2fsck_outcome {
	E2FSCK_CLEAN,      /* 0 */
	E2FSCK_CORRECTED,  /* 1, 2, 3 */
	E2FSCK_DAMAGED,    /* 4: errors are left */
	E2FSCK_REFUSED,    /* 8, and it says that what it would have to go by is damaged */
	E2FSCK_NO_UNDO,    /* the undo file could not be written; from then on nothing was */
	E2FSCK_IO_ERROR,   /* it met an error of the device, whatever its status says */
	E2FSCK_IN_USE,     /* multi-mount protection: another system has it */
	E2FSCK_BROKEN,     /* any other 8, 16, 32, 128, a signal, a timeout: it says nothing of the filesystem */
};

struct e2fsck_job {
	const struct walk_env *env;
	struct node *node;                    /* its check is filled in */
	const char *device;                   /* what to run on */
	const struct extsuper_backup *backup; /* NULL: the primary superblock */
	const char *undo;                     /* path of an undo file; "": none */
};

/* Runs it once. *outcome tells how it went; *why says it in a few words. Returns 0,
 * or -errno where it could not be started. */
int e2fsck_run(const struct e2fsck_job *job, enum e2fsck_way way, enum e2fsck_outcome *outcome,
	       struct err *why) must_check nonnull_all;

/* The same from its exit status and the size bytes that it said; sets *why where they tell more than "exit
 * status N". undo: it was to write an undo file. An operational error (8) is also what it ends with when it
 * crashes, or runs out of memory: only words of libext2fs (lib/ext2fs/ext2_err.et.in) that name damage allow
 * for more than that. */
enum e2fsck_outcome e2fsck_decode(int status, const char *said, size_t size, bool undo, struct err *why)
	nonnull_all;

/* true where the size bytes that e2fsck -n said, ending with 0, tell of something that -p or -y would still
 * correct: wrong counts, and a journal to replay, are none to it. What it would only optimise does not count. */
bool e2fsck_leaves_some(const char *said, size_t size) nonnull_all;

#endif
