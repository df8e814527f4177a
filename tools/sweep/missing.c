/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "missing.h"

#include <stdio.h>
#include <string.h>

#include "nodejson.h"

/* Also one that was found and left alone. */
static const struct node *find_volume(const struct walk *host, const char *name)
{
	char path[NODE_PATH_SIZE];
	size_t i;

	for (i = 0; i < host->n_nodes; i++) {
		if (!host->nodes[i]->device[0])
			continue;
		node_path(host->nodes[i], path);
		if (strcmp(path, name) == 0 || strcmp(host->nodes[i]->stack, name) == 0 ||
		    (strncmp(path, "/dev/", 5) == 0 && strcmp(path + 5, name) == 0))
			return host->nodes[i];
	}
	return NULL;
}

static bool has_volume(const struct walk *host, const char *name)
{
	return find_volume(host, name) != NULL;
}

static bool has_scope(const struct scopes *scopes, const char *name)
{
	size_t i;

	for (i = 0; i < scopes->n; i++)
		if (strcmp(scopes->s[i]->name, name) == 0)
			return true;
	return false;
}

/* A disk with a table on it, a physical volume: it is the host's own, and others are to be swept. */
static bool is_taken_apart(const struct walk *host, const struct node *n)
{
	size_t i, k;

	for (i = 0; i < host->n_nodes; i++)
		for (k = 0; k < host->nodes[i]->n_parents; k++)
			if (host->nodes[i]->parents[k] == n)
				return true;
	return false;
}

static void report_only(const struct walk *host, const struct scopes *scopes, const char *name, struct results *r)
{
	const struct node *volume = find_volume(host, name);

	if (has_scope(scopes, name) || settings_guest(host->env->settings, name))
		return;
	if (!volume)
		results_problem(r, SWEEP_ATTENTION, "missing-device",
				"guestsweep.only= names %s, which is no guest and no volume here", name);
	else if (is_taken_apart(host, volume))
		results_problem(r, SWEEP_ATTENTION, "missing-device",
				"guestsweep.only= names %s, of which the host itself is made; nothing was swept for "
				"that: name the guests or volumes on it", name);
}

/* An image file is there when the host filesystem has been opened that it lies on. */
static bool has_image(const struct results *r, const char *name)
{
	json_object_object_foreach(r->nodes, key, node) {
		(void)key;
		if (strcmp(json_text(node, "kind"), "image") == 0 &&
		    strcmp(json_text(node, "name"), name) == 0)
			return true;
	}
	return false;
}

static void report_disk(const struct walk *host, const struct guest *guest,
			const struct guest_disk *disk, struct results *r)
{
	char name[2 * NODE_PATH_SIZE];

	snprintf(name, sizeof(name), "%s:%s", disk->volume, disk->path ? disk->path : "");
	if (!has_volume(host, disk->volume))
		results_problem(r, SWEEP_ATTENTION, "missing-device",
				"guest %s: its disk %s is not on this host", guest->name, disk->volume);
	else if (disk->path && !has_image(r, name))
		results_problem(r, SWEEP_ATTENTION, "missing-device",
				"guest %s: its disk %s could not be looked for, since the filesystem on %s "
				"was not opened", guest->name, name, disk->volume);
}

/* Names of other kinds ("UUID=") may be found anywhere, also inside a guest. */
static bool is_path(const char *device)
{
	return strchr(device, '=') == NULL;
}

void missing_report(const struct walk *host, const struct scopes *scopes, struct results *r)
{
	const struct settings *s = host->env->settings;
	const struct crypttab *t = host->env->crypttab;
	size_t i, k;

	for (i = 0; i < s->n_guests; i++)
		for (k = 0; k < s->guests[i].n_disks; k++)
			report_disk(host, &s->guests[i], &s->guests[i].disks[k], r);
	for (i = 0; i < s->only.n; i++)
		report_only(host, scopes, s->only.item[i], r);
	for (i = 0; i < t->n; i++)
		if (!t->entry[i].nofail && !t->entry[i].file && is_path(t->entry[i].device) &&
		    !has_volume(host, t->entry[i].device))
			results_problem(r, SWEEP_ATTENTION, "missing-device",
					"crypttab:%u: %s is not on this host", t->entry[i].line,
					t->entry[i].device);
}
