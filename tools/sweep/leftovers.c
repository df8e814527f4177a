/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "leftovers.h"

#include <stdio.h>
#include <time.h>

#include "dm.h"
#include "log.h"
#include "snapshot.h"

#define TRIES 50
#define PAUSE_NS 100000000L

struct visit {
	const struct walk *host;
	struct results *results;
	unsigned left;
};

/* A mapping is named after the layer that made it: "gs-ID-...". */
static bool is_hosts(const struct walk *host, const char *name)
{
	unsigned id;
	size_t i;

	for (i = 0; sscanf(name, "gs-%u", &id) == 1 && i < host->n_nodes; i++)
		if (host->nodes[i]->id == id && host->nodes[i]->opened)
			return true;
	return false;
}

static int remove_one(const char *name, void *arg)
{
	struct visit *v = arg;
	struct err e;

	if (!is_hosts(v->host, name) && dm_drop(name, &e) < 0)
		v->left++;
	return 0;
}

/* Users go before the used, and a killed process may take a moment to die: hence rounds. */
void leftovers_remove(const struct walk *host)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct visit v = { .host = host };
	int i;

	for (i = 0; i < TRIES; i++) {
		v.left = 0;
		if (dm_for_each(remove_one, &v) < 0 || v.left == 0)
			break;
		nanosleep(&pause, NULL);
	}
	snapshot_drop_stores();
}

static int report_one(const char *name, void *arg)
{
	struct visit *v = arg;

	if (!is_hosts(v->host, name))
		results_problem(v->results, SWEEP_ATTENTION, "teardown",
				"device-mapper device %s could not be removed", name);
	return 0;
}

void leftovers_report(const struct walk *host, struct results *r)
{
	struct visit v = { .host = host, .results = r };

	if (dm_for_each(report_one, &v) < 0)
		log_line("device-mapper does not tell what is left");
}
