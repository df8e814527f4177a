/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * md arrays (Linux software RAID) and their members.
 *
 * Recognises  members by their superblock, metadata 0.90 to 1.2.
 * Uses        the kernel to assemble and stop (mdarray.h); before that our own reading of the superblocks (mdsuper.h),
 *             by which it is decided who is a member and whether to start at all (mdjudge.h).
 * open        assembles an array from its members, read-only at first; writable, once it is
 *             known to be whole, where the mode and the members are. The kernel then writes to
 *             the members no sooner than somebody writes to the array. Where nothing may be
 *             written it gets throw-away snapshots of the members: it would write its bitmap
 *             and superblocks even to members that the kernel holds read-only.
 * close       stops it, removes the snapshots.
 * Never       starts an array that lacks too many members, one whose shape is being changed, or
 *             a degraded one for writing; lets a stale member in.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "blockdev.h"
#include "cleanup.h"
#include "driver.h"
#include "log.h"
#include "looks.h"
#include "mdarray.h"
#include "mdjudge.h"
#include "registry.h"
#include "snapshot.h"
#include "walk.h"

struct array {
	struct md_members in; /* those that are up to date, in the order found */
	struct snapshot *cover; /* one per member, where the members must not be written to */
};

static const struct layer_ops array_ops;

static enum claim md_probe(struct walk *w, struct node *device, struct err *e)
{
	(void)w;
	(void)e;
	return strcmp(device->content.type, "linux_raid_member") == 0 ? MINE : NOT_MINE;
}

static int md_describe(struct walk *w, struct node *n, struct err *e)
{
	const struct node *device = n->parents[0];
	struct mdsuper *super = n->state = calloc(1, sizeof(*super));
	int rc;

	(void)w;
	if (!super)
		return err_set(e, ENOMEM, "no memory for a member of an array");
	snprintf(n->type, sizeof(n->type), "member");
	snprintf(n->name, sizeof(n->name), "%s", device->name);
	rc = look_md(device->device, device->bytes, device->content.version, super, e);
	if (rc < 0)
		return rc;
	snprintf(n->uuid, sizeof(n->uuid), "%d", super->role);
	/* the array is the node; its members are devices that are there already */
	n->hidden = true;
	return 0;
}

/* The array of these members becomes a node; its parents are all of them. */
static int add_array(struct walk *w, const struct node *const *same, size_t n, bool last_try,
		     struct err *e)
{
	struct array *a = calloc(1, sizeof(*a));
	struct node *first = (struct node *)same[0], *array;
	size_t i;

	if (!a)
		return err_set(e, ENOMEM, "no memory for an array");
	md_collect(&a->in, same, n);
	array = walk_add(w, KIND_MD, first, first->host ? NULL : first->parents[0], NULL, e);
	if (!array) {
		free(a);
		return -ENOMEM;
	}
	array->ops = &array_ops;
	array->state = a;
	for (i = 0; i < n; i++) {
		((struct node *)same[i])->verdict = VERDICT_OK;
		if (i)
			node_add_parent(array, (struct node *)same[i]);
	}
	md_name(&a->in.super, array->name, sizeof(array->name));
	md_level_name(&a->in.super, array->type, sizeof(array->type));
	snprintf(array->uuid, sizeof(array->uuid), "%s", a->in.super.uuid);
	snprintf(array->reason, sizeof(array->reason), "%s of %u members", array->type,
		 a->in.super.raid_disks);
	if (array->host)
		stack_push(array->stack, sizeof(array->stack), array->name);
	md_judge(array, &a->in, same, n, last_try);
	return 0;
}

static int md_gather(struct walk *w, struct node *const *members, size_t n, bool final,
		     struct err *e)
{
	const struct node **same = calloc(n, sizeof(*same));
	bool last_try = w->host || w->env->last_try;
	size_t i, k, found;
	int rc = 0;

	if (!same)
		return err_set(e, ENOMEM, "no memory to group the members of arrays");
	for (i = 0; i < n && rc == 0; i++) {
		if (members[i]->verdict != VERDICT_NONE)
			continue;
		for (k = i, found = 0; k < n; k++)
			if (members[k]->verdict == VERDICT_NONE &&
			    strcmp(md_super(members[k])->uuid, md_super(members[i])->uuid) == 0)
				same[found++] = members[k];
		if (final || is_md_whole(same, found))
			rc = add_array(w, same, found, last_try, e);
	}
	free(same);
	return rc;
}

/* A number that no array has; the lock is held until ours has it. */
static int take_number(const struct walk_env *env, struct node *n, int *lock, struct err *e)
{
	char path[256];
	int i;

	snprintf(path, sizeof(path), "%s/md.lock", env->work_dir);
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*lock < 0 || flock(*lock, LOCK_EX) < 0)
		return err_set(e, errno, "%s: %s", path, strerror(errno));
	for (i = 0; i < MAX_ARRAYS; i++) {
		snprintf(n->device, sizeof(n->device), "/dev/md%d", i);
		if (!mdarray_is_there(n->device))
			return 0;
	}
	return err_set(e, EBUSY, "there are %d arrays already", MAX_ARRAYS);
}

/* ---- throw-away snapshots of the members ---- */

static int make_covers(const struct walk_env *env, const struct node *n, struct array *a,
		       struct err *e)
{
	const char *devices[MAX_PARENTS];
	uint64_t bytes[MAX_PARENTS];
	char prefix[32];
	size_t i;

	for (i = 0; i < a->in.n; i++) {
		devices[i] = a->in.member[i]->parents[0]->device;
		bytes[i] = a->in.member[i]->parents[0]->bytes;
	}
	snprintf(prefix, sizeof(prefix), "gs-%u-cover", n->id);
	return snapshot_make_set(&a->cover, devices, bytes, a->in.n, prefix, env->work_dir, e);
}

/* ---- the array ---- */

static int assemble(struct walk *w, struct node *n, struct err *e)
{
	static const char *const driver[] = { "md_mod", NULL };
	struct mdarray_member members[MAX_PARENTS];
	struct array *a = n->state;
	cleanup_fd int lock = -1;
	size_t i;
	int rc = take_number(w->env, n, &lock, e);

	if (rc == 0)
		rc = driver_load(w->env, n->id, driver, e);
	for (i = 0; i < a->in.n; i++) {
		const struct node *device = a->in.member[i]->parents[0];

		members[i].device = a->cover ? a->cover[i].device : device->device;
		members[i].name = device->stack;
	}
	return rc < 0 ? rc : mdarray_start(n->device, a->in.super.version, members, a->in.n, e);
}

static int stop(struct node *n, struct err *e)
{
	struct array *a = n->state;
	int rc = mdarray_stop(n->device, e);

	return rc < 0 ? rc : snapshot_drop_set(&a->cover, a->in.n, e);
}

static void note_degraded(struct node *n, const struct array *a)
{
	node_note(n, "degraded",
		  "the array is degraded: %zu of %u members are there and up to date%s; what is on it is "
		  "checked only, nothing is written", a->in.n, a->in.super.raid_disks,
		  a->in.n_stale ? ", others are stale" : "");
}

static int array_open(struct walk *w, struct node *n, struct err *e)
{
	char lock[80];
	const char *names[] = { lock };
	struct array *a = n->state;
	struct err why;
	size_t i;
	int rc;

	snprintf(lock, sizeof(lock), "vg-uuid:md %s", n->uuid);
	rc = w->env->acquire(names, 1, 1, e);
	if (rc < 0)
		return rc;
	n->read_only = false;
	for (i = 0; i < a->in.n; i++)
		n->read_only |= a->in.member[i]->parents[0]->read_only;
	if (a->in.n < a->in.super.raid_disks) {
		n->read_only = true;
		note_degraded(n, a);
	}
	rc = n->read_only ? make_covers(w->env, n, a, e) : 0;
	if (rc == 0)
		rc = assemble(w, n, e);
	if (rc == 0 && !n->read_only && mdarray_missing(n->device))
		rc = err_set_word(e, EIO, "missing-device", "the kernel did not take all its members");
	/* it was started read-only; from here on it waits for a first write */
	if (rc == 0 && !n->read_only)
		rc = blockdev_set_read_only(n->device, false, e);
	if (rc < 0) {
		if (stop(n, &why) < 0)
			log_line("%s: %s", n->stack, why.text);
		n->device[0] = 0;
	}
	return rc;
}

static int array_children(struct walk *w, struct node *n, struct err *e)
{
	(void)w;
	return blockdev_size(n->device, &n->bytes, e);
}

static int array_close(struct walk *w, struct node *n, struct err *e)
{
	(void)w;
	return stop(n, e);
}

/* The report may lie on it. What assembling it has written to the snapshots is written anew. */
static int array_make_writable(struct node *n, struct err *e)
{
	struct array *a = n->state;
	size_t i;

	for (i = 0; a->cover && i < a->in.n; i++)
		if (snapshot_pass_through(&a->cover[i], a->in.member[i]->parents[0]->device,
					  a->in.member[i]->parents[0]->bytes, e) < 0)
			return -e->code;
	return blockdev_set_read_only(n->device, false, e);
}

const struct layer_ops md_ops = {
	.name = "md member", .kind = KIND_MD, .probe = md_probe, .describe = md_describe,
	.gather = md_gather,
};

static const struct layer_ops array_ops = {
	.name = "md array", .kind = KIND_MD, .open = array_open, .children = array_children,
	.close = array_close, .make_writable = array_make_writable,
};
