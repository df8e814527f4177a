/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk over fake drivers: in which order it asks them, and that whatever fails where, all
 * that was opened is closed once, newest first, and the other branches go on. */
/* link: -Wl,--wrap=nanosleep -Wl,--wrap=log_line -Wl,--wrap=blockdev_set_read_only */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "walk.h"

/* ---- a world of fake devices: what is on each, and which devices are inside ---- */

struct fake {
	const char *device, *type;
	const char *inside[3];
};

/* d holds two boxes and one half of a group; e is the other half; f is on its own. */
static const struct fake story[] = {
	{ "d", "table", { "d1", "d2", "d3" } },
	{ "d1", "box", { "d1a", "d1b" } },
	{ "d1a", "box", { "d1aa" } },
	{ "d1aa", "box", { "d1aaa" } },
	{ "d1aaa", "leaf", { NULL } },
	{ "d1b", "leaf", { NULL } },
	{ "d2", "leaf", { NULL } },
	{ "d3", "part", { NULL } },
	{ "e", "part", { NULL } },
	{ "group", "", { "g1", "g2" } },
	{ "g1", "leaf", { NULL } },
	{ "g2", "box", { "g2a" } },
	{ "g2a", "leaf", { NULL } },
	{ "f", "leaf", { NULL } },
	{ NULL, NULL, { NULL } },
};

#define GROUP_SIZE 2

static struct {
	const struct fake *fakes;
	const char *fail_verb, *fail_at; /* this verb fails on this device */
	int fail_with;
	int busy;                        /* so many closes of fail_at fail */
	struct node *stuck;              /* the one whose close failed last */
	const char *cancel_at;           /* cancelled once this is opened */
	bool cancelled;
	char events[16384];
	struct node *open[8192];         /* what is open, oldest first */
	size_t n_open;
	unsigned opens, closes, publishes, forgotten, sleeps, content_reads, gathers;
	long slept_ms;
	char logged[1024];
} world;

static const struct fake *fake_of(const char *device)
{
	const struct fake *f = world.fakes;

	while (f->device && strcmp(f->device, device) != 0)
		f++;
	assert_non_null(f->device);
	return f;
}

/* What a node stands on: its parent's device; a group has a name of its own. */
static const char *place_of(const struct node *n)
{
	if (n->kind == KIND_VG)
		return "group";
	return n->device[0] ? n->device : n->parents[0]->device;
}

static void event(const char *verb, const char *place)
{
	size_t used = strlen(world.events);

	snprintf(world.events + used, sizeof(world.events) - used, "%s%s %s", used ? ", " : "", verb,
		 place);
}

static int maybe_fail(const char *verb, const char *place, struct err *e)
{
	event(verb, place);
	if (world.fail_verb && strcmp(world.fail_verb, verb) == 0 &&
	    strcmp(world.fail_at, place) == 0)
		return world.fail_with == EIO ?
			       err_set_word(e, EIO, "fake-code", "%s of %s failed", verb, place) :
			       err_set(e, world.fail_with, "%s of %s failed", verb, place);
	return 0;
}

static int fake_describe(struct walk *w, struct node *n, struct err *e)
{
	(void)w;
	n->state = malloc(8);
	stack_push(n->stack, sizeof(n->stack), n->ops->name);
	return maybe_fail("describe", place_of(n), e);
}

static int fake_open(struct walk *w, struct node *n, struct err *e)
{
	int rc = maybe_fail("open", place_of(n), e);

	(void)w;
	assert_false(n->opened);
	assert_int_equal(n->verdict, VERDICT_NONE);
	if (rc < 0)
		return rc;
	world.open[world.n_open++] = n;
	world.opens++;
	if (world.cancel_at && strcmp(world.cancel_at, place_of(n)) == 0)
		world.cancelled = true;
	return 0;
}

/* Fails behind its first child, not in front of it. */
static int fake_children(struct walk *w, struct node *n, struct err *e)
{
	const struct fake *f = fake_of(place_of(n));
	int rc = maybe_fail("children", place_of(n), e);
	size_t i;

	assert_ptr_equal(world.open[world.n_open - 1], n);
	for (i = 0; i < 3 && f->inside[i]; i++) {
		struct err why;
		struct node *child = walk_add(w, KIND_PARTITION, n, n, f->inside[i], &why);

		assert_non_null(child);
		snprintf(child->device, sizeof(child->device), "%s", f->inside[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int fake_check(struct walk *w, struct node *n, struct err *e)
{
	int rc = maybe_fail("check", place_of(n), e);

	(void)w;
	if (rc == 0)
		n->verdict = VERDICT_CLEAN;
	return rc;
}

/* Only the newest of what is open may be closed, or what is not kept. */
static int fake_close(struct walk *w, struct node *n, struct err *e)
{
	size_t i = world.n_open;

	(void)w;
	event("close", place_of(n));
	if (world.busy && strcmp(world.fail_at, place_of(n)) == 0) {
		world.busy--;
		world.stuck = n;
		return err_set(e, EBUSY, "somebody is in %s", place_of(n));
	}
	while (i > 0 && world.open[i - 1] != n) {
		assert_true(world.open[i - 1]->kept || world.open[i - 1] == world.stuck);
		i--;
	}
	assert_int_not_equal(i, 0);
	memmove(&world.open[i - 1], &world.open[i], (world.n_open - i) * sizeof(world.open[0]));
	world.n_open--;
	world.closes++;
	return 0;
}

static void fake_forget(struct node *n)
{
	free(n->state);
	world.forgotten++;
}

static const struct layer_ops group_ops = {
	.name = "group", .kind = KIND_VG, .open = fake_open, .children = fake_children,
	.close = fake_close,
};

static int fake_gather(struct walk *w, struct node *const *members, size_t n, bool final,
		       struct err *e)
{
	int rc = maybe_fail("gather", "group", e);
	struct node *group;
	struct err why;
	size_t i;

	world.gathers++;
	if (rc < 0 || (n < GROUP_SIZE && !final))
		return rc;
	for (i = 0; i < n; i++)
		node_verdict(members[i], n < GROUP_SIZE ? VERDICT_ERROR : VERDICT_OK,
			     n < GROUP_SIZE ? "missing-device" : "", "%zu of %d", n, GROUP_SIZE);
	if (n < GROUP_SIZE)
		return 0;
	group = walk_add(w, KIND_VG, members[0], members[0], "group", &why);
	assert_non_null(group);
	for (i = 1; i < n; i++)
		node_add_parent(group, members[i]);
	group->ops = &group_ops;
	return 0;
}

#define PROBE(what) \
	static enum claim what##_probe(struct walk *w, struct node *device, struct err *e) \
	{ \
		(void)w; \
		if (strcmp(device->content.type, #what) != 0) \
			return NOT_MINE; \
		return maybe_fail("probe", device->device, e) < 0 ? AMBIGUOUS : MINE; \
	}
PROBE(table)
PROBE(box)
PROBE(part)
PROBE(leaf)
PROBE(suspended)
PROBE(looked)
PROBE(asleep)

static int suspended_describe(struct walk *w, struct node *n, struct err *e)
{
	(void)w;
	(void)e;
	node_verdict(n, VERDICT_SKIPPED, "hibernated", "a suspended system is in it");
	node_forbid(n, "hibernated", "a suspended system is in it");
	return 0;
}

/* Damaged, so that it can't tell whether a suspended system owns it. */
static int asleep_check(struct walk *w, struct node *n, struct err *e)
{
	(void)w;
	(void)e;
	event("check", place_of(n));
	node_verdict(n, VERDICT_UNCORRECTED, "needs-repair", "it is damaged");
	node_forbid(n, "hibernated", "nobody knows");
	return 0;
}

#define OPENS .describe = fake_describe, .open = fake_open, .children = fake_children, \
	.close = fake_close
static const struct layer_ops table = { .name = "table", .kind = KIND_TABLE, .probe = table_probe,
					.forget = fake_forget, OPENS };
static const struct layer_ops box = { .name = "box", .kind = KIND_LUKS, .probe = box_probe, OPENS };
static const struct layer_ops part = { .name = "part", .kind = KIND_PV, .probe = part_probe,
				       .describe = fake_describe, .gather = fake_gather };
static const struct layer_ops leaf = { .name = "leaf", .kind = KIND_FILESYSTEM, .probe = leaf_probe,
				       .describe = fake_describe, .check = fake_check };
static const struct layer_ops suspended = { .name = "suspended", .kind = KIND_SWAP,
					    .probe = suspended_probe,
					    .describe = suspended_describe };
static const struct layer_ops looked = { .name = "looked", .kind = KIND_FILESYSTEM, .probe = looked_probe,
					 .check = fake_check, .looks_only = true };
static const struct layer_ops asleep = { .name = "asleep", .kind = KIND_FILESYSTEM, .probe = asleep_probe,
					 .check = asleep_check, .looks_only = true };
static const struct layer_ops *const registry[] = { &table, &box, &part, &group_ops, &leaf,
						    &suspended, &looked, &asleep, NULL };

/* ---- the environment ---- */

int __wrap_nanosleep(const struct timespec *pause, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *rest)
{
	(void)rest;
	world.sleeps++;
	world.slept_ms += pause->tv_sec * 1000 + pause->tv_nsec / 1000000;
	return 0;
}

int __wrap_blockdev_set_read_only(const char *path, bool read_only, struct err *e);
int __wrap_blockdev_set_read_only(const char *path, bool read_only, struct err *e)
{
	(void)e;
	assert_true(read_only);
	event("hold", path);
	return 0;
}

void __wrap_log_line(const char *fmt, ...) printf_like(1, 2);
void __wrap_log_line(const char *fmt, ...)
{
	size_t used = strlen(world.logged);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(world.logged + used, sizeof(world.logged) - used, fmt, ap);
	va_end(ap);
}

static int fake_content(struct node *n, struct err *e)
{
	const char *type = fake_of(n->device)->type;
	int rc = maybe_fail("read", n->device, e);

	world.content_reads++;
	if (rc < 0)
		return rc;
	snprintf(n->content.type, sizeof(n->content.type), "%s", type[0] == '!' ? type + 1 : type);
	n->content.ambivalent = type[0] == '!';
	snprintf(n->content.uuid, sizeof(n->content.uuid), "uuid-%s", n->device);
	snprintf(n->content.label, sizeof(n->content.label), "label-%s", n->device);
	return 0;
}

static bool fake_cancelled(void)
{
	return world.cancelled;
}

static void fake_publish(struct node *const *nodes, size_t n)
{
	assert_non_null(nodes);
	world.publishes += n;
}

static unsigned next_id;
static struct walk_env env = { .mode = MODE_PREEN, .guest = "guest", .next_id = &next_id,
			       .cancelled = fake_cancelled, .publish = fake_publish,
			       .read_content = fake_content, .registry = registry };

static struct node *add_root(struct walk *w, const char *device)
{
	struct err e;
	struct node *n = walk_add(w, KIND_DISK, NULL, NULL, device, &e);

	assert_non_null(n);
	snprintf(n->device, sizeof(n->device), "%s", device);
	return n;
}

static void begin(struct walk *w, const struct fake *fakes)
{
	memset(&world, 0, sizeof(world));
	world.fakes = fakes;
	env.mode = MODE_PREEN;
	walk_init(w, &env);
}

static void begin_story(struct walk *w)
{
	begin(w, story);
	add_root(w, "d");
	add_root(w, "e");
	add_root(w, "f");
}

static void fail_at(const char *verb, const char *place, int code)
{
	world.fail_verb = verb;
	world.fail_at = place;
	world.fail_with = code;
}

static struct node *layer_on(const struct walk *w, const char *place)
{
	size_t i;

	for (i = 0; i < w->n_nodes; i++)
		if (w->nodes[i]->ops && strcmp(place_of(w->nodes[i]), place) == 0)
			return w->nodes[i];
	return NULL;
}

static struct node *device_called(const struct walk *w, const char *device)
{
	size_t i;

	for (i = 0; i < w->n_nodes; i++)
		if (strcmp(w->nodes[i]->device, device) == 0)
			return w->nodes[i];
	return NULL;
}

static void end_all(struct walk *w)
{
	assert_int_equal(walk_close(w, true), 0);
	assert_int_equal(world.n_open, 0);
	assert_int_equal(world.opens, world.closes);
	assert_int_equal(w->n_opened, 0);
	walk_free(w);
}

/* ---- the tests ---- */

static void the_whole_story(void **state)
{
	struct walk w;
	struct err e;
	size_t i;

	(void)state;
	begin_story(&w);
	assert_int_equal(walk_open(&w, true, &e), 0);
	walk_check(&w);
	assert_int_equal(walk_close(&w, true), 0);
	walk_settle(&w);
	assert_string_equal(world.events,
		"read d, probe d, describe d, read e, probe e, describe e, read f, probe f, describe f, "
		"open d, children d, "
		"read d1, probe d1, describe d1, read d2, probe d2, describe d2, "
		"read d3, probe d3, describe d3, "
		"open d1, children d1, read d1a, probe d1a, describe d1a, read d1b, probe d1b, describe d1b, "
		"open d1a, children d1a, read d1aa, probe d1aa, describe d1aa, "
		"open d1aa, children d1aa, read d1aaa, probe d1aaa, describe d1aaa, "
		"gather group, open group, children group, "
		"read g1, probe g1, describe g1, read g2, probe g2, describe g2, "
		"open g2, children g2, read g2a, probe g2a, describe g2a, "
		"check f, check d2, check d1b, check d1aaa, check g1, check g2a, "
		"close g2, close group, close d1aa, close d1a, close d1, close d");
	assert_int_equal(world.opens, 6);
	for (i = 0; i < w.n_nodes; i++) {
		struct node *n = w.nodes[i];

		assert_int_equal(n->verdict, n->ops == &leaf ? VERDICT_CLEAN : VERDICT_OK);
		assert_string_equal(n->guest, "guest");
		assert_false(n->host);
	}
	assert_string_equal(layer_on(&w, "d1aaa")->stack,
			    "d > table > d1 > box > d1a > box > d1aa > box > d1aaa > leaf");
	assert_string_equal(layer_on(&w, "g2a")->stack, "e > part > group > g2 > box > g2a > leaf");
	assert_string_equal(layer_on(&w, "g2a")->uuid, "uuid-g2a");
	assert_string_equal(layer_on(&w, "g2a")->label, "label-g2a");
	assert_int_equal(layer_on(&w, "group")->n_parents, 2);
	/* all before the checks, each check, and settling all again */
	assert_int_equal(world.publishes, 6 + 2 * w.n_nodes);
	end_all(&w);
	assert_int_equal(world.forgotten, 1);
}

/* true where place is below the place that failed. The halves of the group stand below both. */
static bool is_below(const char *place, const char *failed)
{
	bool group = place[0] == 'g';

	if (strcmp(failed, "group") == 0)
		return group;
	if (group && (strcmp(failed, "e") == 0 || strcmp(failed, "d3") == 0 || strcmp(failed, "d") == 0))
		return true;
	return strncmp(place, failed, strlen(failed)) == 0;
}

static void check_branches(const struct walk *w, const char *verb, const char *failed)
{
	static const char *const leaves[] = { "d1aaa", "d1b", "d2", "g1", "g2a", "f" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		const struct node *n = layer_on(w, leaves[i]);

		if (!is_below(leaves[i], failed)) {
			if (!n || n->verdict != VERDICT_CLEAN)
				fail_msg("%s of %s: %s should be clean", verb, failed, leaves[i]);
		} else if (strcmp(verb, "children") != 0 && n && n->verdict == VERDICT_CLEAN) {
			fail_msg("%s of %s: %s can't be clean", verb, failed, leaves[i]);
		}
	}
}

/* The failed node carries the error; a failed probe or read is its device's. */
static void check_failed(const struct walk *w, const char *verb, const char *place)
{
	bool device = strcmp(verb, "read") == 0 || strcmp(verb, "probe") == 0;
	const struct node *n = device ? device_called(w, place) : layer_on(w, place);
	char text[64];

	snprintf(text, sizeof(text), "%s of %s failed", verb, place);
	assert_non_null(n);
	assert_int_equal(n->verdict, VERDICT_ERROR);
	assert_string_equal(n->code, "fake-code");
	assert_string_equal(n->reason, text);
}

static bool verb_fits(const char *verb, const struct fake *f)
{
	bool opens = strcmp(f->type, "table") == 0 || strcmp(f->type, "box") == 0 || !f->type[0];

	if (strcmp(verb, "open") == 0 || strcmp(verb, "children") == 0)
		return opens;
	if (strcmp(verb, "check") == 0)
		return strcmp(f->type, "leaf") == 0;
	return f->type[0];
}

/* Every verb fails once at every depth. */
static void each_failure_costs_its_branch_alone(void **state)
{
	static const char *const verbs[] = { "read", "probe", "describe", "open", "children", "check" };
	unsigned runs = 0;
	size_t v, i;

	(void)state;
	for (v = 0; v < ARRAY_SIZE(verbs); v++)
		for (i = 0; story[i].device; i++) {
			struct walk w;
			struct err e;

			if (!verb_fits(verbs[v], &story[i]))
				continue;
			begin_story(&w);
			fail_at(verbs[v], story[i].device, EIO);
			assert_int_equal(walk_open(&w, true, &e), 0);
			walk_check(&w);
			assert_int_equal(walk_close(&w, true), 0);
			walk_settle(&w);
			check_failed(&w, verbs[v], story[i].device);
			check_branches(&w, verbs[v], story[i].device);
			end_all(&w);
			runs++;
		}
	assert_int_equal(runs, 3 * 13 + 2 * 6 + 6);
}

/* A name that another guest holds: the walk stops there, and all that is open is closed. */
static void try_again_alone(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; story[i].device; i++) {
		struct walk w;
		struct err e = { 0 };
		unsigned opens;

		if (!verb_fits("open", &story[i]))
			continue;
		begin_story(&w);
		fail_at("open", story[i].device, EAGAIN);
		assert_int_equal(walk_open(&w, true, &e), -EAGAIN);
		assert_int_equal(e.code, EAGAIN);
		assert_non_null(strstr(e.text, story[i].device));
		assert_int_equal(layer_on(&w, story[i].device)->verdict, VERDICT_NONE);
		assert_false(layer_on(&w, story[i].device)->opened);
		opens = world.opens;
		assert_int_equal(opens, world.n_open);
		end_all(&w);
		assert_int_equal(world.closes, opens);
	}
}

static void a_gather_that_fails_ends_the_opening(void **state)
{
	struct walk w;
	struct err e = { 0 };

	(void)state;
	begin_story(&w);
	fail_at("gather", "group", ENOMEM);
	assert_int_equal(walk_open(&w, true, &e), -ENOMEM);
	assert_int_equal(world.opens, 4);
	end_all(&w);
}

static void code_of_its_own_or_the_usual_one(void **state)
{
	struct walk w;
	struct err e;

	(void)state;
	begin_story(&w);
	fail_at("open", "d1", EPERM); /* without a word */
	assert_int_equal(walk_open(&w, true, &e), 0);
	assert_string_equal(layer_on(&w, "d1")->code, "tool-failed");
	end_all(&w);
	begin_story(&w);
	fail_at("read", "d1", EPERM);
	assert_int_equal(walk_open(&w, true, &e), 0);
	assert_string_equal(device_called(&w, "d1")->code, "io-error");
	end_all(&w);
	begin_story(&w);
	fail_at("probe", "d1", EPERM);
	assert_int_equal(walk_open(&w, true, &e), 0);
	assert_string_equal(device_called(&w, "d1")->code, "ambiguous");
	end_all(&w);
}

static void kept_layers_stay_open(void **state)
{
	struct walk w;
	struct err e;

	(void)state;
	begin_story(&w);
	assert_int_equal(walk_open(&w, true, &e), 0);
	layer_on(&w, "d")->kept = layer_on(&w, "d1")->kept = true;
	assert_int_equal(walk_close(&w, false), 0);
	assert_int_equal(world.n_open, 2);
	assert_int_equal(w.n_opened, 2);
	assert_true(layer_on(&w, "d")->opened && layer_on(&w, "d1")->opened);
	assert_false(layer_on(&w, "d1a")->opened);
	assert_int_equal(walk_close(&w, false), 0);
	assert_int_equal(world.closes, 4);
	world.events[0] = 0;
	assert_int_equal(walk_close(&w, true), 0);
	assert_string_equal(world.events, "close d1, close d");
	end_all(&w);
}

/* A group's other half may still turn up. */
static void members_wait_for_the_rest(void **state)
{
	struct walk w;
	struct err e;

	(void)state;
	begin(&w, story);
	add_root(&w, "e");
	assert_int_equal(walk_open(&w, false, &e), 0);
	assert_int_equal(layer_on(&w, "e")->verdict, VERDICT_NONE);
	add_root(&w, "d");
	assert_int_equal(walk_open(&w, false, &e), 0);
	assert_non_null(layer_on(&w, "group"));
	assert_int_equal(layer_on(&w, "e")->verdict, VERDICT_OK);
	assert_true(layer_on(&w, "g2")->opened);
	end_all(&w);

	begin(&w, story);
	add_root(&w, "e");
	assert_int_equal(walk_open(&w, false, &e), 0);
	assert_int_equal(walk_open(&w, true, &e), 0);
	assert_int_equal(layer_on(&w, "e")->verdict, VERDICT_ERROR);
	assert_string_equal(layer_on(&w, "e")->code, "missing-device");
	end_all(&w);
}

static void walking_twice_opens_nothing_twice(void **state)
{
	struct walk w;
	struct err e;

	(void)state;
	begin_story(&w);
	assert_int_equal(walk_open(&w, true, &e), 0);
	assert_int_equal(walk_open(&w, true, &e), 0);
	assert_int_equal(world.opens, 6);
	assert_int_equal(world.content_reads, 13);
	end_all(&w);
}

static void hibernated_guest(void **state)
{
	static const struct fake sleeping[] = {
		{ "d", "table", { "d1", "d2", "d3" } },
		{ "d1", "leaf", { NULL } },
		{ "d2", "box", { "d2a" } },
		{ "d2a", "suspended", { NULL } },
		{ "d3", "leaf", { NULL } },
		{ "e", "part", { NULL } },
		{ "f", "part", { NULL } },
		{ "group", "", { NULL } },
		{ NULL, NULL, { NULL } },
	};
	struct walk w;
	struct err e;

	(void)state;
	begin(&w, sleeping);
	add_root(&w, "d");
	add_root(&w, "e");
	add_root(&w, "f");
	assert_int_equal(walk_open(&w, true, &e), 0);
	/* a group that may write by being opened comes when all else has been looked at */
	assert_non_null(strstr(world.events, "hold d, hold e, hold f, hold d1, hold d2, hold d3, hold d2a, gather"));
	assert_non_null(strstr(world.events, "open group"));
	walk_check(&w);
	assert_null(strstr(world.events, "check"));
	assert_int_equal(layer_on(&w, "d1")->verdict, VERDICT_SKIPPED);
	assert_string_equal(layer_on(&w, "d1")->code, "hibernated");
	assert_string_equal(layer_on(&w, "d3")->code, "hibernated");
	assert_non_null(strstr(layer_on(&w, "d3")->reason, "a suspended system is in it"));
	assert_int_equal(world.publishes, w.n_nodes + 2);
	end_all(&w);
}

/* What is only looked at comes first, and then nothing is written to where that may be asleep. */
static void looks_come_first(void **state)
{
	static const struct fake awake[] = {
		{ "d", "table", { "d1", "d2", "d3" } }, { "d1", "leaf", { NULL } }, { "d2", "looked", { NULL } },
		{ "d3", "leaf", { NULL } },		{ NULL, NULL, { NULL } },
	};
	static const struct fake sleeping[] = {
		{ "d", "table", { "d1", "d2", "d3" } }, { "d1", "leaf", { NULL } }, { "d2", "asleep", { NULL } },
		{ "d3", "looked", { NULL } },		{ NULL, NULL, { NULL } },
	};
	struct walk w;
	struct err e;

	(void)state;
	begin(&w, awake);
	add_root(&w, "d");
	assert_int_equal(walk_open(&w, true, &e), 0);
	walk_check(&w);
	assert_non_null(strstr(world.events, "check d2, check d1, check d3"));
	end_all(&w);

	begin(&w, sleeping);
	add_root(&w, "d");
	assert_int_equal(walk_open(&w, true, &e), 0);
	walk_check(&w);
	assert_non_null(strstr(world.events, "check d2, check d3"));
	assert_null(strstr(world.events, "check d1"));
	assert_string_equal(layer_on(&w, "d1")->code, "hibernated");
	assert_string_equal(layer_on(&w, "d2")->code, "needs-repair");
	assert_int_equal(layer_on(&w, "d3")->verdict, VERDICT_CLEAN);
	end_all(&w);
}

static void listing_checks_nothing(void **state)
{
	struct walk w;
	struct err e;

	(void)state;
	begin_story(&w);
	env.mode = MODE_LIST;
	assert_int_equal(walk_open(&w, true, &e), 0);
	walk_check(&w);
	assert_null(strstr(world.events, "check"));
	assert_int_equal(layer_on(&w, "f")->verdict, VERDICT_SKIPPED);
	assert_string_equal(layer_on(&w, "f")->code, "mode-list");
	end_all(&w);
}

/* Nothing more is opened, though all of it is in sight. */
static void cancelled_while_opening(void **state)
{
	struct walk w;
	struct err e = { 0 };

	(void)state;
	begin_story(&w);
	world.cancel_at = "d1";
	assert_int_equal(walk_open(&w, true, &e), -ETIMEDOUT);
	assert_string_equal(e.word, "timeout");
	assert_int_equal(world.opens, 2);
	end_all(&w);
}

static void cancelled_while_checking(void **state)
{
	struct walk w;
	struct err e;

	(void)state;
	begin_story(&w);
	assert_int_equal(walk_open(&w, true, &e), 0);
	world.cancelled = true;
	walk_check(&w);
	assert_null(strstr(world.events, "check"));
	assert_int_equal(layer_on(&w, "f")->verdict, VERDICT_ERROR);
	assert_string_equal(layer_on(&w, "f")->code, "timeout");
	end_all(&w);
}

static void busy_for_a_while(void **state)
{
	struct walk w;
	struct err e;

	(void)state;
	begin_story(&w);
	assert_int_equal(walk_open(&w, true, &e), 0);
	world.fail_at = "d1a";
	world.busy = 49;
	assert_int_equal(walk_close(&w, true), 0);
	assert_int_equal(world.sleeps, 49);
	assert_int_equal(world.slept_ms, 4900);
	assert_string_equal(world.logged, "");
	walk_settle(&w);
	assert_int_equal(layer_on(&w, "d1a")->verdict, VERDICT_OK);
	end_all(&w);
}

/* What stays busy is named, counted, and does not keep the others from being closed. */
static void busy_for_good(void **state)
{
	struct walk w;
	struct err e;
	struct node *n;

	(void)state;
	begin_story(&w);
	assert_int_equal(walk_open(&w, true, &e), 0);
	world.fail_at = "d1a";
	world.busy = 1000;
	assert_int_equal(walk_close(&w, true), 1);
	assert_int_equal(world.busy, 950);
	assert_int_equal(world.closes, 5);
	n = layer_on(&w, "d1a");
	assert_true(n->opened);
	assert_int_equal(n->verdict, VERDICT_ERROR);
	assert_string_equal(n->code, "teardown");
	assert_string_equal(n->reason, "could not be closed: somebody is in d1a");
	assert_non_null(strstr(world.logged, "d1 > box > d1a > box: still open after 50 tries"));
	assert_int_equal(walk_close(&w, true), 0); /* it is not tried for ever */
	walk_settle(&w);
	assert_int_equal(n->verdict, VERDICT_ERROR);
	walk_free(&w);
}

static void two_claims_on_one_device(void **state)
{
	static const struct fake contested[] = {
		{ "d", "table", { "d1", "d2" } },
		{ "d1", "!leaf", { NULL } },
		{ "d2", "leaf", { NULL } },
		{ NULL, NULL, { NULL } },
	};
	struct walk w;
	struct err e;

	(void)state;
	begin(&w, contested);
	add_root(&w, "d");
	assert_int_equal(walk_open(&w, true, &e), 0);
	walk_check(&w);
	assert_null(layer_on(&w, "d1"));
	assert_null(strstr(world.events, "probe d1"));
	assert_int_equal(device_called(&w, "d1")->verdict, VERDICT_ERROR);
	assert_string_equal(device_called(&w, "d1")->code, "ambiguous");
	assert_int_equal(layer_on(&w, "d2")->verdict, VERDICT_CLEAN);
	end_all(&w);
}

static void what_nobody_checked_is_an_error(void **state)
{
	struct walk w;
	struct err e;

	(void)state;
	begin_story(&w);
	assert_int_equal(walk_open(&w, true, &e), 0);
	walk_settle(&w);
	assert_int_equal(layer_on(&w, "f")->verdict, VERDICT_ERROR);
	assert_int_equal(layer_on(&w, "d1")->verdict, VERDICT_OK);
	end_all(&w);
}

static void adopting(void **state)
{
	struct walk host, w;
	struct node *volume, *n;
	struct err e;
	unsigned id;

	(void)state;
	begin(&host, story);
	host.host = true;
	volume = add_root(&host, "d1");
	volume->kind = KIND_LV;
	volume->bytes = 4096;
	volume->read_only = true;
	snprintf(volume->guest, sizeof(volume->guest), "host");
	assert_int_equal(walk_open(&host, true, &e), 0);
	assert_true(is_volume(volume));
	assert_int_equal(world.content_reads, 0); /* an LV is a volume, whatever is on it */
	volume->content_known = true;
	walk_init(&w, &env);
	n = walk_adopt(&w, volume, &e);
	assert_non_null(n);
	id = volume->id;
	assert_int_equal(n->id, id);
	assert_string_equal(n->guest, "guest");
	assert_string_equal(n->device, "d1");
	assert_string_equal(n->stack, volume->stack);
	assert_int_equal(n->bytes, 4096);
	assert_true(n->read_only && n->volume && volume->host);
	assert_false(n->host || n->probed || n->opened || n->kept);
	assert_int_equal(walk_open(&w, true, &e), 0);
	walk_check(&w);
	assert_int_equal(layer_on(&w, "d1aaa")->verdict, VERDICT_CLEAN);
	assert_string_equal(layer_on(&w, "d1aaa")->guest, "guest");
	end_all(&w);
	assert_int_equal(walk_close(&host, true), 0);
	walk_free(&host);
}

/* From which content of which device the host walk goes on. */
static void the_host_walk_stops_at_volumes(void **state)
{
	static const struct fake devices[] = {
		{ "table", "table", { NULL } }, { "box", "box", { NULL } }, { "part", "part", { NULL } },
		{ "leaf", "leaf", { NULL } },   { NULL, NULL, { NULL } },
	};
	static const struct {
		enum kind device;
		const char *goes_on;
	} rows[] = {
		{ KIND_DISK, "table box part" }, { KIND_MD, "table box part" },
		{ KIND_PARTITION, "box part" },  { KIND_LUKS, "part" },
		{ KIND_LV, "" },                 { KIND_IMAGE, "" },
	};
	size_t r, i;

	(void)state;
	for (r = 0; r < ARRAY_SIZE(rows); r++)
		for (i = 0; devices[i].device; i++) {
			bool goes_on = strstr(rows[r].goes_on, devices[i].device) != NULL;
			struct node *root;
			struct walk w;
			struct err e;

			begin(&w, devices);
			w.host = true;
			root = add_root(&w, devices[i].device);
			root->kind = rows[r].device;
			assert_int_equal(walk_open(&w, false, &e), 0);
			if (is_volume(root) == goes_on || (w.n_nodes == 1) == goes_on)
				fail_msg("%s on a %s", devices[i].device, kind_name(root->kind));
			assert_true(root->host);
			end_all(&w);
		}
}

/* More parents than there is room for are left out, not written behind it. */
static void many_parents(void **state)
{
	struct walk w;
	struct node *n, *parent;
	unsigned i;

	(void)state;
	begin(&w, story);
	parent = add_root(&w, "e");
	n = add_root(&w, "f");
	for (i = 0; i < MAX_PARENTS + 3; i++)
		node_add_parent(n, parent);
	assert_int_equal(n->n_parents, MAX_PARENTS);
	walk_free(&w);
}

/* Stacks deeper than their text has room for are cut, and still walked. */
static void too_deep_for_words(void **state)
{
	enum { DEPTH = 40 };
	static char names[DEPTH + 1][64];
	static struct fake deep[DEPTH + 2];
	struct walk w;
	struct err e;
	int i;

	(void)state;
	for (i = 0; i <= DEPTH; i++) {
		snprintf(names[i], sizeof(names[i]), "a-rather-long-name-of-a-device-number-%d", i);
		deep[i].device = names[i];
		deep[i].type = i < DEPTH ? "box" : "leaf";
		deep[i].inside[0] = i < DEPTH ? names[i + 1] : NULL;
	}
	begin(&w, deep);
	add_root(&w, names[0]);
	assert_int_equal(walk_open(&w, true, &e), 0);
	assert_int_equal(world.opens, DEPTH);
	walk_check(&w);
	assert_int_equal(layer_on(&w, names[DEPTH])->verdict, VERDICT_CLEAN);
	assert_true(strlen(layer_on(&w, names[DEPTH])->stack) == sizeof(w.nodes[0]->stack) - 1);
	end_all(&w);
}

/* A box that holds itself, as a partition table can: the walk comes to an end, and all is closed. */
static void a_box_in_itself(void **state)
{
	static const struct fake fakes[] = { { "d", "box", { "d" } }, { NULL, NULL, { NULL } } };
	struct walk w;
	struct err e;
	struct node *last;

	(void)state;
	begin(&w, fakes);
	add_root(&w, "d");
	assert_int_equal(walk_open(&w, true, &e), 0);
	last = w.nodes[w.n_nodes - 1];
	assert_int_equal(last->verdict, VERDICT_ERROR);
	assert_string_equal(last->code, "unsupported");
	assert_true(world.opens > 40 && world.opens < 64);
	end_all(&w);
}

/* Each box holds three: their number comes to an end before their depth does. */
static void boxes_without_number(void **state)
{
	static const struct fake fakes[] = { { "d", "box", { "d", "d", "d" } }, { NULL, NULL, { NULL } } };
	struct walk w;
	struct err e;

	(void)state;
	begin(&w, fakes);
	add_root(&w, "d");
	assert_int_equal(walk_open(&w, true, &e), 0);
	assert_true(w.n_nodes > 10000 && w.n_nodes < 10100);
	assert_string_equal(w.nodes[w.n_nodes - 1]->code, "unsupported");
	end_all(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_story),
		cmocka_unit_test(each_failure_costs_its_branch_alone),
		cmocka_unit_test(try_again_alone),
		cmocka_unit_test(a_gather_that_fails_ends_the_opening),
		cmocka_unit_test(code_of_its_own_or_the_usual_one),
		cmocka_unit_test(kept_layers_stay_open),
		cmocka_unit_test(members_wait_for_the_rest),
		cmocka_unit_test(walking_twice_opens_nothing_twice),
		cmocka_unit_test(hibernated_guest),
		cmocka_unit_test(looks_come_first),
		cmocka_unit_test(listing_checks_nothing),
		cmocka_unit_test(cancelled_while_opening),
		cmocka_unit_test(cancelled_while_checking),
		cmocka_unit_test(busy_for_a_while),
		cmocka_unit_test(busy_for_good),
		cmocka_unit_test(two_claims_on_one_device),
		cmocka_unit_test(what_nobody_checked_is_an_error),
		cmocka_unit_test(adopting),
		cmocka_unit_test(the_host_walk_stops_at_volumes),
		cmocka_unit_test(many_parents),
		cmocka_unit_test(too_deep_for_words),
		cmocka_unit_test(a_box_in_itself),
		cmocka_unit_test(boxes_without_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
