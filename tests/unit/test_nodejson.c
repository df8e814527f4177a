/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A node as the report has it, whatever a guest has chosen as its labels. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nodejson.h"

static const char *json_of(const struct node *n)
{
	static char text[16384];
	json_object *o = node_to_json(n);

	assert_non_null(o);
	snprintf(text, sizeof(text), "%s",
		 json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							   JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return text;
}

static void all_of_a_filesystem(void **state)
{
	struct node vg = { .id = 11 }, other = { .id = 10 };
	struct node n = {
		.id = 12, .kind = KIND_FILESYSTEM, .parents = { &vg, &other }, .n_parents = 2,
		.type = "ext4", .name = "imap", .guest = "imap", .stack = "v/a > ext4", .uuid = "u-1",
		.label = "root", .bytes = 8589934592, .verdict = VERDICT_REPAIRED,
		.reason = "preened", .seconds = 3.219,
		.check = { .tool = "e2fsck", .version = "1.47.2", .argv = "e2fsck\n-f\n-p\n/dev/x y\n",
			   .exit = 1, .log = "log/012-e2fsck.txt", .undo = "undo/012.e2undo" },
		.ext = { .known = true, .mount_count = 3, .max_mount_count = -1,
			 .last_check = 1700000000, .check_interval = 0, .state = "clean" },
	};

	(void)state;
	assert_string_equal(json_of(&n),
		"{\"id\":12,\"parents\":[11,10],\"kind\":\"filesystem\",\"type\":\"ext4\","
		"\"name\":\"imap\",\"guest\":\"imap\",\"stack\":\"v/a > ext4\",\"uuid\":\"u-1\","
		"\"label\":\"root\",\"bytes\":8589934592,\"verdict\":\"repaired\",\"code\":\"\","
		"\"reason\":\"preened\",\"seconds\":3.22,\"check\":{\"tool\":\"e2fsck\","
		"\"version\":\"1.47.2\",\"argv\":[\"e2fsck\",\"-f\",\"-p\",\"/dev/x y\"],\"exit\":1,"
		"\"log\":\"log/012-e2fsck.txt\",\"undo\":\"undo/012.e2undo\"},"
		"\"ext\":{\"mount_count\":3,\"max_mount_count\":-1,"
		"\"last_check\":\"2023-11-14T22:13:20Z\",\"check_interval\":0,\"state\":\"clean\"}}");
}

static void a_device_has_neither_check_nor_ext(void **state)
{
	struct node n = { .id = 1, .kind = KIND_DISK, .name = "sda", .stack = "sda",
			  .verdict = VERDICT_OK };

	(void)state;
	assert_string_equal(json_of(&n),
		"{\"id\":1,\"parents\":[],\"kind\":\"disk\",\"type\":\"\",\"name\":\"sda\",\"guest\":\"\","
		"\"stack\":\"sda\",\"uuid\":\"\",\"label\":\"\",\"bytes\":0,\"verdict\":\"ok\","
		"\"code\":\"\",\"reason\":\"\",\"seconds\":0.00}");
}

/* Escape sequences, bytes that are no UTF-8 and text cut within a character. */
static void hostile_labels(void **state)
{
	struct node n = { .label = "a\x1b[2Jb\xff\"\\\n", .name = "gr\xc3\xbc\xc3", .stack = "\xe2\x82" };
	const char *text = json_of(&n), *p;

	(void)state;
	assert_non_null(strstr(text, "\"label\":\"a\\\\x1b[2Jb\\\\xff\\\"\\\\\\\\x0a\""));
	assert_non_null(strstr(text, "\"name\":\"gr\xc3\xbc\\\\xc3\""));
	assert_non_null(strstr(text, "\"stack\":\"\\\\xe2\\\\x82\""));
	for (p = text; *p; p++)
		assert_true((unsigned char)*p >= ' ');
}

/* The longest texts there can be, all of them hostile, still fit into a message. */
static void the_longest_node(void **state)
{
	static struct node n;
	json_object *o;
	size_t i;

	(void)state;
	memset(&n, 0, sizeof(n));
	for (i = 0; i < MAX_PARENTS; i++)
		n.parents[n.n_parents++] = &n;
	memset(n.stack, 0xff, sizeof(n.stack) - 1);
	memset(n.reason, '"', sizeof(n.reason) - 1);
	memset(n.label, 0xff, sizeof(n.label) - 1);
	memset(n.name, '\\', sizeof(n.name) - 1);
	memset(n.check.argv, 0xff, sizeof(n.check.argv) - 1);
	n.check.tool[0] = 'x';
	n.id = UINT32_MAX;
	o = node_to_json(&n);
	assert_true(strlen(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)) < 32768 - 64);
	json_object_put(o);
}

static void dates(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(utc_text(0, text, sizeof(text)), "1970-01-01T00:00:00Z");
	assert_string_equal(utc_text(-1, text, sizeof(text)), "1969-12-31T23:59:59Z");
	assert_string_equal(utc_text(951782400, text, sizeof(text)), "2000-02-29T00:00:00Z");
	/* the largest that ext4 can store, and what no calendar holds */
	assert_string_equal(utc_text(0xffffffffffLL, text, sizeof(text)), "36812-02-20T00:36:15Z");
	assert_string_equal(utc_text(INT64_MAX, text, sizeof(text)), "");
	assert_string_equal(utc_text(INT64_MIN, text, sizeof(text)), "");
}

static void members(void **state)
{
	json_object *o = json_object_new_object();

	(void)state;
	json_object_object_add(o, "null", NULL);
	json_object_object_add(o, "n", json_object_new_int(5));
	json_object_object_add(o, "s", json_object_new_string("7"));
	assert_string_equal(json_text(NULL, "x"), "");
	assert_string_equal(json_text(o, "x"), "");
	assert_string_equal(json_text(o, "null"), "");
	assert_string_equal(json_text(o, "s"), "7");
	assert_int_equal(json_number(NULL, "x"), 0);
	assert_int_equal(json_number(o, "null"), 0);
	assert_int_equal(json_number(o, "n"), 5);
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_filesystem),
		cmocka_unit_test(a_device_has_neither_check_nor_ext),
		cmocka_unit_test(hostile_labels),
		cmocka_unit_test(the_longest_node),
		cmocka_unit_test(dates),
		cmocka_unit_test(members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
