/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "draft.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json_util.h>

#include "log.h"
#include "nodejson.h"
#include "publish.h"

static bool is_to_be_swept(const struct draft *d, const struct node *n)
{
	size_t i, k;

	for (i = 0; i < d->scopes->n; i++)
		for (k = 0; k < d->scopes->s[i]->n_volumes; k++)
			if (d->scopes->s[i]->volumes[k] == n)
				return !d->scopes->s[i]->done && !d->scopes->s[i]->looks_only;
	return false;
}

/* What the workers have told, and the host's own nodes; of a volume a worker may have said more. */
static struct results results_with_host(const struct draft *d)
{
	struct results all = *d->results;
	size_t i;

	all.nodes = nodes_new();
	json_object_object_foreach(d->results->nodes, key, told) {
		(void)key;
		nodes_put(all.nodes, json_object_get(told));
	}
	for (i = 0; i < d->host->n_nodes; i++) {
		struct node n = *d->host->nodes[i];

		if (n.handed_over || n.hidden || nodes_get(d->results->nodes, n.id))
			continue;
		if (is_to_be_swept(d, d->host->nodes[i]))
			node_verdict(&n, VERDICT_ERROR, "tool-failed",
				     "the sweep broke before this was swept to its end");
		else if (n.verdict == VERDICT_NONE)
			n.verdict = VERDICT_OK;
		nodes_put(all.nodes, node_to_json(&n));
	}
	return all;
}

json_object *draft_report(const struct draft *d, const struct sweep_facts *f)
{
	struct results all = results_with_host(d);
	json_object *report = results_report(&all, f);

	json_object_put(all.nodes);
	return report;
}

void draft_write(const struct draft *d, const struct sweep_facts *f)
{
	json_object *report = draft_report(d, f);

	if (json_object_to_file(DRAFT_PATH ".new", report) == 0 &&
	    rename(DRAFT_PATH ".new", DRAFT_PATH) < 0)
		log_line("no draft of the report could be kept: %s", strerror(errno));
	json_object_put(report);
}
