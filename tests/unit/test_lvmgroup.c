/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LVM's report, read: which volumes are plain and what tables they get, and which must be left
 * alone before anything is activated. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <json-c/json_tokener.h>

#include "lvmgroup.h"

/* A group "vg" of two physical volumes, extents of 1 MiB, data from 1 MiB and from 2 MiB on. */
static struct node disk[2] = {
	{ .kind = KIND_DISK, .device = "/dev/mapper/gs-7", .bytes = 1 << 30 },
	{ .kind = KIND_DISK, .device = "/dev/vdb", .bytes = 2 << 20 },
};
static struct node pv[2] = {
	{ .kind = KIND_PV, .uuid = "uuid-a", .parents = { &disk[0] }, .n_parents = 1 },
	{ .kind = KIND_PV, .uuid = "uuid-b", .parents = { &disk[1] }, .n_parents = 1 },
};
static struct node vg = { .id = 9, .kind = KIND_VG, .parents = { &pv[0], &pv[1] }, .n_parents = 2 };

static const char head[] =
	"{\"vg\": [{\"vg_name\": \"%s\", \"vg_uuid\": \"ab-cd\", \"vg_extent_size\": \"1048576\"}],"
	"\"pv\": [{\"pv_name\": \"/dev/dm-3\", \"pv_uuid\": \"uuid-a\", \"pe_start\": \"1048576\"},"
	"{\"pv_name\": \"/dev/vdb\", \"pv_uuid\": \"uuid-b\", \"pe_start\": \"2097152\"}],";

#define LV(name, more) \
	"{\"lv_name\": \"" name "\", \"lv_uuid\": \"u-" name "\", \"lv_size\": \"4194304\", " more "}"
#define PLAIN "\"lv_layout\": [\"linear\"], \"lv_role\": [\"public\"]"
#define ROLE(role) "\"lv_layout\": [\"linear\"], \"lv_role\": [" role "]"
#define SEG(name, type, start, size, devices) \
	"{\"lv_uuid\": \"u-" name "\", \"segtype\": \"" type "\", \"seg_start\": \"" start \
	"\", \"seg_size\": \"" size "\", \"stripe_size\": \"65536\", \"devices\": [" devices "]}"

static struct group g;
static double seconds_to_read; /* of the processor, for the last group */

/* Reads a report of these volumes and segments into g. */
static void read_group(const char *name, const char *lvs, const char *segs)
{
	char *text;
	json_object *report;
	struct err e;
	clock_t begin;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, head, name);
	fprintf(f, "\"lv\": [%s], \"seg\": [%s]}", lvs, segs);
	fclose(f);
	report = json_tokener_parse(text);
	assert_non_null(report);
	begin = clock();
	assert_int_equal(group_read(&g, &vg, report, &e), 0);
	seconds_to_read = (double)(clock() - begin) / CLOCKS_PER_SEC;
	json_object_put(report);
	free(text);
}

static void assert_line(const struct volume *v, size_t i, uint64_t start, uint64_t sectors,
			const char *target, const char *params)
{
	assert_true(i < v->n_lines);
	assert_int_equal(v->line[i].start, start);
	assert_int_equal(v->line[i].sectors, sectors);
	assert_string_equal(v->line[i].target, target);
	assert_string_equal(v->line[i].params, params);
}

static void a_linear_one(void **state)
{
	(void)state;
	read_group("vg", LV("root", PLAIN), SEG("root", "linear", "0", "4194304", "\"/dev/dm-3(5)\""));
	assert_int_equal(g.n_volumes, 1);
	assert_string_equal(g.name, "vg");
	assert_int_equal(g.n_devices, 2);
	assert_string_equal(g.device[0], "/dev/mapper/gs-7");
	assert_string_equal(g.volume[0].name, "root");
	assert_true(g.volume[0].is_public);
	assert_false(g.volume[0].read_only);
	assert_int_equal(g.volume[0].n_lines, 1);
	/* LVM's name for the device is another one than ours */
	assert_line(&g.volume[0], 0, 0, 8192, "linear", "/dev/mapper/gs-7 12288");
	group_release(&g);
}

static void several_segments(void **state)
{
	(void)state;
	read_group("vg", LV("a", PLAIN) "," LV("b", PLAIN),
		   SEG("a", "linear", "0", "1048576", "\"/dev/dm-3(0)\"") ","
		   SEG("b", "striped", "0", "4194304", "\"/dev/dm-3(4)\", \"/dev/vdb(6)\"") ","
		   SEG("a", "linear", "1048576", "3145728", "\"/dev/vdb(1)\""));
	assert_int_equal(g.volume[0].n_lines, 2);
	assert_line(&g.volume[0], 0, 0, 2048, "linear", "/dev/mapper/gs-7 2048");
	assert_line(&g.volume[0], 1, 2048, 6144, "linear", "/dev/vdb 6144");
	assert_int_equal(g.volume[1].n_lines, 1);
	assert_line(&g.volume[1], 0, 0, 8192, "striped", "2 128 /dev/mapper/gs-7 10240 /dev/vdb 16384");
	group_release(&g);
}

/* What is no plain volume is LVM's to activate. */
static void others_are_managed(void **state)
{
	size_t i;

	(void)state;
	read_group("vg",
		   LV("raid", "\"lv_layout\": [\"raid\", \"raid1\"], \"lv_role\": [\"public\"]") ","
		   LV("snap", ROLE("\"public\", \"snapshot\", \"thicksnapshot\"")) ","
		   LV("gap", PLAIN) "," LV("short", PLAIN) "," LV("unknown", PLAIN) "," LV("none", PLAIN) ","
		   LV("zero", PLAIN),
		   SEG("raid", "raid1", "0", "4194304", "\"raid_rimage_0(0)\", \"raid_rimage_1(0)\"") ","
		   SEG("snap", "linear", "0", "4194304", "\"/dev/dm-3(5)\"") ","
		   SEG("gap", "linear", "1048576", "3145728", "\"/dev/dm-3(5)\"") ","
		   SEG("short", "linear", "0", "3145728", "\"/dev/dm-3(5)\"") ","
		   SEG("unknown", "linear", "0", "4194304", "\"/dev/vdq(5)\"") ","
		   SEG("zero", "zero", "0", "4194304", ""));
	assert_int_equal(g.n_volumes, 7);
	for (i = 0; i < g.n_volumes; i++) {
		assert_null(g.volume[i].line);
		assert_int_equal(g.volume[i].verdict, VERDICT_NONE);
	}
	assert_string_equal(g.volume[0].layout, "raid,raid1");
	group_release(&g);
}

/* A hostile group: as many volumes and segments as a report may hold. Each is looked at a few times, not once for each
 * of the others. */
static void a_hundred_thousand_segments(void **state)
{
	const size_t volumes = 50000;
	char *lvs, *segs;
	size_t size, i;
	FILE *f = open_memstream(&lvs, &size), *s = open_memstream(&segs, &size);

	(void)state;
	for (i = 0; i < volumes; i++) {
		const char *between = i ? "," : "";

		fprintf(f, "%s{\"lv_name\": \"l%zu\", \"lv_uuid\": \"u%zu\", \"lv_size\": \"2097152\", \"lv_merging\": 1, " PLAIN "}",
			between, i, i);
		/* the two halves of all come in two rows, one after the other */
		fprintf(s, "%s{\"lv_uuid\": \"u%zu\", \"segtype\": \"linear\", \"seg_start\": \"0\", \"seg_size\": \"1048576\", "
			"\"devices\": [\"/dev/dm-3(%zu)\"]}", between, i, i);
	}
	for (i = 0; i < volumes; i++)
		fprintf(s, ",{\"lv_uuid\": \"u%zu\", \"segtype\": \"linear\", \"seg_start\": \"1048576\", \"seg_size\": \"1048576\", "
			"\"devices\": [\"/dev/dm-3(%zu)\"]}", i, volumes + i);
	fclose(f);
	fclose(s);
	read_group("vg", lvs, segs);
	assert_true(seconds_to_read < 10);
	assert_int_equal(g.n_volumes, volumes);
	for (i = 0; i < volumes; i++)
		assert_int_equal(g.volume[i].n_lines, 2);
	group_release(&g);
	free(lvs);
	free(segs);
}

static void hidden_ones_and_permissions(void **state)
{
	(void)state;
	read_group("vg",
		   LV("[root_rimage_0]", ROLE("\"private\", \"raid\", \"image\"")) ","
		   LV("pool", "\"lv_layout\": [\"thin\", \"pool\"], \"lv_role\": [\"private\"]") ","
		   LV("[going]", ROLE("\"public\", \"snapshot\", \"thicksnapshot\"")) ","
		   LV("kept", PLAIN ", \"lv_attr\": \"-ri-XX----\""),
		   SEG("kept", "linear", "0", "4194304", "\"/dev/vdb(0)\""));
	assert_false(g.volume[0].is_public);
	assert_string_equal(g.volume[0].name, "root_rimage_0");
	assert_false(g.volume[1].is_public);
	assert_false(g.volume[2].is_public);
	assert_true(g.volume[3].is_public);
	assert_true(g.volume[3].read_only);
	assert_int_equal(g.volume[3].n_lines, 1);
	group_release(&g);
}

static void what_is_under_way(void **state)
{
	(void)state;
	read_group("vg",
		   LV("base", ROLE("\"public\", \"origin\", \"thickorigin\"") ", \"lv_merging\": 1") ","
		   LV("other", ROLE("\"public\", \"snapshot\", \"thicksnapshot\"") ", \"origin\": \"base\"") ","
		   LV("changing", "\"lv_layout\": [\"mirror\"], \"lv_role\": [\"public\"], \"lv_converting\": 1") ","
		   LV("plain", PLAIN),
		   SEG("plain", "linear", "0", "4194304", "\"/dev/vdb(0)\""));
	assert_int_equal(g.volume[0].verdict, VERDICT_SKIPPED);
	assert_int_equal(g.volume[1].verdict, VERDICT_SKIPPED);
	assert_int_equal(g.volume[2].verdict, VERDICT_SKIPPED);
	assert_int_equal(g.volume[3].verdict, VERDICT_NONE);
	group_release(&g);
	read_group("vg",
		   LV("moved", PLAIN) "," LV("plain", PLAIN) ","
		   LV("[pvmove0]", "\"lv_layout\": [\"mirror\"], \"lv_role\": [\"private\", \"pvmove\"]"),
		   SEG("moved", "linear", "0", "4194304", "\"pvmove0(0)\"") ","
		   SEG("plain", "linear", "0", "4194304", "\"/dev/vdb(0)\""));
	assert_int_equal(g.volume[0].verdict, VERDICT_SKIPPED);
	assert_string_equal(g.volume[0].code, "in-use");
	assert_int_equal(g.volume[1].verdict, VERDICT_NONE);
	group_release(&g);
}

/* A guest writes its own metadata: a name is no option of a command. */
static void names(void **state)
{
	(void)state;
	read_group("vg", LV("-f", PLAIN) "," LV("a b", PLAIN) "," LV("a.b-c+d_1", PLAIN), "");
	assert_int_equal(g.volume[0].verdict, VERDICT_ERROR);
	assert_int_equal(g.volume[1].verdict, VERDICT_ERROR);
	assert_int_equal(g.volume[2].verdict, VERDICT_NONE);
	group_release(&g);
	read_group("@all", LV("a", PLAIN), "");
	assert_int_equal(g.volume[0].verdict, VERDICT_ERROR);
	group_release(&g);
}

static void dm_uuids(void **state)
{
	char uuid[80];

	(void)state;
	read_group("vg", LV("a", PLAIN), "");
	group_dm_uuid(&g, NULL, uuid, sizeof(uuid));
	assert_string_equal(uuid, "LVM-abcd");
	group_dm_uuid(&g, &g.volume[0], uuid, sizeof(uuid));
	assert_string_equal(uuid, "LVM-abcdua");
	group_release(&g);
}

static void no_report(void **state)
{
	json_object *report = json_object_new_object();
	struct err e;

	(void)state;
	assert_true(group_read(&g, &vg, report, &e) < 0);
	group_release(&g);
	json_object_put(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_linear_one),
		cmocka_unit_test(several_segments),
		cmocka_unit_test(others_are_managed),
		cmocka_unit_test(a_hundred_thousand_segments),
		cmocka_unit_test(hidden_ones_and_permissions),
		cmocka_unit_test(what_is_under_way),
		cmocka_unit_test(names),
		cmocka_unit_test(dm_uuids),
		cmocka_unit_test(no_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
