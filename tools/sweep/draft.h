/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report as it stands: at the end, and on the way for the aftermath of a sweep that breaks. */
#ifndef GS_DRAFT_H
#define GS_DRAFT_H

#include "results.h"
#include "scope.h"

struct draft {
	const struct results *results; /* what the workers have told */
	const struct walk *host;       /* the host's own nodes */
	const struct scopes *scopes;
};

/* The whole of report.json as a new object. A volume whose sweep isn't over is one that was not
 * swept, should this be the last of it. */
json_object *draft_report(const struct draft *d, const struct sweep_facts *f) must_check nonnull_all;

/* Keeps it at DRAFT_PATH. A failure is logged. */
void draft_write(const struct draft *d, const struct sweep_facts *f) nonnull_all;

#endif
