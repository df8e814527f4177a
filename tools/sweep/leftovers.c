/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "leftovers.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dm.h"
#include "log.h"
#include "loopdev.h"
#include "mdarray.h"
#include "mounts.h"
#include "nbddev.h"

#define TRIES 50
#define PAUSE_NS 100000000L

struct visit {
	const struct walk *host; /* NULL: nothing of it is left to spare */
	const unsigned *ids;     /* of layers to spare besides */
	size_t n;
	struct results *results;
	unsigned left;
};

/* A mapping is named after the layer that made it: "gs-ID-...". */
static bool is_spared(const struct visit *v, const char *name)
{
	unsigned id;
	size_t i;

	if (sscanf(name, "gs-%u", &id) != 1)
		return false;
	for (i = 0; v->host && i < v->host->n_nodes; i++)
		if (v->host->nodes[i]->id == id && v->host->nodes[i]->opened)
			return true;
	for (i = 0; i < v->n; i++)
		if (v->ids[i] == id)
			return true;
	return false;
}

static bool is_hosts_array(const char *device, void *arg)
{
	const struct visit *v = arg;
	size_t i;

	for (i = 0; v->host && i < v->host->n_nodes; i++)
		if (v->host->nodes[i]->opened && strcmp(v->host->nodes[i]->device, device) == 0)
			return true;
	return false;
}

static int remove_one(const char *name, void *arg)
{
	struct visit *v = arg;
	struct err e;

	if (!is_spared(v, name) && dm_drop(name, &e) < 0)
		v->left++;
	return 0;
}

/* Users go before the used, and a killed process may take a moment to die: hence rounds. */
void leftovers_remove(const struct walk *host, const unsigned *ids, size_t n)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct visit v = { .host = host, .ids = ids, .n = n };
	int i;

	for (i = 0; i < TRIES; i++) {
		v.left = 0;
		if (dm_for_each(remove_one, &v) < 0)
			break;
		v.left += loopdev_detach_all();
		v.left += nbddev_detach_all();
		v.left += mdarray_stop_all(is_hosts_array, &v);
		v.left += mounts_unmount_all(ids, n);
		if (v.left == 0)
			break;
		nanosleep(&pause, NULL);
	}
}

static int report_one(const char *name, void *arg)
{
	struct visit *v = arg;

	if (!is_spared(v, name))
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
