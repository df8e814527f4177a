/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nodes come to: counts, the sweep's verdict, problems, the summary line and both reports. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json_tokener.h>

#include "nodejson.h"
#include "reporttext.h"
#include "results.h"

static const struct sweep_facts facts = { .version = "1.2", .mode = MODE_PREEN, .started = 1700000000,
					  .finished = 1700000012, .seconds = 12.34 };

static json_object *parse(const char *text)
{
	json_object *o = json_tokener_parse(text);

	assert_non_null(o);
	return o;
}

static json_object *node(int id, const char *kind, const char *verdict, const char *code)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "{\"id\": %d, \"kind\": \"%s\", \"verdict\": \"%s\", \"code\": \"%s\", "
		 "\"stack\": \"v/n%d > x\", \"reason\": \"why %d\"}", id, kind, verdict, code, id, id);
	return parse(text);
}

static json_object *member(json_object *o, const char *key)
{
	json_object *value = NULL;

	json_object_object_get_ex(o, key, &value);
	return value;
}

static json_object *report_of(struct results *r)
{
	json_object *report = results_report(r, &facts);

	assert_non_null(report);
	return report;
}

/* ---- one node: every row of the contract ---- */

static void each_row_of_the_contract(void **state)
{
	static const struct {
		const char *kind, *verdict, *code, *sweep;
		bool problem;
		const char *counts; /* filesystems clean repaired uncorrected skipped errors */
	} rows[] = {
		{ "filesystem", "clean", "", "clean", false, "1 1 0 0 0 0" },
		{ "hostfs", "clean", "", "clean", false, "1 1 0 0 0 0" },
		{ "filesystem", "repaired", "", "repaired", false, "1 0 1 0 0 0" },
		{ "filesystem", "uncorrected", "would-preen", "uncorrected", true, "1 0 0 1 0 0" },
		{ "filesystem", "uncorrected", "needs-repair", "uncorrected", true, "1 0 0 1 0 0" },
		{ "filesystem", "uncorrected", "not-converging", "uncorrected", true, "1 0 0 1 0 0" },
		{ "filesystem", "skipped", "ignored", "clean", false, "1 0 0 0 1 0" },
		{ "filesystem", "skipped", "mode-list", "clean", false, "1 0 0 0 1 0" },
		{ "filesystem", "skipped", "hibernated", "attention", true, "1 0 0 0 1 0" },
		{ "filesystem", "skipped", "in-use", "attention", true, "1 0 0 0 1 0" },
		{ "filesystem", "skipped", "dirty-log", "attention", true, "1 0 0 0 1 0" },
		{ "filesystem", "skipped", "unsupported", "attention", true, "1 0 0 0 1 0" },
		{ "filesystem", "skipped", "quarantined", "attention", true, "1 0 0 0 1 0" },
		{ "image", "skipped", "saved-state", "attention", true, "0 0 0 0 0 0" },
		{ "luks", "skipped", "guest-encrypted", "attention", true, "0 0 0 0 0 0" },
		{ "lv", "skipped", "ignored", "clean", false, "0 0 0 0 0 0" },
		{ "swap", "skipped", "swap", "clean", false, "0 0 0 0 0 0" },
		{ "swap", "skipped", "hibernated", "attention", true, "0 0 0 0 0 0" },
		{ "filesystem", "error", "io-error", "attention", true, "1 0 0 0 0 1" },
		{ "hostfs", "error", "timeout", "attention", true, "1 0 0 0 0 1" },
		{ "luks", "error", "no-key", "attention", true, "0 0 0 0 0 1" },
		{ "luks", "error", "bad-header", "attention", true, "0 0 0 0 0 1" },
		{ "image", "error", "bad-image", "attention", true, "0 0 0 0 0 1" },
		{ "vg", "error", "missing-device", "attention", true, "0 0 0 0 0 1" },
		{ "disk", "ok", "", "clean", false, "0 0 0 0 0 0" },
		{ "unknown", "ok", "", "clean", false, "0 0 0 0 0 0" },
		{ "filesystem", "", "", "attention", true, "1 0 0 0 0 0" }, /* not yet decided */
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		json_object *report, *counts;
		struct results r;
		char text[128];

		assert_int_equal(results_init(&r), 0);
		assert_true(nodes_put(r.nodes, node(7, rows[i].kind, rows[i].verdict, rows[i].code)));
		report = report_of(&r);
		counts = member(report, "counts");
		snprintf(text, sizeof(text), "%d %d %d %d %d %d", (int)json_number(counts, "filesystems"),
			 (int)json_number(counts, "clean"), (int)json_number(counts, "repaired"),
			 (int)json_number(counts, "uncorrected"), (int)json_number(counts, "skipped"),
			 (int)json_number(counts, "errors"));
		if (strcmp(text, rows[i].counts) != 0 || json_object_object_length(counts) != 6 ||
		    strcmp(json_text(report, "verdict"), rows[i].sweep) != 0 ||
		    json_object_array_length(member(report, "problems")) != rows[i].problem)
			fail_msg("%s %s %s: %s", rows[i].kind, rows[i].verdict, rows[i].code,
				 json_object_to_json_string(report));
		json_object_put(report);
		results_free(&r);
	}
}

/* The worst counts, wherever it stands. */
static void order_of_the_verdicts(void **state)
{
	static const struct {
		const char *verdict, *sweep;
	} order[] = { { "clean", "clean" }, { "repaired", "repaired" }, { "error", "attention" },
		      { "uncorrected", "uncorrected" } };
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(order); i++)
		for (k = 0; k < ARRAY_SIZE(order); k++) {
			struct results r;
			json_object *report;

			assert_int_equal(results_init(&r), 0);
			nodes_put(r.nodes, node(1, "filesystem", order[i].verdict, ""));
			nodes_put(r.nodes, node(2, "filesystem", order[k].verdict, ""));
			report = report_of(&r);
			assert_string_equal(json_text(report, "verdict"), order[i > k ? i : k].sweep);
			json_object_put(report);
			results_free(&r);
		}
}

static void problems_without_a_node(void **state)
{
	json_object *report, *problem;
	struct results r;

	(void)state;
	assert_int_equal(results_init(&r), 0);
	nodes_put(r.nodes, node(9, "luks", "error", "no-key"));
	nodes_put(r.nodes, node(8, "filesystem", "uncorrected", "needs-repair"));
	results_problem(&r, SWEEP_FAILED, "timeout", "after %d s: %s", 5, "a\x1b[31mb\xff");
	results_problem(&r, SWEEP_ATTENTION, "config", "x");
	report = report_of(&r);
	assert_string_equal(json_text(report, "verdict"), "failed");
	assert_int_equal(json_object_array_length(member(report, "problems")), 4);
	problem = json_object_array_get_idx(member(report, "problems"), 0);
	assert_null(member(problem, "node"));
	assert_string_equal(json_text(problem, "code"), "timeout");
	assert_string_equal(json_text(problem, "text"), "after 5 s: a\\x1b[31mb\\xff");
	problem = json_object_array_get_idx(member(report, "problems"), 2); /* by id, too */
	assert_int_equal(json_number(problem, "node"), 8);
	assert_string_equal(json_text(problem, "code"), "needs-repair");
	assert_string_equal(json_text(problem, "text"), "v/n8 > x: why 8");
	json_object_put(report);
	/* a report is a snapshot: a second one says the same */
	report = report_of(&r);
	assert_int_equal(json_object_array_length(member(report, "problems")), 4);
	assert_int_equal(json_number(member(report, "counts"), "errors"), 1);
	json_object_put(report);
	results_free(&r);
}

static void one_node_put_again(void **state)
{
	struct results r;
	json_object *report;
	size_t i;

	(void)state;
	assert_int_equal(results_init(&r), 0);
	assert_true(nodes_put(r.nodes, node(30, "filesystem", "clean", "")));
	assert_true(nodes_put(r.nodes, node(4, "filesystem", "clean", "")));
	assert_true(nodes_put(r.nodes, node(100, "filesystem", "clean", "")));
	assert_false(nodes_put(r.nodes, node(4, "filesystem", "repaired", "")));
	assert_int_equal(json_object_object_length(r.nodes), 3);
	report = report_of(&r);
	for (i = 0; i < 3; i++)
		assert_int_equal(json_number(json_object_array_get_idx(member(report, "nodes"), i), "id"),
				 ((int[]){ 4, 30, 100 })[i]);
	assert_string_equal(json_text(report, "verdict"), "repaired");
	json_object_put(report);
	results_free(&r);
}

static void the_summary_line(void **state)
{
	struct results r;
	json_object *report;
	char line[256], small[20];

	(void)state;
	assert_int_equal(results_init(&r), 0);
	nodes_put(r.nodes, node(1, "filesystem", "clean", ""));
	nodes_put(r.nodes, node(2, "filesystem", "repaired", ""));
	nodes_put(r.nodes, node(3, "filesystem", "uncorrected", "needs-repair"));
	nodes_put(r.nodes, node(4, "filesystem", "skipped", "ignored"));
	nodes_put(r.nodes, node(5, "luks", "error", "no-key"));
	nodes_put(r.nodes, node(6, "filesystem", "error", "io-error"));
	report = report_of(&r);
	assert_string_equal(results_summary(report, line, sizeof(line)),
			    "verdict=uncorrected filesystems=5 clean=1 repaired=1 uncorrected=1 "
			    "skipped=1 errors=2 seconds=12.3");
	assert_string_equal(results_summary(report, small, sizeof(small)), "verdict=uncorrected");
	json_object_put(report);
	report = parse("{}"); /* a draft that is hardly one */
	assert_string_equal(results_summary(report, line, sizeof(line)),
			    "verdict= filesystems=0 clean=0 repaired=0 uncorrected=0 skipped=0 "
			    "errors=0 seconds=0.0");
	json_object_put(report);
	results_free(&r);
}

static void the_head_of_the_report(void **state)
{
	struct sweep_facts f = facts;
	struct results r;
	json_object *report;

	(void)state;
	assert_int_equal(results_init(&r), 0);
	f.report_filesystem = parse("{\"uuid\": \"u\"}");
	report = results_report(&r, &f);
	assert_string_equal(json_object_to_json_string_ext(report, JSON_C_TO_STRING_PLAIN |
									   JSON_C_TO_STRING_NOSLASHESCAPE),
			    "{\"schema\":1,\"version\":\"1.2\",\"started\":\"2023-11-14T22:13:20Z\","
			    "\"finished\":\"2023-11-14T22:13:32Z\",\"seconds\":12.3,\"mode\":\"preen\","
			    "\"verdict\":\"clean\",\"counts\":{\"filesystems\":0,\"clean\":0,"
			    "\"repaired\":0,\"uncorrected\":0,\"skipped\":0,\"errors\":0},"
			    "\"problems\":[],\"report_filesystem\":{\"uuid\":\"u\"},\"nodes\":[]}");
	json_object_put(report);
	results_free(&r);
}

static void a_sweep_that_broke(void **state)
{
	struct results r;
	json_object *report, *problem;

	(void)state;
	assert_int_equal(results_init(&r), 0);
	nodes_put(r.nodes, node(1, "filesystem", "uncorrected", "needs-repair"));
	report = report_of(&r);
	results_break(report, "crashed", "signal 11");
	assert_string_equal(json_text(report, "verdict"), "failed");
	assert_int_equal(json_object_array_length(member(report, "problems")), 2);
	problem = json_object_array_get_idx(member(report, "problems"), 1);
	assert_string_equal(json_text(problem, "code"), "crashed");
	assert_string_equal(json_text(problem, "text"), "signal 11");
	assert_null(member(problem, "node"));
	json_object_put(report);
	results_free(&r);
}

/* ---- report.txt ---- */

static char *text_of(json_object *report)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	reporttext_write(f, report, false);
	assert_int_equal(fclose(f), 0);
	return text;
}

static const char example[] =
	"{\"version\": \"0.9\", \"verdict\": \"attention\", \"mode\": \"preen\","
	" \"started\": \"2026-11-21T02:13:18Z\", \"finished\": \"2026-11-21T02:13:30Z\","
	" \"seconds\": 12.34, \"counts\": {\"filesystems\": 3, \"clean\": 1, \"repaired\": 1,"
	" \"uncorrected\": 0, \"skipped\": 1, \"errors\": 1},"
	" \"problems\": [{\"node\": 6, \"code\": \"no-key\", \"text\":"
	" \"v/b > luks: LUKS: no key slot opens with key file keys/b; the key is a wrong one, or a key"
	" slot is destroyed\"}],"
	" \"nodes\": ["
	"{\"id\": 1, \"parents\": [], \"kind\": \"disk\", \"name\": \"sda\", \"stack\": \"sda\","
	" \"bytes\": 1099511627776, \"verdict\": \"ok\"},"
	"{\"id\": 2, \"parents\": [1], \"kind\": \"pv\", \"name\": \"sda\", \"stack\": \"pv\","
	" \"bytes\": 1099511627776, \"verdict\": \"ok\", \"reason\": \"part of v\"},"
	"{\"id\": 3, \"parents\": [2], \"kind\": \"vg\", \"name\": \"v\", \"stack\": \"v\","
	" \"bytes\": 0, \"verdict\": \"ok\"},"
	"{\"id\": 4, \"parents\": [3], \"kind\": \"lv\", \"name\": \"v/a\", \"stack\": \"v/a\","
	" \"bytes\": 8589934592, \"verdict\": \"ok\"},"
	"{\"id\": 5, \"parents\": [3], \"kind\": \"lv\", \"name\": \"v/b\", \"stack\": \"v/b\","
	" \"bytes\": 512, \"verdict\": \"ok\"},"
	"{\"id\": 6, \"parents\": [5], \"kind\": \"luks\", \"name\": \"\", \"stack\": \"v/b > luks\","
	" \"bytes\": 512, \"verdict\": \"error\", \"code\": \"no-key\", \"reason\": \"x\"},"
	"{\"id\": 7, \"parents\": [4], \"kind\": \"filesystem\", \"name\": \"a\","
	" \"stack\": \"v/a > ext4\", \"label\": \"wörk\", \"bytes\": 8589934592,"
	" \"verdict\": \"repaired\", \"reason\": \"preened, and verified after it\", \"seconds\": 3.21,"
	" \"check\": {\"tool\": \"e2fsck\", \"log\": \"log/007-e2fsck.txt\", \"undo\": \"undo/007.e2undo\"}}]}";

static const char example_text[] =
	"guestsweep 0.9: attention\n"
	"mode preen, 2026-11-21T02:13:18Z to 2026-11-21T02:13:30Z, 12.3 s\n"
	"3 filesystems: 1 clean, 1 repaired, 0 uncorrected, 1 skipped; 1 error\n"
	"\n"
	"What needs a look\n"
	"\n"
	"  no-key\n"
	"    v/b > luks: LUKS: no key slot opens with key file keys/b; the key is a\n"
	"    wrong one, or a key slot is destroyed\n"
	"\n"
	"What was repaired\n"
	"\n"
	"  v/a > ext4\n"
	"    preened, and verified after it (log/007-e2fsck.txt; undone by\n"
	"    undo/007.e2undo)\n"
	"\n"
	"What was found\n"
	"\n"
	"sda                                            1.0 TiB  ok\n"
	"└─ pv                                          1.0 TiB  ok, part of v\n"
	"   └─ v                                                 ok\n"
	"      ├─ v/a                                   8.0 GiB  ok\n"
	"      │  └─ ext4 \"wörk\"                        8.0 GiB  repaired, 3.2 s\n"
	"      └─ v/b                                     512 B  ok\n"
	"         └─ luks                                 512 B  error (no-key)\n";

static void report_for_people(void **state)
{
	json_object *report = parse(example);
	char *text = text_of(report);

	(void)state;
	assert_string_equal(text, example_text);
	free(text);
	json_object_put(report);
}

static void a_report_of_nothing(void **state)
{
	json_object *report = parse("{}");
	char *text = text_of(report);

	(void)state;
	assert_non_null(strstr(text, "0 filesystems"));
	free(text);
	json_object_put(report);
}

/* A worker that was killed has told of its filesystems, not yet of the layers below. */
static void nodes_whose_parents_are_unknown(void **state)
{
	json_object *report = parse("{\"nodes\": ["
				    "{\"id\": 1, \"parents\": [], \"kind\": \"lv\", \"name\": \"v/a\"},"
				    "{\"id\": 9, \"parents\": [8], \"kind\": \"filesystem\","
				    " \"stack\": \"v/a > luks > ext4\", \"verdict\": \"repaired\"}]}");
	char *text = text_of(report);

	(void)state;
	assert_non_null(strstr(text, "ext4"));
	assert_non_null(strstr(text, "repaired"));
	free(text);
	json_object_put(report);
}

/* One that is too deep for its text ends anywhere, also within " > ". */
static void stacks_that_were_cut(void **state)
{
	static const char *const stacks[] = { "a > b >", "a > b > ", "a > b >  ", ">", " > ", "a >" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(stacks); i++) {
		char json[128], *text;
		json_object *report;

		snprintf(json, sizeof(json), "{\"nodes\": [{\"id\": 1, \"stack\": \"%s\"}]}", stacks[i]);
		report = parse(json);
		text = text_of(report);
		free(text);
		json_object_put(report);
	}
}

/* Whatever a damaged draft holds: it ends. */
static void circles_end(void **state)
{
	json_object *report = parse("{\"nodes\": ["
				    "{\"id\": 1, \"parents\": [2]}, {\"id\": 2, \"parents\": [1]},"
				    "{\"id\": 3, \"parents\": [3]}, {\"id\": 0, \"parents\": []},"
				    "{\"id\": 4, \"parents\": [0]}]}");
	char *text = text_of(report);

	(void)state;
	assert_true(strlen(text) < 10000);
	free(text);
	json_object_put(report);
}

static void one_line_for_one_node(void **state)
{
	json_object *n = node(3, "luks", "error", "no-key");
	char line[256];

	(void)state;
	reporttext_node_line(line, sizeof(line), n);
	assert_string_equal(line, "error       v/n3 > x (no-key): why 3");
	json_object_put(n);
	n = parse("{\"verdict\": \"clean\", \"stack\": \"v/a > ext4\", \"code\": \"\", \"reason\": \"\"}");
	reporttext_node_line(line, sizeof(line), n);
	assert_string_equal(line, "clean       v/a > ext4");
	json_object_put(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_of_the_contract),
		cmocka_unit_test(order_of_the_verdicts),
		cmocka_unit_test(problems_without_a_node),
		cmocka_unit_test(one_node_put_again),
		cmocka_unit_test(the_summary_line),
		cmocka_unit_test(the_head_of_the_report),
		cmocka_unit_test(a_sweep_that_broke),
		cmocka_unit_test(report_for_people),
		cmocka_unit_test(a_report_of_nothing),
		cmocka_unit_test(nodes_whose_parents_are_unknown),
		cmocka_unit_test(stacks_that_were_cut),
		cmocka_unit_test(circles_end),
		cmocka_unit_test(one_line_for_one_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
