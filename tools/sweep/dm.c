/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "dm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dmtask.h"
#include "file.h"
#include "log.h"

#define MAX_DEVICES 4096
#define RCU_EXPEDITED "/sys/kernel/rcu_expedited"
#define TRIES 50
#define PAUSE_MS 100

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
	struct err e;

	dm_log_with_errno_init(take_errno);
	dm_udev_set_sync_support(0);
	dm_hold_control_dev(1);
	/* every mapping that comes or goes waits for all CPUs; without this for their next tick */
	if (file_set(RCU_EXPEDITED, "1", &e) < 0)
		log_line("%s", e.text);
}

int dmtask_run(struct dm_task *t)
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

struct dm_task *dmtask_new(int type, const char *name, struct err *e)
{
	struct dm_task *t = dm_task_create(type);

	if (t && dm_task_set_name(t, name))
		return t;
	if (t)
		dm_task_destroy(t);
	err_set(e, ENOMEM, "device-mapper: no memory");
	return NULL;
}

void dm_load_target(const char *type)
{
	struct dm_task *t = dm_task_create(DM_DEVICE_GET_TARGET_VERSION);

	if (t && dm_task_set_name(t, type))
		dm_task_run(t);
	if (t)
		dm_task_destroy(t);
}

int dm_make_table(const char *name, const struct dm_line *line, size_t n, bool read_only,
		  struct err *e)
{
	struct dm_task *t = dmtask_new(DM_DEVICE_CREATE, name, e);
	char uuid[DM_NAME_SIZE + 16];
	size_t i;
	int rc, ok;

	if (!t)
		return -ENOMEM;
	snprintf(uuid, sizeof(uuid), "GUESTSWEEP-%s", name);
	ok = dm_task_set_uuid(t, uuid) && (!read_only || dm_task_set_ro(t));
	for (i = 0; ok && i < n; i++)
		ok = dm_task_add_target(t, line[i].start, line[i].sectors, line[i].target,
					line[i].params);
	if (!ok) {
		dm_task_destroy(t);
		return err_set(e, ENOMEM, "device-mapper: no memory");
	}
	rc = dmtask_run(t);
	if (rc < 0)
		err_set(e, -rc, "device-mapper: %s \"%s\": %s", line->target, line->params,
			strerror(-rc));
	return rc;
}

int dm_make(const char *name, const struct dm_line *line, bool read_only, struct err *e)
{
	return dm_make_table(name, line, 1, read_only, e);
}

/* Adds the lines of name's live table to t. */
static int copy_table(const char *name, struct dm_task *t, struct err *e)
{
	struct dm_task *live = dmtask_new(DM_DEVICE_TABLE, name, e);
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
	int rc = dmtask_run(t);

	t = rc == 0 ? dmtask_new(DM_DEVICE_RESUME, name, e) : NULL;
	if (t)
		rc = dmtask_run(t);
	return rc < 0 ? err_set(e, -rc, "device-mapper: another table for %s: %s", name, strerror(-rc)) : 0;
}

int dm_make_writable(const char *name, struct err *e)
{
	struct dm_task *t = dmtask_new(DM_DEVICE_RELOAD, name, e);
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
	struct dm_task *t = dmtask_new(DM_DEVICE_RELOAD, name, e);

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
	struct dm_task *t = dmtask_new(DM_DEVICE_STATUS, name, e);
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

int dm_message(const char *name, const char *text, struct err *e)
{
	struct dm_task *t = dmtask_new(DM_DEVICE_TARGET_MSG, name, e);
	int rc;

	if (!t)
		return -ENOMEM;
	if (!dm_task_set_sector(t, 0) || !dm_task_set_message(t, text)) {
		dm_task_destroy(t);
		return err_set(e, ENOMEM, "device-mapper: no memory");
	}
	rc = dmtask_run(t);
	if (rc < 0)
		err_set(e, -rc, "device-mapper: \"%s\" to %s: %s", text, name, strerror(-rc));
	return rc;
}

int dm_drop(const char *name, struct err *e)
{
	struct dm_task *t = dmtask_new(DM_DEVICE_REMOVE, name, e);
	char node[sizeof(DM_DIR_PREFIX) + DM_NAME_SIZE];
	int rc;

	if (!t)
		return -ENOMEM;
	rc = dmtask_run(t);
	if (rc < 0 && rc != -ENXIO)
		return err_set(e, -rc, "device-mapper: remove %s: %s", name, strerror(-rc));
	if (rc == -ENXIO) {
		/* who has removed it may have ended before it came to its node */
		snprintf(node, sizeof(node), DM_DIR_PREFIX "%s", name);
		unlink(node);
	}
	return 0;
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
