/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link: -Wl,--wrap=spawn_run */
/* Any text as LVM's report on three physical volumes: the groups that come of it, and what would be
 * mapped of them. Of LVM's own reading of a disk this sees nothing. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lvmgroup.h"
#include "nodejson.h"
#include "registry.h"
#include "spawn.h"
#include "walk.h"

#define MEMBERS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_spawn_run(const char *const argv[], const struct spawn_options *o, struct spawn_result *r,
		     struct err *e);

static const uint8_t *said;
static size_t said_size;

int __wrap_spawn_run(const char *const argv[], const struct spawn_options *o, struct spawn_result *r,
		     struct err *e)
{
	(void)argv;
	memset(r, 0, sizeof(*r));
	r->how = SPAWN_EXITED;
	*o->out = strndup((const char *)said, said_size);
	return *o->out ? 0 : err_set(e, ENOMEM, "no memory");
}

static const struct layer_ops *find_driver(void)
{
	const struct layer_ops *const *ops = layer_registry;

	while ((*ops)->kind != KIND_PV)
		ops++;
	return *ops;
}

static void add_member(struct walk *w, unsigned i)
{
	struct err e;
	struct node *disk = walk_add(w, KIND_DISK, NULL, NULL, "disk", &e);
	struct node *pv = disk ? walk_add(w, KIND_PV, disk, disk, "pv", &e) : NULL;

	if (!pv)
		abort();
	snprintf(disk->device, sizeof(disk->device), "/dev/vd%c", 'a' + (int)i);
	disk->bytes = 1 << 30;
	snprintf(pv->uuid, sizeof(pv->uuid), "uuid-%u", i);
}

static void check_text(const char *text, size_t size)
{
	if (!memchr(text, 0, size))
		abort();
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			abort();
}

/* A plain volume is whole: its lines follow each other from its begin to its end, on devices of
 * the group. */
static void check_volume(const struct volume *v)
{
	uint64_t end = 0;
	size_t i;

	check_text(v->name, sizeof(v->name));
	check_text(v->uuid, sizeof(v->uuid));
	if (!memchr(v->layout, 0, sizeof(v->layout)) || !memchr(v->reason, 0, sizeof(v->reason)))
		abort();
	for (i = 0; i < v->n_lines; i++) {
		if (v->line[i].start != end || !strstr(v->line[i].params, "/dev/vd"))
			abort();
		end += v->line[i].sectors;
	}
	if (v->line && end != v->bytes / 512)
		abort();
}

static void check_group(const struct node *n)
{
	const struct group *g = n->state;
	size_t i;

	check_text(n->name, sizeof(n->name));
	check_text(n->stack, sizeof(n->stack));
	if (!memchr(n->reason, 0, sizeof(n->reason)))
		abort();
	for (i = 0; g && i < g->n_volumes; i++)
		check_volume(&g->volume[i]);
	json_object_put(node_to_json(n));
}

static bool never(void)
{
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned next_id = 0, i;
	struct walk_env env = { .guest = "g", .log_dir = "/nonexistent", .work_dir = "/nonexistent",
				.next_id = &next_id, .cancelled = never, .registry = layer_registry };
	struct node *members[MEMBERS];
	struct err e = { 0 };
	struct walk w;
	size_t k;

	said = data;
	said_size = size;
	walk_init(&w, &env);
	for (i = 0; i < MEMBERS; i++) {
		add_member(&w, i);
		members[i] = w.nodes[w.n_nodes - 1];
	}
	if (find_driver()->gather(&w, members, MEMBERS, size % 2, &e) < 0)
		abort();
	for (k = 0; k < w.n_nodes; k++)
		if (w.nodes[k]->kind == KIND_VG)
			check_group(w.nodes[k]);
	walk_free(&w);
	return 0;
}
