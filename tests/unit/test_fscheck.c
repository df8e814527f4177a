/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine over a checker of the test's own: which commands it gives in which mode, on the
 * volume or on a snapshot, and what comes of the answers. */
/* link: -Wl,--wrap=checkrun -Wl,--wrap=checkrun_text -Wl,--wrap=trial_run -Wl,--wrap=blockdev_set_read_only */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "blockdev.h"
#include "checkrun.h"
#include "fscheck.h"
#include "trial.h"

/* Answers of the checker, in the order of its runs. */
static struct {
	int exits[16];
	size_t n_exits, runs;
	char events[512];
	bool read_only; /* the kernel holds the volume so */
	bool io_error, pending;
	uint64_t room;         /* below the volume, bytes; 0: without end */
	uint64_t trial_writes; /* bytes */
} world;

static void event(const char *text)
{
	size_t used = strlen(world.events);

	snprintf(world.events + used, sizeof(world.events) - used, "%s%s", used ? " " : "", text);
}

int __wrap_checkrun(struct checkrun *c, const char *const argv[], struct spawn_result *r, struct err *e);
int __wrap_checkrun(struct checkrun *c, const char *const argv[], struct spawn_result *r, struct err *e)
{
	bool volume = strcmp(c->device, "volume") == 0;

	(void)e;
	assert_true(world.runs < world.n_exits);
	assert_string_equal(argv[2], c->device);
	event(volume ? argv[1] + 1 : argv[1]);
	/* a look never finds the volume writable, a command for writing always does */
	if (volume)
		assert_int_equal(world.read_only, strcmp(argv[1], "-look") == 0);
	memset(r, 0, sizeof(*r));
	r->how = world.exits[world.runs] < 0 ? SPAWN_TIMED_OUT : SPAWN_EXITED;
	r->code = world.exits[world.runs++];
	c->io_error = world.io_error;
	return 0;
}

char *__wrap_checkrun_text(const struct checkrun *c, size_t *size);
char *__wrap_checkrun_text(const struct checkrun *c, size_t *size)
{
	(void)c;
	*size = 0;
	return strdup("");
}

int __wrap_blockdev_set_read_only(const char *path, bool read_only, struct err *e);
int __wrap_blockdev_set_read_only(const char *path, bool read_only, struct err *e)
{
	(void)e;
	assert_string_equal(path, "volume");
	assert_int_not_equal(world.read_only, read_only);
	world.read_only = read_only;
	return 0;
}

int __wrap_trial_run(struct walk *w, const struct node *n, int (*work)(const char *, void *, struct err *), void *arg,
		     uint64_t *wrote, struct err *e);
int __wrap_trial_run(struct walk *w, const struct node *n, int (*work)(const char *, void *, struct err *), void *arg,
		     uint64_t *wrote, struct err *e)
{
	(void)w;
	(void)n;
	*wrote = world.trial_writes;
	return work("snapshot", arg, e);
}

static bool is_pending(const char *device)
{
	(void)device;
	return world.pending && world.runs < 2;
}

/* Exit statuses: 0 clean or done, 1 damaged, 2 unsure, 3 by hand, 4 dirty log, 9 nothing said. */
static const struct fs_row look_table[] = {
	{ .exit = 0, .outcome = FS_CLEAN },    { .exit = 1, .outcome = FS_DAMAGED },
	{ .exit = 2, .outcome = FS_UNSURE },   { .exit = 3, .outcome = FS_BY_HAND, .sentence = "by hand" },
	{ .exit = 4, .outcome = FS_DIRTY_LOG }, { .exit = FS_TABLE_END },
};
static const struct fs_row write_table[] = {
	{ .exit = 0, .outcome = FS_DONE },
	{ .exit = 4, .outcome = FS_DIRTY_LOG },
	{ .exit = FS_TABLE_END },
};
static const struct fs_tool both = {
	.name = "fsck", .package = "p", .look = { "/fsck", "-look" }, .preen = { "/fsck", "-preen" },
	.repair = { "/fsck", "-repair" }, .look_table = look_table, .write_table = write_table,
	.is_pending = is_pending,
};
static const struct fs_tool only_repair = {
	.name = "fsck", .package = "p", .look = { "/fsck", "-look" }, .repair = { "/fsck", "-repair" },
	.look_table = look_table, .write_table = write_table,
};

struct story {
	const struct fs_tool *tool;
	enum mode mode;
	bool read_only;
	enum undo undo;
	int exits[16]; /* 99 behind the last */
	const char *commands, *result; /* those on a snapshot with their dash; "verdict code" */
};

#define END 99

static const struct story stories[] = {
	{ &both, MODE_REPAIR, false, UNDO_AUTO, { 0, END }, "look", "clean " },
	/* preen */
	{ &both, MODE_PREEN, false, UNDO_AUTO, { 1, 0, 0, END }, "look preen look", "repaired " },
	{ &both, MODE_PREEN, false, UNDO_AUTO, { 1, 0, 1, END }, "look preen look", "uncorrected needs-repair" },
	{ &only_repair, MODE_PREEN, false, UNDO_AUTO, { 1, END }, "look", "uncorrected needs-repair" },
	/* repair: once preen, then as often as it takes */
	{ &both, MODE_REPAIR, false, UNDO_AUTO, { 1, 0, 1, 0, 1, 0, 0, END }, "look preen look repair look repair look",
	  "repaired " },
	{ &both, MODE_REPAIR, false, UNDO_AUTO, { 1, 0, 1, 0, 1, 0, 1, 0, 1, END },
	  "look preen look repair look repair look repair look", "uncorrected not-converging" },
	{ &only_repair, MODE_REPAIR, false, UNDO_OFF, { 1, 0, 0, END }, "look repair look", "repaired " },
	/* nothing of the volume's own is written to */
	{ &both, MODE_CHECK, true, UNDO_AUTO, { 1, 0, 0, END }, "look -preen -look", "uncorrected would-preen" },
	{ &both, MODE_CHECK, true, UNDO_AUTO, { 1, 0, 1, 0, 0, END }, "look -preen -look -repair -look",
	  "uncorrected needs-repair" },
	{ &only_repair, MODE_CHECK, true, UNDO_REQUIRED, { 1, 0, 0, END }, "look -repair -look", "uncorrected needs-repair" },
	{ &both, MODE_REPAIR, true, UNDO_AUTO, { 1, 0, 0, END }, "look -preen -look", "uncorrected would-preen" },
	/* no undo file, no change; where nothing would be changed none is missed */
	{ &both, MODE_REPAIR, false, UNDO_REQUIRED, { 1, END }, "look", "error no-undo" },
	{ &both, MODE_REPAIR, false, UNDO_REQUIRED, { 0, END }, "look", "clean " },
	{ &only_repair, MODE_PREEN, false, UNDO_REQUIRED, { 1, END }, "look", "uncorrected needs-repair" },
	/* whether it may be written to shows on a snapshot first */
	{ &only_repair, MODE_REPAIR, false, UNDO_AUTO, { 2, 4, END }, "look -repair", "skipped dirty-log" },
	{ &only_repair, MODE_PREEN, false, UNDO_AUTO, { 2, 4, END }, "look -repair", "skipped dirty-log" },
	{ &only_repair, MODE_PREEN, false, UNDO_AUTO, { 2, 0, 0, END }, "look -repair -look", "uncorrected needs-repair" },
	{ &only_repair, MODE_REPAIR, false, UNDO_AUTO, { 2, 0, 0, 0, 0, END }, "look -repair -look repair look", "repaired " },
	{ &both, MODE_PREEN, false, UNDO_AUTO, { 2, 0, 1, 0, 0, END }, "look -preen -look -repair -look",
	  "uncorrected needs-repair" },
	{ &both, MODE_PREEN, false, UNDO_AUTO, { 2, 0, 0, 0, 0, END }, "look -preen -look preen look", "repaired " },
	/* answers that end it */
	{ &both, MODE_REPAIR, false, UNDO_AUTO, { 3, END }, "look", "uncorrected needs-repair" },
	{ &both, MODE_REPAIR, false, UNDO_AUTO, { 4, END }, "look", "skipped dirty-log" },
	{ &both, MODE_REPAIR, false, UNDO_AUTO, { 1, 4, END }, "look preen", "skipped dirty-log" },
	{ &both, MODE_REPAIR, false, UNDO_AUTO, { 9, END }, "look", "error tool-failed" },
	{ &both, MODE_REPAIR, false, UNDO_AUTO, { -1, END }, "look", "error timeout" },
	{ &both, MODE_REPAIR, false, UNDO_AUTO, { 1, 9, END }, "look preen", "error tool-failed" },
	{ &both, MODE_REPAIR, false, UNDO_AUTO, { 1, 0, 9, END }, "look preen look", "error tool-failed" },
};

static uint64_t room(const struct node *n)
{
	(void)n;
	return world.room ? world.room : UINT64_MAX;
}

static void tell(const struct story *s, uint64_t fs_bytes, char result[64])
{
	static const struct layer_ops growing = { .name = "growing", .room = room };
	static const struct walk_env none;
	struct walk_env env = none;
	struct node device = { .device = "volume", .ops = &growing, .read_only = s->read_only };
	struct node n = { .n_parents = 1, .parents = { &device }, .bytes = 1 << 20 };
	struct walk w = { .env = &env };
	struct err e = { 0 };

	memset(world.events, 0, sizeof(world.events));
	world.runs = world.n_exits = 0;
	while (s->exits[world.n_exits] != END) {
		world.exits[world.n_exits] = s->exits[world.n_exits];
		world.n_exits++;
	}
	env.mode = s->mode;
	env.undo = s->undo;
	device.content.fs_bytes = fs_bytes;
	world.read_only = s->read_only;
	if (fscheck(&w, &n, s->tool, &e) < 0)
		node_fail(&n, &e, "tool-failed");
	assert_int_equal(world.read_only, s->read_only);
	snprintf(result, 64, "%s %s", verdict_name(n.verdict), n.code);
}

static void each_story(void **state)
{
	char result[64];
	size_t i;

	(void)state;
	memset(&world, 0, sizeof(world));
	for (i = 0; i < ARRAY_SIZE(stories); i++) {
		tell(&stories[i], 1 << 20, result);
		if (strcmp(result, stories[i].result) != 0 || strcmp(world.events, stories[i].commands) != 0)
			fail_msg("story %zu: %s (%s), not %s (%s)", i, result, world.events, stories[i].result,
				 stories[i].commands);
		assert_int_equal(world.runs, world.n_exits);
	}
}

/* A flag that a look does not tell is something to preen. */
static void pending(void **state)
{
	static const struct story preen = { &both, MODE_PREEN, false, UNDO_AUTO, { 0, 0, 0, END }, "", "" };
	char result[64];

	(void)state;
	memset(&world, 0, sizeof(world));
	world.pending = true;
	tell(&preen, 1 << 20, result);
	assert_string_equal(world.events, "look preen look");
	assert_string_equal(result, "repaired ");
}

static void io_errors(void **state)
{
	static const struct story clean = { &both, MODE_PREEN, false, UNDO_AUTO, { 0, END }, "", "" };
	char result[64];

	(void)state;
	memset(&world, 0, sizeof(world));
	world.io_error = true;
	tell(&clean, 1 << 20, result);
	assert_string_equal(result, "error io-error");
}

/* Where the layers below may run out of room, a trial says whether a repair fits. */
static void little_room(void **state)
{
	static const struct story fits = { &both, MODE_PREEN, false, UNDO_AUTO, { 1, 0, 0, 0, 0, END }, "", "" };
	static const struct story does_not = { &both, MODE_PREEN, false, UNDO_AUTO, { 1, 0, 0, END }, "", "" };
	char result[64];

	(void)state;
	memset(&world, 0, sizeof(world));
	world.room = (16ULL << 20) + 8192;
	world.trial_writes = 4096;
	tell(&fits, 1 << 20, result);
	assert_string_equal(world.events, "look -preen -look preen look");
	assert_string_equal(result, "repaired ");
	world.trial_writes = 4097;
	tell(&does_not, 1 << 20, result);
	assert_string_equal(world.events, "look -preen -look");
	assert_string_equal(result, "uncorrected would-preen");
}

/* Nothing is run on a filesystem that is larger than its device. */
static void cut_off_device(void **state)
{
	static const struct story none = { &both, MODE_REPAIR, false, UNDO_AUTO, { END }, "", "" };
	char result[64];

	(void)state;
	memset(&world, 0, sizeof(world));
	tell(&none, (1 << 20) + 1, result);
	assert_string_equal(result, "error truncated");
	assert_int_equal(world.runs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_story),
		cmocka_unit_test(pending),
		cmocka_unit_test(io_errors),
		cmocka_unit_test(little_room),
		cmocka_unit_test(cut_off_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
