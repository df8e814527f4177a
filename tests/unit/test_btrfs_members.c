/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link: -Wl,--wrap=look_fields */
/* Which devices make one btrfs, and what becomes of those that lack others. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fieldslook.h"
#include "registry.h"
#include "tempdisk.h"
#include "walk.h"

#define BYTES (1u << 20)
#define MOST 3

/* Devices of a guest: of how many, which one, and its filesystem's UUID. */
struct plan {
	unsigned char of, id;
	const char *uuid;
	uint32_t bytes;
};

struct bed {
	struct tempdisk disk[MOST];
	struct node device[MOST], fs[MOST], *list[MOST];
	size_t n;
};

static void make(struct bed *b, const struct plan *plan, size_t n)
{
	size_t i;

	memset(b, 0, sizeof(*b));
	for (i = 0; i < n; i++) {
		uint32_t bytes = plan[i].bytes ? plan[i].bytes : BYTES;

		tempdisk_make(&b->disk[i], BYTES);
		tempdisk_put(&b->disk[i], 65536 + 0x88, &plan[i].of, 1);
		tempdisk_put(&b->disk[i], 65536 + 0xc9, &plan[i].id, 1);
		tempdisk_put(&b->disk[i], 65536 + 0xd1, &bytes, sizeof(bytes));
		memcpy(b->device[i].device, b->disk[i].path, sizeof(b->disk[i].path));
		b->fs[i].parents[0] = &b->device[i];
		b->fs[i].n_parents = 1;
		b->fs[i].bytes = BYTES;
		b->fs[i].ops = &btrfs_ops;
		snprintf(b->fs[i].uuid, sizeof(b->fs[i].uuid), "%s", plan[i].uuid);
	}
	b->n = n;
}

static void gather(struct bed *b, bool final)
{
	struct walk w = { 0 };
	struct err e;
	size_t i, n = 0;

	for (i = 0; i < b->n; i++)
		if (b->fs[i].verdict == VERDICT_NONE)
			b->list[n++] = &b->fs[i];
	assert_int_equal(btrfs_ops.gather(&w, b->list, n, final, &e), 0);
}

static void drop(struct bed *b)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		tempdisk_drop(&b->disk[i]);
}

static void whole(void **state)
{
	static const struct plan plan[] = { { 2, 2, "a", 0 }, { 1, 1, "b", 0 }, { 2, 1, "a", 0 } };
	struct bed b;

	(void)state;
	make(&b, plan, 3);
	gather(&b, false);
	gather(&b, true);
	assert_int_equal(b.fs[0].n_parents, 2);
	assert_ptr_equal(b.fs[0].parents[1], &b.device[2]);
	assert_int_equal(b.fs[0].verdict, VERDICT_NONE);
	assert_int_equal(b.fs[1].verdict, VERDICT_NONE);
	assert_true(b.fs[2].hidden);
	assert_int_equal(b.device[2].verdict, VERDICT_OK);
	drop(&b);
}

static void half(void **state)
{
	static const struct plan plan[] = { { 3, 1, "a", 0 }, { 3, 3, "a", 0 } };
	struct bed b;

	(void)state;
	make(&b, plan, 2);
	gather(&b, false);
	assert_int_equal(b.fs[0].verdict, VERDICT_NONE);
	gather(&b, true);
	assert_string_equal(b.fs[0].code, "missing-device");
	assert_string_equal(b.fs[1].code, "missing-device");
	drop(&b);
}

/* A clone's device is not taken for the missing one. */
static void twice(void **state)
{
	static const struct plan plan[] = { { 2, 1, "a", 0 }, { 2, 1, "a", 0 } };
	struct bed b;

	(void)state;
	make(&b, plan, 2);
	gather(&b, true);
	assert_string_equal(b.fs[0].code, "ambiguous");
	assert_string_equal(b.fs[1].code, "ambiguous");
	drop(&b);
}

static void clones_of_one(void **state)
{
	static const struct plan plan[] = { { 1, 1, "a", 0 }, { 1, 1, "a", 0 } };
	struct bed b;

	(void)state;
	make(&b, plan, 2);
	gather(&b, true);
	assert_int_equal(b.fs[0].verdict, VERDICT_NONE);
	assert_int_equal(b.fs[1].verdict, VERDICT_NONE);
	drop(&b);
}

static void cut_off(void **state)
{
	static const struct plan plan[] = { { 1, 1, "a", BYTES + 1 } };
	struct bed b;

	(void)state;
	make(&b, plan, 1);
	gather(&b, false);
	assert_string_equal(b.fs[0].code, "truncated");
	drop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole), cmocka_unit_test(half), cmocka_unit_test(twice),
		cmocka_unit_test(clones_of_one), cmocka_unit_test(cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
