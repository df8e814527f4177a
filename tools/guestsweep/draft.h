/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration that `init` proposes: what it found, and comments about what it could not place. */
#ifndef GS_DRAFT_H
#define GS_DRAFT_H

#include <stdio.h>

#include "attrs.h"
#include "err.h"
#include "settings.h"

struct draft {
	FILE *sweep;           /* sweep.conf */
	FILE *crypttab;
	struct words volumes;  /* this host's logical volumes */
	struct words covered;  /* those that a line of crypttab is for, as device files */
	unsigned open_ends;    /* how many things the admin has to settle */
};

/* Says on standard output, and in the comment above what follows in f, what could not be placed. */
void draft_open_end(struct draft *d, FILE *f, const char *fmt, ...) printf_like(3, 4) nonnull_all;

/* draft_sweep.c: [sweep], and a [guest] for each of libvirt's guests. */
void draft_sweep(struct draft *d) nonnull_all;

/* draft_crypttab.c: the host's own crypttab, then the encrypted volumes it does not name. */
void draft_crypttab(struct draft *d) nonnull_all;

#endif
