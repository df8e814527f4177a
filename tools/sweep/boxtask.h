/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One piece of work of ours on what a guest, or a guest's checker, has written: in a process and a sandbox of its own
 * (tools/lib/sandbox.h), which answers once and is gone. For what is only read and asked about often there is reader.h.
 */
#ifndef GS_BOXTASK_H
#define GS_BOXTASK_H

#include "attrs.h"
#include "err.h"
#include "sandbox.h"

#define BOXTASK_FDS_MAX 2
#define BOXTASK_FD 4 /* where the work has the first of its descriptors; the other is the next */

struct boxtask {
	const struct sandbox_profile *profile;
	const struct sandbox_path *device; /* that it may open; NULL: none */
	int fds[BOXTASK_FDS_MAX];          /* that it is given as they are open, n_fds of them */
	size_t n_fds;
	unsigned seconds;                  /* that it may take */
	const char *name;                  /* of the work, for an error: "reading x" */
	/* Runs in the sandbox. Fills answer, which is zeroed. Returns 0 or -errno and e. */
	int (*work)(const void *arg, void *answer, struct err *e);
	const void *arg;
};

/* Does t's work; answer, of size bytes, is any bytes of a guest's then. Returns what the work has returned, and its e with its
 * texts escaped; -EIO, code tool-failed, where it broke off or took too long; -errno where there is no sandbox for it. */
int boxtask_run(const struct boxtask *t, void *answer, size_t size, struct err *e) must_check nonnull_all;

#endif
