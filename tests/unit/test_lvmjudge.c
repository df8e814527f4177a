/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's words on raids, pools, caches and snapshots mean for the volumes made of
 * them. The status lines are the kernel's own, seen in Linux 6.12. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lvmjudge.h"

#define MIB (1024ULL * 1024)

/* ---- a world of mappings: each volume is "v" and its number, a mapping uses others ---- */

static struct group g;
static struct volume volume[8];
static struct dm_mapping mapping[16];
static size_t n_mappings;

static void begin(bool read_only)
{
	memset(&g, 0, sizeof(g));
	memset(volume, 0, sizeof(volume));
	memset(mapping, 0, sizeof(mapping));
	n_mappings = 0;
	g.read_only = read_only;
	g.volume = volume;
	snprintf(g.uuid, sizeof(g.uuid), "group");
}

static struct volume *add_volume(const char *name, bool is_public)
{
	struct volume *v = &volume[g.n_volumes++];

	snprintf(v->name, sizeof(v->name), "%s", name);
	snprintf(v->uuid, sizeof(v->uuid), "<%s>", name);
	v->is_public = is_public;
	return v;
}

/* Its device number is its place; below are up to two places, -1 for none. */
static size_t add_mapping(const char *name, const char *suffix, const char *target,
			  const char *status, int below, int below2)
{
	struct dm_mapping *m = &mapping[n_mappings];

	snprintf(m->uuid, sizeof(m->uuid), "LVM-group<%s>%s", name, suffix);
	snprintf(m->target, sizeof(m->target), "%s", target);
	snprintf(m->status, sizeof(m->status), "%s", status);
	snprintf(m->table, sizeof(m->table), "253:1 253:2 128 0");
	m->device = 1000 + n_mappings;
	m->sectors = 64 * MIB / 512;
	if (below >= 0)
		m->below[m->n_below++] = 1000 + (uint64_t)below;
	if (below2 >= 0)
		m->below[m->n_below++] = 1000 + (uint64_t)below2;
	return n_mappings++;
}

static void judge(void)
{
	group_judge(&g, mapping, n_mappings);
}

/* One volume on one mapping. */
static struct volume *judged(bool read_only, const char *target, const char *status)
{
	struct volume *v;

	begin(read_only);
	v = add_volume("v", true);
	add_mapping("v", "", target, status, -1, -1);
	judge();
	return v;
}

static void assert_sound(const struct volume *v)
{
	assert_int_equal(v->verdict, VERDICT_NONE);
	assert_string_equal(v->code, "");
	assert_false(v->throwaway);
	assert_false(v->read_only);
}

static void assert_noted(const struct volume *v, const char *code)
{
	assert_int_equal(v->verdict, VERDICT_NONE);
	assert_string_equal(v->code, code);
	assert_false(v->throwaway);
}

static void assert_looked_at(const struct volume *v, const char *code)
{
	assert_int_equal(v->verdict, VERDICT_NONE);
	assert_string_equal(v->code, code);
	assert_true(v->throwaway);
}

static void assert_bad(const struct volume *v, const char *code)
{
	assert_int_equal(v->verdict, VERDICT_ERROR);
	assert_string_equal(v->code, code);
	assert_true(v->reason[0]);
}

/* ---- one target each ---- */

static void raids(void **state)
{
	(void)state;
	assert_sound(judged(false, "raid", "raid1 2 AA 16384/16384 idle 0 0 -"));
	assert_sound(judged(false, "raid", "raid6_zr 5 AAAAA 8192/8192 frozen 0 0 -"));
	assert_looked_at(judged(false, "raid", "raid1 2 AD 16384/16384 idle 0 0 -"), "degraded");
	assert_looked_at(judged(false, "raid", "raid5_ls 3 AaA 100/8192 recover 0 0 -"), "degraded");
	assert_looked_at(judged(false, "raid", "raid10 4 DaAA 0/8192 recover 0 0 -"), "degraded");
	assert_noted(judged(false, "raid", "raid1 2 aa 100/16384 resync 0 0 -"), "not-in-sync");
	assert_noted(judged(false, "raid", "raid5_ls 3 AAA 100/8192 resync 0 0 -"), "not-in-sync");
	assert_noted(judged(false, "raid", "raid1 2 AA 16384/16384 idle 128 0 -"), "mismatches");
	assert_bad(judged(false, "raid", "raid5_ls 4 AAAA 100/8192 reshape 0 0 -"), "in-use");
	assert_bad(judged(false, "raid", ""), "tool-failed");
	/* where nothing may be written all stay on the copies anyway */
	assert_looked_at(judged(true, "raid", "raid1 2 AD 16384/16384 idle 0 0 -"), "degraded");
	assert_null(strstr(volume[0].reason, "only looked at"));
}

static void mirrors(void **state)
{
	(void)state;
	assert_sound(judged(false, "mirror", "2 253:2 253:3 16/16 1 AA 1 core"));
	assert_sound(judged(false, "mirror", "3 253:2 253:3 253:4 16/16 1 AAA 3 disk 253:5 A"));
	assert_looked_at(judged(false, "mirror", "2 253:2 253:3 16/16 1 AD 1 core"), "degraded");
	assert_looked_at(judged(false, "mirror", "2 253:2 253:3 16/16 1 DA 3 disk 253:5 A"), "degraded");
	assert_bad(judged(false, "mirror", "2 253:2"), "tool-failed");
}

static void caches(void **state)
{
	(void)state;
	assert_sound(judged(false, "cache",
			    "8 9/1280 128 23/112 61 28 49 0 0 23 0 2 metadata2 writeback 2 "
			    "migration_threshold 2048 smq 0 rw - "));
	assert_bad(judged(false, "cache",
			  "8 9/1280 128 23/112 61 28 49 0 0 23 0 2 metadata2 writeback 2 "
			  "migration_threshold 2048 smq 0 rw needs_check "), "needs-check");
	assert_bad(judged(false, "cache",
			  "8 9/1280 128 23/112 61 28 49 0 0 23 0 2 metadata2 writeback 2 "
			  "migration_threshold 2048 smq 0 ro - "), "needs-check");
	assert_bad(judged(false, "cache", "Fail"), "needs-check");
	assert_sound(judged(false, "writecache", "0 2040 2040 0 32 0 0 0 0 0 0 0 0 0"));
	assert_bad(judged(false, "writecache", "5 2040 2040 0 32 0 0 0 0 0 0 0 0 0"), "io-error");
}

/* A thin volume of 64 MiB in a pool with this status. */
static struct volume *in_pool(const char *status, bool read_only)
{
	struct volume *v;
	size_t pool;

	begin(read_only);
	v = add_volume("thin", true);
	add_volume("pool", false);
	pool = add_mapping("pool", "-tpool", "thin-pool", status, -1, -1);
	add_mapping("thin", "", "thin", "2816 24575", (int)pool, -1);
	judge();
	return v;
}

static void pools(void **state)
{
	struct volume *v;

	(void)state;
	assert_sound(in_pool("2 61/512 22/256 - rw discard_passdown queue_if_no_space - 128 ", false));
	v = in_pool("2 61/512 22/256 - ro discard_passdown queue_if_no_space needs_check 128 ", false);
	assert_bad(v, "needs-check");
	assert_non_null(strstr(v->reason, "pool pool"));
	assert_bad(in_pool("2 61/512 22/256 - rw discard_passdown queue_if_no_space needs_check 128 ", true),
		   "needs-check");
	assert_bad(in_pool("2 61/512 22/256 - ro discard_passdown queue_if_no_space - 128 ", false),
		   "needs-check");
	assert_bad(in_pool("Fail", false), "needs-check");
	assert_bad(in_pool("", true), "needs-check");
	assert_bad(judged(false, "thin", "Fail"), "needs-check");
}

/* A repair of 64 MiB may write 1 + 2 + 1 MiB: its share, what is always left, 16 chunks. */
static void room_in_a_pool(void **state)
{
	const char *const full = "2 61/512 193/256 - rw discard_passdown queue_if_no_space - 128 ";
	struct volume *v;

	(void)state;
	assert_sound(in_pool("2 61/512 192/256 - rw discard_passdown queue_if_no_space - 128 ", false));
	v = in_pool(full, false);
	assert_noted(v, "no-room");
	assert_true(v->read_only);
	assert_sound(in_pool(full, true)); /* nothing will be written anyway */
	/* metadata */
	v = in_pool("2 500/512 22/256 - rw discard_passdown queue_if_no_space - 128 ", false);
	assert_noted(v, "no-room");
	assert_true(v->read_only);
}

/* Each counts on its own share. */
static void room_for_one_of_two(void **state)
{
	struct volume *a, *b;
	size_t pool;

	(void)state;
	begin(false);
	a = add_volume("a", true);
	b = add_volume("b", true);
	pool = add_mapping("pool", "-tpool", "thin-pool",
			   "2 61/512 160/256 - rw discard_passdown queue_if_no_space - 128 ", -1, -1);
	add_mapping("a", "", "thin", "2816 24575", (int)pool, -1);
	add_mapping("b", "", "thin", "2816 24575", (int)pool, -1);
	judge();
	assert_sound(a);
	assert_noted(b, "no-room");
	assert_true(b->read_only);
}

/* ---- an origin and its snapshots ---- */

static struct volume *origin, *snap;

static void origin_with(const char *status)
{
	size_t real, cow;

	begin(false);
	origin = add_volume("origin", true);
	snap = add_volume("snap", true);
	real = add_mapping("origin", "-real", "linear", "", -1, -1);
	cow = add_mapping("snap", "-cow", "linear", "", -1, -1);
	add_mapping("origin", "", "snapshot-origin", "", (int)real, -1);
	add_mapping("snap", "", "snapshot", status, (int)real, (int)cow);
	judge();
}

static void snapshots(void **state)
{
	(void)state;
	origin_with("16/32768 16");
	assert_sound(origin);
	assert_sound(snap);
	/* to write to either takes room from the one store */
	origin_with("16/8192 16");
	assert_sound(origin);
	assert_noted(snap, "no-room");
	assert_true(snap->read_only);
	origin_with("8000/8192 16");
	assert_noted(origin, "no-room");
	assert_noted(snap, "no-room");
	/* a dead snapshot takes nothing, and does not take its origin with it */
	origin_with("Invalid");
	assert_sound(origin);
	assert_bad(snap, "snapshot-full");
	origin_with("Overflow");
	assert_bad(snap, "snapshot-full");
}

/* ---- what shares a part ---- */

static void a_sick_part_makes_all_above_it_sick(void **state)
{
	struct volume *a, *b, *other;
	size_t data, pool;

	(void)state;
	begin(false);
	a = add_volume("a", true);
	b = add_volume("b", true);
	other = add_volume("other", true);
	data = add_mapping("data", "-tdata", "raid", "raid1 2 AD 16384/16384 idle 0 0 -", -1, -1);
	pool = add_mapping("pool", "-tpool", "thin-pool",
			   "2 61/512 22/256 - rw discard_passdown queue_if_no_space - 128 ", (int)data, -1);
	add_mapping("a", "", "thin", "2816 24575", (int)pool, -1);
	add_mapping("b", "", "thin", "2816 24575", (int)pool, -1);
	add_mapping("other", "", "raid", "raid1 2 AA 16384/16384 idle 0 0 -", -1, -1);
	judge();
	assert_looked_at(a, "degraded");
	assert_looked_at(b, "degraded");
	assert_sound(other);
}

/* The snapshot's store is on a degraded raid: its origin can't be activated without it. */
static void an_origin_stays_with_its_snapshot(void **state)
{
	size_t real, cow;

	(void)state;
	begin(false);
	origin = add_volume("origin", true);
	snap = add_volume("snap", true);
	real = add_mapping("origin", "-real", "linear", "", -1, -1);
	cow = add_mapping("snap", "-cow", "raid", "raid1 2 AD 16384/16384 idle 0 0 -", -1, -1);
	add_mapping("origin", "", "snapshot-origin", "", (int)real, -1);
	add_mapping("snap", "", "snapshot", "16/32768 16", (int)real, (int)cow);
	judge();
	assert_looked_at(snap, "degraded");
	assert_looked_at(origin, "degraded");
}

static void others_are_left_as_they_are(void **state)
{
	struct volume *gone, *left;

	(void)state;
	begin(false);
	gone = add_volume("gone", true); /* LVM did not activate it */
	left = add_volume("left", true);
	volume_leave(left, VERDICT_SKIPPED, "in-use", "because");
	add_mapping("left", "", "raid", "raid1 2 AD 16384/16384 idle 0 0 -", -1, -1);
	judge();
	assert_sound(gone);
	assert_int_equal(left->verdict, VERDICT_SKIPPED);
	assert_string_equal(left->reason, "because");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raids),
		cmocka_unit_test(mirrors),
		cmocka_unit_test(caches),
		cmocka_unit_test(pools),
		cmocka_unit_test(room_in_a_pool),
		cmocka_unit_test(room_for_one_of_two),
		cmocka_unit_test(snapshots),
		cmocka_unit_test(a_sick_part_makes_all_above_it_sick),
		cmocka_unit_test(an_origin_stays_with_its_snapshot),
		cmocka_unit_test(others_are_left_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
