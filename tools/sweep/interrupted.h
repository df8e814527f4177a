/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the report says of a last sweep that was cut off, and of the journal of this one. A report
 * filesystem that takes no journal is no reason not to sweep: it is told, once. */
#ifndef GS_INTERRUPTED_H
#define GS_INTERRUPTED_H

#include "journal.h"
#include "results.h"
#include "scope.h"

/* Reads the journal in folder, names as problems what the last sweep was cut off at, and begins
 * this sweep's with the volumes of scopes. */
void interrupted_begin(struct journal *j, const char *folder, const struct scopes *scopes,
		       struct results *r) nonnull_all;

/* This sweep came to its end in order; closes the journal. */
void interrupted_end(struct journal *j, struct results *r) nonnull_all;

#endif
