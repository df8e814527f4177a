/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "dmgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "crowd.h"
#include "dmtask.h"

#define OUR_PREFIX "gs-"

static int uuid_of(const char *name, char uuid[DM_LONG_UUID_SIZE])
{
	struct err e;
	struct dm_task *t = dmtask_new(DM_DEVICE_INFO, name, &e);
	const char *found;
	int rc = -ENODEV;

	if (!t)
		return -ENOMEM;
	if (dm_task_run(t) && (found = dm_task_get_uuid(t))) {
		snprintf(uuid, DM_LONG_UUID_SIZE, "%s", found);
		rc = 0;
	}
	dm_task_destroy(t);
	return rc;
}

/* What a task of this type (a status or a table) tells of m: its first line, and where the
 * last one ends. */
static int first_line(int type, struct dm_mapping *m, char *params_out, struct err *e)
{
	struct dm_task *t = dmtask_new(type, m->name, e);
	char *target = NULL, *params = NULL;
	uint64_t start, sectors;
	void *next = NULL;
	bool first = true;

	if (!t)
		return -ENOMEM;
	if (dm_task_run(t))
		do {
			next = dm_get_next_target(t, next, &start, &sectors, &target, &params);
			if (first) {
				snprintf(m->target, sizeof(m->target), "%s", target ? target : "");
				snprintf(params_out, DM_WHAT_SIZE, "%s", params ? params : "");
			}
			m->sectors = target ? start + sectors : 0;
			first = false;
		} while (next);
	dm_task_destroy(t);
	return 0;
}

static int what_is_below(struct dm_mapping *m, struct err *e)
{
	struct dm_task *t = dmtask_new(DM_DEVICE_DEPS, m->name, e);
	struct dm_deps *deps;

	if (!t)
		return -ENOMEM;
	if (dm_task_run(t) && (deps = dm_task_get_deps(t)))
		for (; m->n_below < deps->count && m->n_below < DM_MAX_BELOW; m->n_below++)
			m->below[m->n_below] = deps->device[m->n_below];
	dm_task_destroy(t);
	return 0;
}

static int look_at(struct dm_mapping *m, struct err *e)
{
	struct dm_task *t = dmtask_new(DM_DEVICE_INFO, m->name, e);
	struct dm_info info;
	int rc;

	if (!t)
		return -ENOMEM;
	if (dm_task_run(t) && dm_task_get_info(t, &info) && info.exists)
		m->device = makedev((unsigned)info.major, info.minor);
	dm_task_destroy(t);
	rc = first_line(DM_DEVICE_STATUS, m, m->status, e);
	if (rc == 0)
		rc = first_line(DM_DEVICE_TABLE, m, m->table, e);
	return rc == 0 ? what_is_below(m, e) : rc;
}

struct listing {
	const char *uuid_prefix;
	struct dm_mapping *list;
	size_t n;
	struct err *e;
};

static int list_one(const char *name, void *arg)
{
	struct listing *l = arg;
	struct dm_mapping *grown;
	char uuid[DM_LONG_UUID_SIZE];

	if (uuid_of(name, uuid) < 0 || strncmp(uuid, l->uuid_prefix, strlen(l->uuid_prefix)) != 0)
		return 0;
	grown = realloc(l->list, (l->n + 1) * sizeof(*grown));
	if (!grown)
		return err_set(l->e, ENOMEM, "device-mapper: no memory");
	l->list = grown;
	memset(&grown[l->n], 0, sizeof(*grown));
	snprintf(grown[l->n].name, sizeof(grown->name), "%s", name);
	memcpy(grown[l->n].uuid, uuid, sizeof(uuid));
	return look_at(&grown[l->n++], l->e);
}

int dm_mappings(const char *uuid_prefix, struct dm_mapping **list, size_t *n, struct err *e)
{
	struct listing l = { .uuid_prefix = uuid_prefix, .e = e };
	int rc = dm_for_each(list_one, &l);

	*list = l.list;
	*n = l.n;
	return rc < 0 ? err_set(e, -rc, "device-mapper: list: %s", strerror(-rc)) : 0;
}

void dm_group_name(char name[DM_NAME_SIZE], unsigned id, unsigned n)
{
	snprintf(name, DM_NAME_SIZE, OUR_PREFIX "%u.%u", id, n);
}

struct renaming {
	const char *uuid_prefix;
	unsigned id, n;
	struct err *e;
};

int dm_make_node(const char *name, struct err *e)
{
	int made = dm_mknodes(name);

	dm_task_update_nodes();
	return made ? 0 : err_set(e, EIO, "device-mapper: no node for %s", name);
}

static int rename_one(const char *name, void *arg)
{
	struct renaming *r = arg;
	char new_name[DM_NAME_SIZE], uuid[DM_LONG_UUID_SIZE];
	struct dm_task *t;
	int rc;

	if (strncmp(name, OUR_PREFIX, strlen(OUR_PREFIX)) == 0 || uuid_of(name, uuid) < 0 ||
	    strncmp(uuid, r->uuid_prefix, strlen(r->uuid_prefix)) != 0)
		return 0;
	dm_group_name(new_name, r->id, r->n++);
	t = dmtask_new(DM_DEVICE_RENAME, name, r->e);
	if (!t)
		return -ENOMEM;
	if (!dm_task_set_newname(t, new_name)) {
		dm_task_destroy(t);
		return err_set(r->e, ENOMEM, "device-mapper: no memory");
	}
	rc = dmtask_run(t);
	if (rc < 0)
		return err_set(r->e, -rc, "device-mapper: rename %s: %s", name, strerror(-rc));
	/* LVM has made a node in its own /dev, which there was none of to rename */
	return dm_make_node(new_name, r->e);
}

int dm_rename_all(const char *uuid_prefix, unsigned id, unsigned *count, struct err *e)
{
	struct renaming r = { .uuid_prefix = uuid_prefix, .id = id, .n = *count, .e = e };
	int rc = dm_for_each(rename_one, &r);

	*count = r.n;
	if (rc < 0)
		err_wrap(e, "give the volumes our names");
	return rc;
}

static bool drop_one(size_t i, void *names)
{
	struct err e;

	return dm_drop(((const char *const *)names)[i], &e) == 0;
}

int dm_drop_names(const char *const *names, size_t n, struct err *e)
{
	size_t left = n, before, i;

	if (crowd_do(n, drop_one, (void *)names))
		return 0;
	/* what is used by another goes once that is gone, hence rounds */
	do {
		before = left;
		left = 0;
		for (i = 0; i < n; i++)
			left += dm_drop(names[i], e) < 0;
	} while (left && left < before);
	return left ? -e->code : 0;
}

int dm_drop_renamed(unsigned id, unsigned count, struct err *e)
{
	char (*names)[DM_NAME_SIZE] = calloc(count + 1, sizeof(*names));
	const char **list = calloc(count + 1, sizeof(*list));
	unsigned i;
	int rc;

	for (i = 0; names && list && i < count; i++) {
		dm_group_name(names[i], id, i);
		list[i] = names[i];
	}
	rc = names && list ? dm_drop_names(list, count, e) : err_set(e, ENOMEM, "no memory to close it");
	free(names);
	free(list);
	return rc;
}

int dm_find(const char *uuid, char name[DM_NAME_SIZE], struct err *e)
{
	struct dm_task *t = dm_task_create(DM_DEVICE_INFO);
	struct dm_info info = { 0 };

	if (t && dm_task_set_uuid(t, uuid) && dm_task_run(t) && dm_task_get_info(t, &info) &&
	    info.exists)
		snprintf(name, DM_NAME_SIZE, "%s", dm_task_get_name(t));
	if (t)
		dm_task_destroy(t);
	return info.exists ? 0 : err_set(e, ENODEV, "device-mapper: it is not active");
}
