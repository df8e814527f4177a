/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking an arming back. */
#ifndef GS_DISARM_H
#define GS_DISARM_H

#include "attrs.h"
#include "err.h"
#include "reports.h"

/* Removes the plan from the report filesystem (its token is no good then, whatever boots), takes the one-shot
 * entry back and what was handed over. r: NULL where the report filesystem can't be reached. All that can be done is
 * done. Returns 0; -errno and a sentence of what could not. */
int disarm(const struct reports *r, struct err *e) must_check nonnull_at(2);

#endif
