/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * md arrays (Linux software RAID) and their members.
 *
 * Recognises  members by their superblock, metadata 0.90 to 1.2.
 * Uses        mdadm to assemble, the kernel to stop; its own reading of the superblocks before.
 * open        assembles an array from its members, read-only at first; writable, once it is
 *             known to be whole, where the mode and the members are. The kernel then writes to
 *             the members no sooner than somebody writes to the array.
 * close       stops it.
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
#include "log.h"
#include "mdarray.h"
#include "mdsuper.h"
#include "registry.h"
#include "spawn.h"
#include "walk.h"

#define MDADM "/usr/bin/mdadm"
#define LOG_LIMIT (1u << 20)
#define COMMAND_LIMIT_S 60

struct array {
	const struct node *member[MAX_PARENTS]; /* those that are up to date, in the order found */
	size_t n_members;
	unsigned n_stale;
	struct mdsuper super; /* the newest */
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
	rc = mdsuper_read(device->device, device->bytes, device->content.version, super, e);
	if (rc < 0)
		return rc;
	snprintf(n->uuid, sizeof(n->uuid), "%d", super->role);
	/* the array is the node; its members are devices that are there already */
	n->hidden = true;
	return 0;
}

static const struct mdsuper *super_of(const struct node *member)
{
	return member->state;
}

/* "host:0" was /dev/md0, "host:data" was /dev/md/data. */
static void name_array(struct node *n, const struct mdsuper *s)
{
	const char *colon = strchr(s->name, ':');
	const char *own = colon ? colon + 1 : s->name;
	char escaped[80];

	escape_text(escaped, sizeof(escaped), own);
	if (!own[0])
		snprintf(n->name, sizeof(n->name), "md%d", s->preferred_minor);
	else if (strspn(own, "0123456789") == strlen(own))
		snprintf(n->name, sizeof(n->name), "md%s", own);
	else
		snprintf(n->name, sizeof(n->name), "md/%s", escaped);
}

static const char *level_name(const struct mdsuper *s, char *buf, size_t size)
{
	if (s->level == -1)
		return "linear";
	snprintf(buf, size, "raid%d", s->level);
	return buf;
}

/* Counts of changes that differ by one are those of a power cut between two writes (mdadm's rule). */
static bool is_current(const struct mdsuper *s, uint64_t newest)
{
	return s->role >= 0 && s->events + 1 >= newest && !s->is_recovering;
}

static void collect(struct array *a, const struct node *const *same, size_t n)
{
	uint64_t newest = 0;
	size_t i, k;

	for (i = 0; i < n; i++)
		if (i == 0 || super_of(same[i])->events > newest) {
			newest = super_of(same[i])->events;
			a->super = *super_of(same[i]);
		}
	for (i = 0; i < n; i++) {
		bool taken = !is_current(super_of(same[i]), newest);

		a->n_stale += super_of(same[i])->role >= 0 && taken;
		for (k = 0; k < a->n_members && !taken; k++)
			taken = super_of(a->member[k])->role == super_of(same[i])->role;
		if (!taken && a->n_members < MAX_PARENTS)
			a->member[a->n_members++] = same[i];
	}
}

static bool has_copies(const struct node *const *same, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			if (super_of(same[i])->role >= 0 &&
			    super_of(same[i])->role == super_of(same[k])->role &&
			    super_of(same[i])->events == super_of(same[k])->events)
				return true;
	return false;
}

/* How many members an array of this level needs at least; RAID 10 decides by its layout. */
static unsigned least_members(const struct mdsuper *s)
{
	switch (s->level) {
	case 1:
	case 10:
		return 1;
	case 4:
	case 5:
		return s->raid_disks - 1;
	case 6:
		return s->raid_disks - 2;
	default:
		return s->raid_disks;
	}
}

static void judge(struct node *n, const struct array *a, bool copies, bool last_try)
{
	const struct mdsuper *s = &a->super;

	if (copies)
		node_verdict(n, VERDICT_ERROR, "ambiguous",
			     "two devices claim to be the same member of this array; one may be a copy");
	else if (s->is_reshaping)
		node_verdict(n, VERDICT_SKIPPED, "in-use",
			     "its shape is being changed; let the host finish that first");
	else if (s->has_journal)
		node_verdict(n, VERDICT_SKIPPED, "unsupported",
			     "it has a write journal, which would be replayed; only the host does that");
	else if (s->level != -1 && s->level != 0 && s->level != 1 && s->level != 4 && s->level != 5 &&
		 s->level != 6 && s->level != 10)
		node_verdict(n, VERDICT_SKIPPED, "unsupported", "an array of level %d", s->level);
	else if (a->n_members < least_members(s) || (a->n_members < s->raid_disks && !last_try))
		node_verdict(n, VERDICT_ERROR, "missing-device",
			     "%zu of its %u members are there and up to date; it is not started",
			     a->n_members, s->raid_disks);
}

/* The array of these members becomes a node; its parents are all of them. */
static int add_array(struct walk *w, const struct node *const *same, size_t n, bool last_try,
		     struct err *e)
{
	struct array *a = calloc(1, sizeof(*a));
	struct node *first = (struct node *)same[0], *array;
	char level[16];
	size_t i;

	if (!a)
		return err_set(e, ENOMEM, "no memory for an array");
	collect(a, same, n);
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
	name_array(array, &a->super);
	snprintf(array->type, sizeof(array->type), "%s", level_name(&a->super, level, sizeof(level)));
	snprintf(array->uuid, sizeof(array->uuid), "%s", a->super.uuid);
	if (array->host)
		stack_push(array->stack, sizeof(array->stack), array->name);
	judge(array, a, has_copies(same, n), last_try);
	return 0;
}

static bool is_whole(const struct node *const *same, size_t n)
{
	struct array a = { .n_members = 0 };

	collect(&a, same, n);
	return a.n_members == a.super.raid_disks;
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
			    strcmp(super_of(members[k])->uuid, super_of(members[i])->uuid) == 0)
				same[found++] = members[k];
		if (final || is_whole(same, found))
			rc = add_array(w, same, found, last_try, e);
	}
	free(same);
	return rc;
}

static int mdadm(const struct walk_env *env, unsigned id, const char *const argv[], struct err *e)
{
	struct spawn_options o = { .timeout_s = COMMAND_LIMIT_S, .log_limit = LOG_LIMIT,
				   .cancelled = env->cancelled };
	char log[256], how[300];
	struct spawn_result r;
	int rc;

	snprintf(log, sizeof(log), "%s/%03u-mdadm.txt", env->log_dir, id);
	o.log_path = log;
	rc = spawn_run(argv, &o, &r, e);
	if (rc == 0 && (r.how != SPAWN_EXITED || r.code != 0))
		rc = err_set_word(e, EIO, "tool-failed", "%s", spawn_describe(&r, how, sizeof(how)));
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

static int assemble(struct walk *w, struct node *n, struct err *e)
{
	const char *argv[MAX_PARENTS + 16] = { MDADM, "--assemble", n->device, "--config=none",
					       "--readonly", "--run" };
	struct array *a = n->state;
	cleanup_fd int lock = -1;
	size_t words = 6, i;
	int rc = take_number(w->env, n, &lock, e);

	if (rc < 0)
		return rc;
	for (i = 0; i < a->n_members; i++)
		argv[words++] = a->member[i]->parents[0]->device;
	return mdadm(w->env, n->id, argv, e);
}

static void note_degraded(struct node *n, const struct array *a)
{
	node_note(n, "degraded",
		  "the array is degraded: %zu of %u members are there and up to date%s; what is on it is "
		  "checked only, nothing is written", a->n_members, a->super.raid_disks,
		  a->n_stale ? ", others are stale" : "");
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
	for (i = 0; i < a->n_members; i++)
		n->read_only |= a->member[i]->parents[0]->read_only;
	rc = assemble(w, n, e);
	if (rc == 0 && (a->n_members < a->super.raid_disks || mdarray_missing(n->device))) {
		n->read_only = true;
		note_degraded(n, a);
	}
	/* it was started read-only; from here on it waits for a first write */
	if (rc == 0 && !n->read_only)
		rc = blockdev_set_read_only(n->device, false, e);
	if (rc < 0) {
		if (mdarray_stop(n->device, &why) < 0)
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
	return mdarray_stop(n->device, e);
}

const struct layer_ops md_ops = {
	.name = "md member", .kind = KIND_MD, .probe = md_probe, .describe = md_describe,
	.gather = md_gather,
};

static const struct layer_ops array_ops = {
	.name = "md array", .kind = KIND_MD, .open = array_open, .children = array_children,
	.close = array_close,
};
