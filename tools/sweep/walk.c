/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guard.h"
#include "held.h"
#include "log.h"
#include "undoplan.h"

#define CLOSE_TRIES 50
#define CLOSE_LIMIT_S 10
#define CLOSE_PAUSE_MS 100

/* What a disk of a guest can ask for at most: a table may lie in a partition without end. */
#define MAX_DEPTH 100   /* nodes, each inside the one before */
#define MAX_NODES 10000 /* in one guest */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

bool is_volume(const struct node *n)
{
	return n->volume && n->verdict == VERDICT_NONE;
}

bool is_on_volume(const struct node *n)
{
	const struct node *device = n->parents[0];

	while (device->kind == KIND_LUKS)
		device = device->parents[0];
	return device->volume && device->kind != KIND_IMAGE;
}

static bool is_told(const struct node *n)
{
	return !n->handed_over && !n->hidden;
}

void walk_tell(const struct walk *w, struct node *n)
{
	if (is_told(n))
		w->env->publish(&n, 1);
}

void walk_tell_all(const struct walk *w)
{
	struct node **told = malloc((w->n_nodes + 1) * sizeof(*told));
	size_t n = 0, i;

	for (i = 0; i < w->n_nodes; i++)
		if (!told)
			walk_tell(w, w->nodes[i]);
		else if (is_told(w->nodes[i]))
			told[n++] = w->nodes[i];
	if (n)
		w->env->publish(told, n);
	free(told);
}

/* Which content the host's own layers go on into; whatever else a device of the
 * host holds is a guest's volume or a filesystem. */
static bool is_host_layer(const struct node *device, const struct layer_ops *ops)
{
	bool whole = device->kind == KIND_DISK || device->kind == KIND_MD;
	bool part = whole || device->kind == KIND_PARTITION;

	switch (ops->kind) {
	case KIND_TABLE:
		return whole;
	case KIND_LUKS:
	case KIND_MD:
		return part;
	case KIND_PV:
		return part || device->kind == KIND_LUKS;
	default:
		return false;
	}
}

static const struct layer_ops *claimed_by(struct walk *w, struct node *device, struct err *e)
{
	const struct layer_ops *const *ops;

	if (device->content.ambivalent) {
		err_set_word(e, EINVAL, "ambiguous",
			     "two signatures claim it%s%s; it is left alone",
			     device->content.type[0] ? ", a partition table and " : "",
			     device->content.type);
		return NULL;
	}
	for (ops = w->env->registry; *ops; ops++) {
		if (!(*ops)->probe)
			continue;
		switch ((*ops)->probe(w, device, e)) {
		case NOT_MINE:
			continue;
		case MINE:
			return *ops;
		case AMBIGUOUS:
			return NULL;
		}
	}
	err_set(e, ENOENT, "no driver for its content");
	return NULL;
}

/* Names what is on the device. Returns 1 where that is opened or checked next, else 0 or -ENOMEM. */
static int name_content(struct walk *w, struct node *device, struct err *e)
{
	const struct layer_ops *ops;
	struct err why = { 0 };
	struct node *n;

	if (w->env->read_content(device, &why) < 0) {
		node_fail(device, &why, "io-error");
		return 0;
	}
	device->content_known = true;
	if (device->content.suspended)
		node_forbid(device, "hibernated",
			    "it holds a suspended system, which still owns this guest's filesystems; resume it "
			    "and shut it down");
	ops = claimed_by(w, device, &why);
	if (!ops) {
		node_fail(device, &why, "ambiguous");
		return 0;
	}
	if (w->host && !is_host_layer(device, ops)) {
		device->volume = true;
		return 0;
	}
	n = walk_add(w, ops->kind, device, device, NULL, e);
	if (!n)
		return -ENOMEM;
	n->ops = ops;
	n->bytes = device->bytes;
	memcpy(n->uuid, device->content.uuid, sizeof(n->uuid));
	memcpy(n->label, device->content.label, sizeof(device->content.label));
	if (ops->describe && ops->describe(w, n, &why) < 0)
		node_fail(n, &why, "tool-failed");
	return n->verdict == VERDICT_NONE && (ops->open || ops->check);
}

static int probe(struct walk *w, struct node *device, struct err *e)
{
	int rc;

	device->probed = true;
	if (w->host && device->kind == KIND_LV) {
		device->volume = true;
		return 0;
	}
	if (!w->host)
		device_hold(device);
	rc = name_content(w, device, e);
	if (rc <= 0)
		device_let_go(device);
	return rc < 0 ? rc : 0;
}

static void let_go_below(struct node *n)
{
	size_t i;

	for (i = 0; i < n->n_parents; i++)
		device_let_go(n->parents[i]);
}

static int open_now(struct walk *w, struct node *n, struct err *why)
{
	int rc;

	if (w->env->opening)
		w->env->opening(n);
	rc = n->ops->open(w, n, why);
	if (rc < 0)
		return rc;
	n->opened = true;
	w->opened[w->n_opened++] = n;
	return n->ops->children ? n->ops->children(w, n, why) : 0;
}

/* Opens a layer and names what is inside. Its failure is its verdict, unless it
 * only has to be tried again. */
static int open_layer(struct walk *w, struct node *n, struct err *e)
{
	struct err why = { 0 };
	double start = now();
	int rc = open_now(w, n, &why);

	let_go_below(n);
	if (rc == -EAGAIN && !n->opened) {
		*e = why;
		return rc;
	}
	if (rc < 0 && n->verdict == VERDICT_NONE)
		node_fail(n, &why, "tool-failed");
	n->seconds = now() - start;
	return 0;
}

static bool is_openable(const struct node *n)
{
	return n->ops && n->ops->open && !n->opened && n->verdict == VERDICT_NONE;
}

/* Asks a driver to make groups of all members found so far. */
static int gather(struct walk *w, const struct layer_ops *ops, bool final, struct err *e)
{
	struct node **members = NULL;
	size_t n = 0, i;
	int rc = 0;

	for (i = 0; i < w->n_nodes; i++) {
		if (w->nodes[i]->ops != ops || w->nodes[i]->verdict != VERDICT_NONE)
			continue;
		if (nodes_grow(&members, n) < 0) {
			rc = err_set(e, ENOMEM, "no memory to group the members");
			break;
		}
		members[n++] = w->nodes[i];
	}
	if (n && rc == 0)
		rc = ops->gather(w, members, n, final, e);
	free(members);
	return rc;
}

static int gather_all(struct walk *w, bool final, struct err *e)
{
	const struct layer_ops *const *ops;
	int rc;

	for (ops = w->env->registry; *ops; ops++) {
		rc = (*ops)->gather ? gather(w, *ops, final, e) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int stop_if_cancelled(const struct walk *w, struct err *e)
{
	return w->env->cancelled() ? err_set_word(e, ETIMEDOUT, "timeout", "ended by the deadline") : 0;
}

int walk_open_volumes(struct walk *w, struct err *e)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < w->n_nodes && rc == 0; i++) {
		struct node *n = w->nodes[i];
		bool own = n->kind == KIND_LUKS && is_on_volume(n);

		if (own && is_openable(n))
			rc = stop_if_cancelled(w, e);
		if (rc == 0 && own && is_openable(n))
			rc = open_layer(w, n, e);
		if (rc == 0 && n->device[0] && !n->probed && n->verdict == VERDICT_NONE && (n->volume || own))
			rc = probe(w, n, e);
	}
	return rc;
}

/* true where n is not gone into, because there may be no end of it; its verdict says so then. */
static bool is_endless(const struct walk *w, struct node *n)
{
	const struct node *below = n;
	unsigned depth = 0;

	for (; below->n_parents && depth <= MAX_DEPTH; below = below->parents[0])
		depth++;
	if (depth > MAX_DEPTH)
		node_verdict(n, VERDICT_ERROR, "unsupported",
			     "more than %d layers lie inside one another; this one is not gone into", MAX_DEPTH);
	else if (!w->host && w->n_nodes > MAX_NODES)
		node_verdict(n, VERDICT_ERROR, "unsupported",
			     "the guest's disks hold more than %d layers; this one is not gone into", MAX_NODES);
	return n->verdict != VERDICT_NONE;
}

/* One pass over all nodes, those that turn up on the way too: probes and opens.
 * Returns whether anything was new. */
static int step(struct walk *w, struct err *e)
{
	bool changed = false;
	size_t i;

	for (i = 0; i < w->n_nodes; i++) {
		struct node *n = w->nodes[i];

		int rc = 0;

		if (n->device[0] && !n->probed && n->verdict == VERDICT_NONE && !is_endless(w, n)) {
			changed = true;
			rc = probe(w, n, e);
		}
		if (rc == 0 && is_openable(n) && !is_endless(w, n)) {
			changed = true;
			rc = stop_if_cancelled(w, e);
			if (rc == 0)
				rc = open_layer(w, n, e);
		}
		if (rc < 0)
			return rc;
	}
	return changed;
}

int walk_open(struct walk *w, bool final, struct err *e)
{
	size_t before;
	int rc;

	do {
		do
			rc = step(w, e);
		while (rc > 0 && (rc = stop_if_cancelled(w, e)) == 0);
		if (rc < 0)
			return rc;
		before = w->n_nodes;
		/* an array or a group may write to its members by being opened */
		if (guard_find(w))
			guard_hold(w);
		rc = gather_all(w, false, e);
		if (rc == 0 && final && w->n_nodes == before)
			rc = gather_all(w, true, e);
		if (rc < 0)
			return rc;
	} while (w->n_nodes > before);
	return 0;
}

/* Where repairs are taken back, only what the way to them leads through is checked, and what tells whether the
 * guest is off. */
static int check_or_undo(struct walk *w, struct node *n, struct err *e)
{
	const struct undoplan *plan = w->env->plan;

	if (!plan || n->ops->looks_only || undoplan_leads_through(plan, n))
		return n->ops->check(w, n, e);
	return undoplan_apply(plan, w, n, e);
}

static void check_one(struct walk *w, struct node *n, const struct node *forbidding)
{
	struct err why = { 0 };
	double start = now();

	let_go_below(n);
	if (w->env->cancelled()) {
		node_verdict(n, VERDICT_ERROR, "timeout",
			     "not checked: the time for its guest's sweep, or for all, was over");
	} else if (w->env->mode == MODE_LIST) {
		node_verdict(n, VERDICT_SKIPPED, "mode-list", "listed, not checked");
	} else if (forbidding) {
		guard_tell(n, forbidding);
	} else if (w->env->may_check && w->env->may_check(n, &why) < 0) {
		node_verdict(n, VERDICT_SKIPPED, "quarantined", "%s", why.text);
	} else if (check_or_undo(w, n, &why) < 0) {
		node_fail(n, &why, "tool-failed");
	}
	n->seconds = now() - start;
	walk_tell(w, n);
}

bool walk_check_early(struct walk *w, struct node *n)
{
	const struct walk_env *env = w->env;
	struct walk_env looking = *env;
	struct err why = { 0 };
	double start = now();

	if (env->mode == MODE_LIST)
		return true;
	let_go_below(n);
	looking.mode = MODE_CHECK;
	w->env = &looking;
	if (n->ops->check(w, n, &why) < 0)
		node_fail(n, &why, "tool-failed");
	w->env = env;
	n->seconds = now() - start;
	if (n->verdict == VERDICT_CLEAN)
		return true;
	if (env->mode > MODE_CHECK)
		node_verdict(n, VERDICT_NONE, "", "%s", "");
	return false;
}

static void check_all(struct walk *w, bool looks_only, const struct node *forbidding)
{
	size_t i;

	for (i = 0; i < w->n_nodes; i++) {
		struct node *n = w->nodes[i];

		if (n->ops && n->ops->check && n->ops->looks_only == looks_only && n->verdict == VERDICT_NONE)
			check_one(w, n, forbidding);
	}
}

void walk_check(struct walk *w)
{
	walk_tell_all(w);
	check_all(w, true, guard_find(w));
	check_all(w, false, guard_ask(w));
}

static void enter(struct walk *w, struct node *n)
{
	const struct layer_ops *const *ops;
	struct err why = { 0 };
	int rc = 0;

	for (ops = w->env->registry; *ops && rc == 0; ops++)
		rc = (*ops)->enter ? (*ops)->enter(w, n, &why) : 0;
	if (rc > 0)
		rc = open_now(w, n, &why);
	if (rc < 0)
		node_note(n, "not-opened", "its disk images are not looked into: %s", why.text);
	walk_tell(w, n);
}

void walk_enter(struct walk *w)
{
	size_t n = w->n_nodes, i;

	for (i = 0; i < n && !w->env->cancelled(); i++)
		if (w->nodes[i]->kind == KIND_FILESYSTEM && is_on_volume(w->nodes[i]))
			enter(w, w->nodes[i]);
}

int walk_look_into(struct walk *w, struct node *n, struct err *e)
{
	n->ops = walk_driver(w, KIND_HOSTFS);
	return n->ops->children(w, n, e);
}

static bool close_layer(struct walk *w, struct node *n)
{
	const struct timespec pause = { .tv_nsec = CLOSE_PAUSE_MS * 1000000L };
	double end = now() + CLOSE_LIMIT_S;
	struct err why = { 0 };
	int i;

	/* what a driver waits for by itself counts too */
	for (i = 0; i < CLOSE_TRIES && now() < end; i++) {
		if (n->ops->close(w, n, &why) == 0) {
			n->opened = false;
			return true;
		}
		nanosleep(&pause, NULL);
	}
	log_line("%s: still open after %d tries: %s", n->stack, i, why.text);
	if (n->verdict == VERDICT_NONE)
		node_verdict(n, VERDICT_ERROR, "teardown", "could not be closed: %s", why.text);
	return false;
}

unsigned walk_close(struct walk *w, bool kept_too)
{
	size_t i = w->n_opened, kept = 0;
	unsigned left = 0;
	size_t k;

	for (k = 0; k < w->n_nodes; k++)
		device_let_go(w->nodes[k]);
	while (i-- > 0)
		if ((kept_too || !w->opened[i]->kept) && !close_layer(w, w->opened[i]))
			left++;
	for (i = 0; i < w->n_opened; i++)
		if (w->opened[i]->kept && w->opened[i]->opened)
			w->opened[kept++] = w->opened[i];
	w->n_opened = kept;
	return left;
}

void walk_settle(struct walk *w)
{
	size_t i;

	for (i = 0; i < w->n_nodes; i++) {
		struct node *n = w->nodes[i];

		if (n->verdict == VERDICT_NONE) {
			if (n->ops && n->ops->check)
				node_verdict(n, VERDICT_ERROR, "tool-failed", "it was never checked");
			else
				n->verdict = VERDICT_OK;
		}
	}
	walk_tell_all(w);
}
