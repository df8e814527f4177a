/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guestsweep.undo=: which undo files a run has, and what is said where there is none. */
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

#include "file.h"
#include "undoplan.h"

static char folder[] = "/tmp/undoplan.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[300];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(file_write(path, text, strlen(text), &e), 0);
}

static void make_folder(const char *name)
{
	char path[300];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(file_mkdirs(path, &e), 0);
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	make_folder("20261121T080245Z/undo");
	put("20261121T080245Z/undo/012.e2undo", "saved");
	put("20261121T080245Z/undo/012.json", "{\"node\": 12, \"device\": \"vg/a > mbr:1\", \"stack\": \"vg/a > mbr:1 > ext4\", "
	    "\"uuid\": \"u\", \"volumes\": [\"vg/a\", \"/dev/sda2\"], \"after\": \"ff\"}");
	put("20261121T080245Z/undo/013.e2undo", "saved");
	put("20261121T080245Z/undo/013.json", "{\"node\": 13, \"device\": \"vg/b\", \"volumes\": [\"vg/a\", \"vg/b\"]}");
	put("20261121T080245Z/undo/014.e2undo", ""); /* the power went before anything was written */
	put("20261121T080245Z/undo/014.json", "{\"node\": 14, \"device\": \"vg/c\"}");
	make_folder(".20261121T090000Z.new/undo");
	put(".20261121T090000Z.new/undo/005.e2undo", "saved");
	put(".20261121T090000Z.new/undo/005.json", "{\"node\": 5, \"device\": \"vg/a\", \"volumes\": [\"vg/a\"]}");
	make_folder("20261121T100000Z/undo");
	make_folder("20261121T110000Z/undo");
	put("20261121T110000Z/undo/001.json", "{\"node\": ");
	put("last", "20261121T080245Z\n");
	return 0;
}

static int tear_down(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void finds_runs(void **state)
{
	static const struct { const char *spec; size_t n, volumes; } rows[] = {
		{ "last", 2, 3 }, { "20261121T080245Z", 2, 3 }, { "20261121T080245Z:12", 1, 2 }, { "last:13", 1, 2 },
		{ "20261121T090000Z", 1, 1 },
	};
	struct undoplan p;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(undoplan_load(&p, folder, rows[i].spec, &e), 0);
		assert_int_equal(p.n, rows[i].n);
		assert_int_equal(p.volumes.n, rows[i].volumes);
		undoplan_free(&p);
	}
}

static void refuses(void **state)
{
	static const struct { const char *spec, *text; } rows[] = {
		{ "20261121T070000Z", "there is no run 20261121T070000Z on the report filesystem" },
		{ "20261121T080245Z:99", "run 20261121T080245Z has no undo file of node 99" },
		{ "20261121T080245Z:14", "run 20261121T080245Z has no undo file of node 14" },
		{ "20261121T100000Z", "run 20261121T100000Z has no undo file" },
		{ "../x", "guestsweep.undo=: \"../x\" is no run's name" },
		{ "", "guestsweep.undo=: \"\" is no run's name" },
	};
	struct undoplan p;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(undoplan_load(&p, folder, rows[i].spec, &e) < 0);
		assert_string_equal(e.text, rows[i].text);
	}
	assert_int_equal(undoplan_load(&p, folder, "20261121T110000Z", &e), -EUCLEAN);
	assert_int_equal(undoplan_load(&p, folder, "last:x", &e), -EINVAL);
}

/* A filesystem that images lie on is a way; one whose own repair is to be taken back is not. */
static void leads_through(void **state)
{
	struct undo_item items[] = { { .device = "h/v", .stack = "h/v > ext4" },
				     { .device = "g/d > file:a.raw", .stack = "g/d > ext4 > file:a.raw > ext4" } };
	const struct undoplan p = { .items = items, .n = 2 };
	struct node device = { .stack = "g/d" }, fs = { .stack = "g/d > ext4", .parents = { &device }, .n_parents = 1 };

	(void)state;
	assert_true(undoplan_leads_through(&p, &fs));
	snprintf(fs.stack, sizeof(fs.stack), "g/d > ext");
	assert_false(undoplan_leads_through(&p, &fs));
	snprintf(fs.stack, sizeof(fs.stack), "h/v > ext4");
	assert_false(undoplan_leads_through(&p, &fs));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_runs),
		cmocka_unit_test(refuses),
		cmocka_unit_test(leads_through),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
