/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "dm.h"

#include <errno.h>
#include <libdevmapper.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MAX_DEVICES 4096
#define TRIES 50
#define PAUSE_MS 100
#define UUID_SIZE 129 /* DM_UUID_LEN, linux/dm-ioctl.h */

static int last_errno;

/* libdevmapper says why only through its logger. */
static void take_errno(int level, const char *file, int line, int dm_errno, const char *f, ...)
{
	(void)level;
	(void)file;
	(void)line;
	(void)f;
	if (dm_errno > 0)
		last_errno = dm_errno;
}

void dm_prepare(void)
{
	dm_log_with_errno_init(take_errno);
	dm_udev_set_sync_support(0);
	dm_hold_control_dev(1);
}

/* Runs task t and releases it. Returns 0 or -errno. */
static int run(struct dm_task *t)
{
	int rc = 0;

	last_errno = 0;
	if (!dm_task_run(t)) {
		rc = dm_task_get_errno(t);
		rc = -(rc ? rc : last_errno ? last_errno : EIO);
	}
	dm_task_update_nodes();
	dm_task_destroy(t);
	return rc;
}

static struct dm_task *new_task(int type, const char *name, struct err *e)
{
	struct dm_task *t = dm_task_create(type);

	if (t && dm_task_set_name(t, name))
		return t;
	if (t)
		dm_task_destroy(t);
	err_set(e, ENOMEM, "device-mapper: no memory");
	return NULL;
}

int dm_make(const char *name, const struct dm_line *line, bool read_only, struct err *e)
{
	struct dm_task *t = new_task(DM_DEVICE_CREATE, name, e);
	char uuid[UUID_SIZE];
	int rc;

	if (!t)
		return -ENOMEM;
	snprintf(uuid, sizeof(uuid), "GUESTSWEEP-%s", name);
	if (!dm_task_set_uuid(t, uuid) || (read_only && !dm_task_set_ro(t)) ||
	    !dm_task_add_target(t, line->start, line->sectors, line->target, line->params)) {
		dm_task_destroy(t);
		return err_set(e, ENOMEM, "device-mapper: no memory");
	}
	rc = run(t);
	if (rc < 0)
		err_set(e, -rc, "device-mapper: %s \"%s\": %s", line->target, line->params,
			strerror(-rc));
	return rc;
}

/* Adds the lines of name's live table to t. */
static int copy_table(const char *name, struct dm_task *t, struct err *e)
{
	struct dm_task *live = new_task(DM_DEVICE_TABLE, name, e);
	uint64_t start, sectors;
	char *target, *params;
	void *next = NULL;
	int ok;

	if (!live)
		return -ENOMEM;
	ok = dm_task_run(live);
	do {
		next = ok ? dm_get_next_target(live, next, &start, &sectors, &target, &params) : NULL;
		ok = ok && target && dm_task_add_target(t, start, sectors, target, params);
	} while (next && ok);
	dm_task_destroy(live);
	return ok ? 0 : err_set(e, EIO, "device-mapper: the table of %s can't be read", name);
}

/* Loads the table in t (released) and puts it in place of the live one. */
static int swap_table(const char *name, struct dm_task *t, struct err *e)
{
	int rc = run(t);

	t = rc == 0 ? new_task(DM_DEVICE_RESUME, name, e) : NULL;
	if (t)
		rc = run(t);
	return rc < 0 ? err_set(e, -rc, "device-mapper: another table for %s: %s", name, strerror(-rc)) : 0;
}

int dm_make_writable(const char *name, struct err *e)
{
	struct dm_task *t = new_task(DM_DEVICE_RELOAD, name, e);
	int rc;

	if (!t)
		return -ENOMEM;
	rc = copy_table(name, t, e);
	if (rc < 0) {
		dm_task_destroy(t);
		return rc;
	}
	return swap_table(name, t, e);
}

int dm_replace(const char *name, const struct dm_line *line, struct err *e)
{
	struct dm_task *t = new_task(DM_DEVICE_RELOAD, name, e);

	if (!t)
		return -ENOMEM;
	if (!dm_task_add_target(t, line->start, line->sectors, line->target, line->params)) {
		dm_task_destroy(t);
		return err_set(e, ENOMEM, "device-mapper: no memory");
	}
	return swap_table(name, t, e);
}

int dm_status(const char *name, char *buf, size_t size, struct err *e)
{
	struct dm_task *t = new_task(DM_DEVICE_STATUS, name, e);
	char *target = NULL, *params = NULL;
	uint64_t start, sectors;

	if (!t)
		return -ENOMEM;
	if (dm_task_run(t))
		dm_get_next_target(t, NULL, &start, &sectors, &target, &params);
	if (params)
		snprintf(buf, size, "%s", params);
	dm_task_destroy(t);
	return params ? 0 : err_set(e, EIO, "device-mapper: no status of %s", name);
}

int dm_drop(const char *name, struct err *e)
{
	struct dm_task *t = new_task(DM_DEVICE_REMOVE, name, e);
	int rc;

	if (!t)
		return -ENOMEM;
	rc = run(t);
	if (rc < 0 && rc != -ENXIO)
		return err_set(e, -rc, "device-mapper: remove %s: %s", name, strerror(-rc));
	return 0;
}

static int uuid_of(const char *name, char uuid[UUID_SIZE])
{
	struct err e;
	struct dm_task *t = new_task(DM_DEVICE_INFO, name, &e);
	const char *found;
	int rc = -ENODEV;

	if (!t)
		return -ENOMEM;
	if (dm_task_run(t) && (found = dm_task_get_uuid(t))) {
		snprintf(uuid, UUID_SIZE, "%s", found);
		rc = 0;
	}
	dm_task_destroy(t);
	return rc;
}

int dm_for_each(int (*visit)(const char *name, void *arg), void *arg)
{
	struct dm_task *t = dm_task_create(DM_DEVICE_LIST);
	struct dm_names *names;
	unsigned next = 0;
	int rc = 0, i;

	if (!t)
		return -ENOMEM;
	if (!dm_task_run(t) || !(names = dm_task_get_names(t))) {
		rc = -(last_errno ? last_errno : EIO);
		dm_task_destroy(t);
		return rc;
	}
	for (i = 0; names->dev && rc == 0 && i < MAX_DEVICES; i++) {
		names = (struct dm_names *)((char *)names + next);
		rc = visit(names->name, arg);
		next = names->next;
		if (!next)
			break;
	}
	dm_task_destroy(t);
	return rc;
}

struct removal {
	unsigned removed;
	unsigned left;
	struct err *e;
};

static int remove_one(const char *name, void *arg)
{
	struct removal *r = arg;

	if (dm_drop(name, r->e) == 0)
		r->removed++;
	else
		r->left++;
	return 0;
}

int dm_drop_all(struct err *e)
{
	struct removal r;
	int rc;

	/* what is used by another goes once that is gone, hence rounds */
	do {
		r = (struct removal){ .e = e };
		rc = dm_for_each(remove_one, &r);
		if (rc < 0)
			return err_set(e, -rc, "device-mapper: list: %s", strerror(-rc));
	} while (r.left && r.removed);
	return r.left ? -e->code : 0;
}

int dm_drop_all_patiently(struct err *e)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	int i, rc;

	for (i = 0; (rc = dm_drop_all(e)) < 0 && i < TRIES; i++)
		nanosleep(&pause, NULL);
	return rc;
}

#define OUR_PREFIX "gs-"

struct renaming {
	const char *uuid_prefix;
	unsigned id, n;
	struct err *e;
};

static int rename_one(const char *name, void *arg)
{
	struct renaming *r = arg;
	char new_name[DM_NAME_SIZE], uuid[UUID_SIZE];
	struct dm_task *t;
	int rc;

	if (strncmp(name, OUR_PREFIX, strlen(OUR_PREFIX)) == 0 || uuid_of(name, uuid) < 0 ||
	    strncmp(uuid, r->uuid_prefix, strlen(r->uuid_prefix)) != 0)
		return 0;
	snprintf(new_name, sizeof(new_name), OUR_PREFIX "%u.%u", r->id, r->n++);
	t = new_task(DM_DEVICE_RENAME, name, r->e);
	if (!t)
		return -ENOMEM;
	if (!dm_task_set_newname(t, new_name)) {
		dm_task_destroy(t);
		return err_set(r->e, ENOMEM, "device-mapper: no memory");
	}
	rc = run(t);
	if (rc < 0)
		return err_set(r->e, -rc, "device-mapper: rename %s: %s", name, strerror(-rc));
	return 0;
}

int dm_rename_all(const char *uuid_prefix, unsigned id, unsigned *count, struct err *e)
{
	struct renaming r = { .uuid_prefix = uuid_prefix, .id = id, .e = e };
	int rc = dm_for_each(rename_one, &r);

	*count = r.n;
	if (rc < 0)
		err_wrap(e, "give the volumes our names");
	return rc;
}

int dm_drop_renamed(unsigned id, unsigned count, struct err *e)
{
	unsigned left = count, before, i;
	char name[DM_NAME_SIZE];

	/* what is used by another goes once that is gone, hence rounds */
	do {
		before = left;
		left = 0;
		for (i = 0; i < count; i++) {
			snprintf(name, sizeof(name), OUR_PREFIX "%u.%u", id, i);
			left += dm_drop(name, e) < 0;
		}
	} while (left && left < before);
	return left ? -e->code : 0;
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
