/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "lvmopen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blockdev.h"
#include "cleanup.h"
#include "crowd.h"
#include "dmgroup.h"
#include "file.h"
#include "log.h"
#include "looks.h"
#include "lvmcmd.h"
#include "lvmjudge.h"

#define RAID_SPEED "/proc/sys/dev/raid/speed_limit_" /* KiB/s */

static bool is_wanted(const struct volume *v)
{
	return is_managed(v) && v->verdict == VERDICT_NONE;
}

static bool has_wanted(const struct group *g)
{
	size_t i;

	for (i = 0; i < g->n_volumes; i++)
		if (is_wanted(&g->volume[i]))
			return true;
	return false;
}

/* Every managed volume that could still be opened can't. */
static void leave_wanted(struct group *g, const struct err *why)
{
	size_t i;

	for (i = 0; i < g->n_volumes; i++)
		if (is_wanted(&g->volume[i]))
			volume_leave(&g->volume[i], VERDICT_ERROR, why->word[0] ? why->word : "tool-failed",
				     "%s", why->text);
}

/* ---- plain volumes ---- */

static bool is_plain(const struct volume *v)
{
	return v->line && v->verdict == VERDICT_NONE;
}

static int map(const struct group *g, size_t i, char name[DM_NAME_SIZE], struct err *e)
{
	const struct volume *v = &g->volume[i];

	dm_group_name(name, g->id, g->n_mapped + (unsigned)i);
	return dm_make_table(name, v->line, v->n_lines, v->read_only, e);
}

static bool map_one(size_t i, void *group)
{
	const struct group *g = group;
	char name[DM_NAME_SIZE];
	struct err e;

	return !is_plain(&g->volume[i]) || map(g, i, name, &e) == 0;
}

/* One that is there is left of the attempt to map all at once. */
static int map_again(const struct group *g, size_t i, struct err *e)
{
	char name[DM_NAME_SIZE];
	int rc = map(g, i, name, e);

	return rc == -EBUSY && dm_drop(name, e) == 0 ? map(g, i, name, e) : rc;
}

static void map_plain(struct group *g)
{
	char name[DM_NAME_SIZE];
	bool mapped;
	struct err why;
	size_t i;

	for (i = 0; i < g->n_volumes; i++)
		g->volume[i].read_only |= is_plain(&g->volume[i]) && g->read_only;
	mapped = crowd_do(g->n_volumes, map_one, g);
	for (i = 0; i < g->n_volumes; i++) {
		struct volume *v = &g->volume[i];

		if (!is_plain(v))
			continue;
		dm_group_name(name, g->id, g->n_mapped + (unsigned)i);
		if (mapped || map_again(g, i, &why) == 0)
			snprintf(v->device, sizeof(v->device), DM_DIR_PREFIX "%s", name);
		else
			volume_leave(v, VERDICT_ERROR, "tool-failed", "it could not be mapped: %s", why.text);
	}
	g->n_mapped += (unsigned)g->n_volumes;
}

/* ---- a suspended system in one of the volumes ---- */

/* The volumes of the host's own groups are many guests'. */
static bool is_guests(const struct walk_env *env)
{
	return env->guest[0];
}

static bool is_suspended(const char *device_name, uint64_t bytes)
{
	struct node n = { .bytes = bytes };
	struct err e;

	snprintf(n.device, sizeof(n.device), DM_DIR_PREFIX "%s", device_name);
	return look_content(&n, &e) == 0 && n.content.suspended;
}

/* Looks into the plain volumes, each mapped for the moment. */
static bool plain_is_suspended(struct group *g)
{
	char name[DM_NAME_SIZE];
	bool found = false;
	struct err e = { 0 };
	size_t i;

	dm_group_name(name, g->id, g->n_mapped);
	for (i = 0; i < g->n_volumes && !found; i++) {
		const struct volume *v = &g->volume[i];

		if (!v->line || v->verdict != VERDICT_NONE || dm_make_table(name, v->line, v->n_lines, true, &e) < 0)
			continue;
		found = is_suspended(name, v->bytes);
		if (dm_drop(name, &e) < 0)
			log_line("%s: %s", g->name, e.text);
	}
	return found;
}

/* Looks into the managed volumes, active on their copies. */
static bool managed_is_suspended(const struct group *g)
{
	char uuid[DM_LONG_UUID_SIZE], name[DM_NAME_SIZE];
	struct err e;
	size_t i;

	for (i = 0; i < g->n_volumes; i++) {
		if (!is_wanted(&g->volume[i]))
			continue;
		group_dm_uuid(g, &g->volume[i], uuid, sizeof(uuid));
		if (dm_find(uuid, name, &e) == 0 && dm_make_node(name, &e) == 0 &&
		    is_suspended(name, g->volume[i].bytes))
			return true;
	}
	return false;
}

/* ---- throw-away copies ---- */

static int drop_copies(struct group *g, struct err *e)
{
	return snapshot_drop_set(&g->copy, g->n_devices, e);
}

static int make_copies(const struct walk_env *env, struct group *g, struct err *e)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "gs-%u-copy", g->id);
	return snapshot_make_set(&g->copy, (const char *const *)g->device, g->device_bytes, g->n_devices,
				 prefix, env->work_dir, e);
}

/* ---- managed volumes ---- */

/* LVM in its sandbox can't run modprobe. */
static void load_targets(const struct volume *v)
{
	static const struct {
		const char *layout, *type;
	} table[] = {
		{ "raid", "raid" }, { "mirror", "mirror" }, { "thin", "thin-pool" }, { "thin", "thin" },
		{ "writecache", "writecache" }, { "cache", "cache" }, { "vdo", "vdo" },
		{ "integrity", "integrity" },
	};
	size_t i;

	dm_load_target("snapshot");
	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (strstr(v->layout, table[i].layout))
			dm_load_target(table[i].type);
}

/* What LVM can't activate is no error of its own here: the volume will be missing. */
static void activate(const struct walk_env *env, const struct group *g, bool on_copies,
		     struct err *why)
{
	const char *devices[MAX_PARENTS];
	cleanup_free const char **names = calloc(g->n_volumes, sizeof(*names));
	size_t n = 0, i;

	for (i = 0; i < g->n_devices; i++)
		devices[i] = on_copies ? g->copy[i].device : g->device[i];
	for (i = 0; names && i < g->n_volumes; i++)
		if (is_wanted(&g->volume[i]) && (on_copies || !g->volume[i].throwaway))
			names[n++] = g->volume[i].name;
	/* a part of one may be of another kind */
	for (i = 0; n && i < g->n_volumes; i++)
		load_targets(&g->volume[i]);
	if (n && lvmcmd_activate(env, g->id, g->name, names, n, devices, g->n_devices, why) < 0)
		log_line("%s: %s", g->name, why->text);
}

/* A copy is not the place to rebuild a raid or to write back a cache; and the host's own raids
 * can wait for that until it is up again. */
static void calm(const struct dm_mapping *m, size_t n)
{
	struct err why;
	size_t i;

	for (i = 0; i < n; i++)
		if ((strcmp(m[i].target, "raid") == 0 &&
		     (file_set(RAID_SPEED "min", "1", &why) < 0 ||
		      file_set(RAID_SPEED "max", "1", &why) < 0)) ||
		    (strcmp(m[i].target, "cache") == 0 &&
		     dm_message(m[i].name, "migration_threshold 0", &why) < 0))
			log_line("%s", why.text);
}

/* Removes the mappings on the copies that no volume needs which stays there. Returns 0, with
 * *left: some stay; -EBUSY. */
static int leave_copies(const struct group *g, const struct dm_mapping *m, size_t n, bool *left,
			struct err *e)
{
	cleanup_free bool *keep = calloc(n + 1, sizeof(*keep));
	cleanup_free bool *part = calloc(n + 1, sizeof(*part));
	cleanup_free const char **names = calloc(n + 1, sizeof(*names));
	size_t i, k, n_names = 0;

	if (!keep || !part || !names)
		return err_set(e, ENOMEM, "no memory for the volumes");
	for (i = 0; i < g->n_volumes; i++)
		if (is_wanted(&g->volume[i]) && g->volume[i].throwaway &&
		    volume_parts(g, &g->volume[i], m, n, part))
			for (k = 0; k < n; k++)
				keep[k] |= part[k];
	for (k = 0; k < n; k++)
		if (!keep[k])
			names[n_names++] = m[k].name;
	*left = n_names < n;
	return dm_drop_names(names, n_names, e);
}

/* The managed volumes, on the copies: looked at, and left there where nothing may be written. */
static int look(const struct walk_env *env, struct group *g, struct err *why, struct err *e)
{
	struct dm_mapping *m = NULL;
	bool left = false;
	char prefix[80];
	size_t n, i;
	int rc = make_copies(env, g, e);

	if (rc < 0)
		return rc;
	group_dm_uuid(g, NULL, prefix, sizeof(prefix));
	activate(env, g, true, why);
	rc = dm_mappings(prefix, &m, &n, e);
	if (rc == 0) {
		calm(m, n);
		g->read_only = g->read_only || (is_guests(env) && managed_is_suspended(g));
		group_judge(g, m, n);
	}
	for (i = 0; i < g->n_volumes; i++)
		g->volume[i].throwaway |= g->read_only && is_wanted(&g->volume[i]);
	if (rc == 0 && !g->read_only)
		rc = leave_copies(g, m, n, &left, e);
	if (rc == 0 && !g->read_only && !left)
		rc = drop_copies(g, e);
	free(m);
	return rc;
}

/* What is active now gets our names and is given to its volumes. */
static int take_managed(struct group *g, const struct err *why, struct err *e)
{
	char uuid[DM_LONG_UUID_SIZE], name[DM_NAME_SIZE];
	struct err inactive;
	size_t i;
	int rc;

	group_dm_uuid(g, NULL, uuid, sizeof(uuid));
	rc = dm_rename_all(uuid, g->id, &g->n_mapped, e);
	for (i = 0; rc == 0 && i < g->n_volumes; i++) {
		struct volume *v = &g->volume[i];

		if (!is_wanted(v))
			continue;
		group_dm_uuid(g, v, uuid, sizeof(uuid));
		if (dm_find(uuid, name, &inactive) < 0) {
			volume_leave(v, VERDICT_ERROR, "tool-failed", "LVM could not activate it: %s",
				     why->text[0] ? why->text : inactive.text);
			continue;
		}
		snprintf(v->device, sizeof(v->device), DM_DIR_PREFIX "%s", name);
		v->read_only |= v->throwaway;
		if (v->read_only)
			rc = blockdev_set_read_only(v->device, true, e);
	}
	return rc;
}

static int open_managed(const struct walk_env *env, struct group *g, struct err *e)
{
	struct err why = { 0 };
	int rc = look(env, g, &why, e);

	if (rc == 0 && !g->read_only)
		activate(env, g, false, &why);
	return rc == 0 ? take_managed(g, &why, e) : rc;
}

/* LVM's own names of the group's mappings are in use for a moment, their dm UUIDs until the
 * walk ends. */
static int acquire_names(const struct walk_env *env, const struct group *g, char name[160],
			 struct err *e)
{
	char uuid[96];
	const char *names[] = { uuid, name };

	snprintf(name, 160, "vg-name:%s", g->name);
	snprintf(uuid, sizeof(uuid), "vg-uuid:%s", g->uuid);
	return env->acquire(names, 2, 1, e);
}

/* Opens the managed volumes, or gives each its verdict. Returns 0; -EAGAIN, -ETIMEDOUT: all
 * must be closed. */
static int try_managed(const struct walk_env *env, struct group *g, struct err *e)
{
	char name[160], prefix[80];
	const char *held = name;
	struct err why = { 0 };
	int rc = acquire_names(env, g, name, &why);

	if (rc == -EAGAIN || rc == -ETIMEDOUT) {
		*e = why;
		return rc;
	}
	if (rc < 0) {
		leave_wanted(g, &why);
		return 0;
	}
	rc = open_managed(env, g, &why);
	group_dm_uuid(g, NULL, prefix, sizeof(prefix));
	if (rc < 0) {
		leave_wanted(g, &why);
		/* what is left of it goes when the group is closed */
		if (dm_rename_all(prefix, g->id, &g->n_mapped, &why) < 0)
			log_line("%s: %s", g->name, why.text);
	}
	env->release(&held, 1, 1);
	return 0;
}

int group_open(const struct walk_env *env, struct group *g, struct err *e)
{
	bool managed = has_wanted(g);
	int rc;

	/* such volumes write by being activated; the walk finds the rest of the guest's */
	g->read_only = g->read_only || (managed && is_guests(env) && plain_is_suspended(g));
	rc = managed ? try_managed(env, g, e) : 0;

	if (rc == 0)
		map_plain(g);
	return rc;
}

bool group_ran_full(const struct group *g)
{
	size_t i;

	for (i = 0; g->copy && i < g->n_devices; i++)
		if (snapshot_is_full(&g->copy[i]))
			return true;
	return false;
}

int group_close(struct group *g, struct err *e)
{
	int rc = dm_drop_renamed(g->id, g->n_mapped, e);

	return rc == 0 ? drop_copies(g, e) : rc;
}
