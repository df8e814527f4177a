/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the sweep has found so far, and what it comes to. */
#ifndef GS_RESULTS_H
#define GS_RESULTS_H

#include <stdbool.h>

#include <json-c/json_object.h>
#include <json-c/linkhash.h> /* json_object_object_foreach() */

#include "attrs.h"
#include "settings.h"

/* Of the whole sweep, the worst that happened (CONTRACT section 5). */
enum sweep_verdict {
	SWEEP_CLEAN, SWEEP_REPAIRED, SWEEP_ATTENTION, SWEEP_UNCORRECTED, SWEEP_FAILED,
};

struct results {
	json_object *nodes;    /* see nodes_put() */
	json_object *problems; /* array; those of nodes are added by results_report() */
	enum sweep_verdict worst; /* of what is no node: configuration, deadline */
};

struct sweep_facts {
	const char *version;
	enum mode mode;
	int64_t started;  /* seconds since 1970 */
	int64_t finished;
	double seconds;
	json_object *report_filesystem; /* NULL: none; taken over by the report */
	json_object *work;              /* NULL: unknown; taken over by the report */
};

/* Empty results. Returns 0 or -ENOMEM. */
int results_init(struct results *r) must_check nonnull_all;
void results_free(struct results *r) nonnull_all;

/* Nodes by their id: an object of them, each under its number. nodes_put() adds one, or replaces the one of the same id; takes
 * it over. Returns whether it had no verdict before. nodes_get() returns one, borrowed, or NULL. */
json_object *nodes_new(void) must_check;
bool nodes_put(json_object *nodes, json_object *node) nonnull_all;
json_object *nodes_get(json_object *nodes, unsigned id) nonnull_all;

/* A problem that no node carries; the sweep's verdict is at least as bad as verdict. */
void results_problem(struct results *r, enum sweep_verdict verdict, const char *code,
		     const char *fmt, ...) printf_like(4, 5) nonnull_all;

/* The whole of report.json as a new object; r stays as it is. */
json_object *results_report(const struct results *r, const struct sweep_facts *f)
	must_check nonnull_all;

/* The summary line without a newline (CONTRACT section 5) of a report. Returns buf. */
char *results_summary(json_object *report, char *buf, size_t size) nonnull_all;

/* Makes a report that was written down on the way one of a sweep that broke:
 * verdict failed, with one more problem. */
void results_break(json_object *report, const char *code, const char *text) nonnull_all;

#endif
