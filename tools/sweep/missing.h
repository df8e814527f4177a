/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the configuration names and this host does not have: a name that matches nothing
 * would otherwise pass for a guest that is fine. */
#ifndef GS_MISSING_H
#define GS_MISSING_H

#include "results.h"
#include "scope.h"

/* Adds a problem for every guest's disk, name in only= and volume of crypttab that was not
 * found (volumes marked nofail aside). */
void missing_report(const struct walk *host, const struct scopes *scopes, struct results *r)
	nonnull_all;

#endif
