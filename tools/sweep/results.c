/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "results.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "log.h"
#include "nodejson.h"

#define SCHEMA 1
#define KEY_SIZE 16

static const char *const verdict_names[] = {
	[SWEEP_CLEAN] = "clean", [SWEEP_REPAIRED] = "repaired", [SWEEP_ATTENTION] = "attention",
	[SWEEP_UNCORRECTED] = "uncorrected", [SWEEP_FAILED] = "failed",
};

/* Order of the words in the summary line. */
static const char *const counted[] = { "filesystems", "clean", "repaired", "uncorrected",
				       "skipped", "errors" };

int results_init(struct results *r)
{
	r->nodes = nodes_new();
	r->problems = json_object_new_array();
	r->worst = SWEEP_CLEAN;
	return r->nodes && r->problems ? 0 : -ENOMEM;
}

void results_free(struct results *r)
{
	json_object_put(r->nodes);
	json_object_put(r->problems);
}

static bool is(json_object *o, const char *key, const char *value)
{
	return strcmp(json_text(o, key), value) == 0;
}

json_object *nodes_new(void)
{
	return json_object_new_object();
}

bool nodes_put(json_object *nodes, json_object *node)
{
	unsigned id = (unsigned)json_number(node, "id");
	json_object *old = nodes_get(nodes, id);
	bool news = !old || is(old, "verdict", "");
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "%u", id);
	json_object_object_add(nodes, key, node);
	return news;
}

json_object *nodes_get(json_object *nodes, unsigned id)
{
	json_object *node = NULL;
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "%u", id);
	json_object_object_get_ex(nodes, key, &node);
	return node;
}

static json_object *problem(json_object *node, const char *code, const char *text)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "node",
			       node ? json_object_new_int64(json_number(node, "id")) : NULL);
	json_object_object_add(o, "code", json_object_new_string(code));
	json_object_object_add(o, "text", json_object_new_string(text));
	return o;
}

void results_problem(struct results *r, enum sweep_verdict verdict, const char *code,
		     const char *fmt, ...)
{
	char raw[ERR_TEXT_MAX * 2], text[ERR_TEXT_MAX * 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	escape_text(text, sizeof(text), raw);
	if (verdict > r->worst)
		r->worst = verdict;
	json_object_array_add(r->problems, problem(NULL, code, text));
}

static bool is_filesystem(json_object *node)
{
	return is(node, "kind", "filesystem") || is(node, "kind", "hostfs");
}

/* Skipped because the configuration says so, or because it is nothing to check. */
static bool is_skipped_as_configured(json_object *node)
{
	return is(node, "verdict", "skipped") &&
	       (is(node, "code", "ignored") || is(node, "code", "swap") || is(node, "code", "mode-list"));
}

/* What one node means for the sweep. */
static enum sweep_verdict weigh(json_object *node)
{
	if (is_skipped_as_configured(node))
		return SWEEP_CLEAN;
	if (is(node, "code", "")) {
		if (is(node, "verdict", "ok") || is(node, "verdict", "clean"))
			return SWEEP_CLEAN;
		if (is(node, "verdict", "repaired"))
			return SWEEP_REPAIRED;
	}
	return is(node, "verdict", "uncorrected") ? SWEEP_UNCORRECTED : SWEEP_ATTENTION;
}

static void count(json_object *counts, const char *key)
{
	json_object_object_add(counts, key, json_object_new_int64(json_number(counts, key) + 1));
}

static void count_node(json_object *counts, json_object *node)
{
	if (is_filesystem(node)) {
		count(counts, "filesystems");
		if (!is(node, "verdict", "error") && json_text(node, "verdict")[0])
			count(counts, json_text(node, "verdict"));
	}
	if (is(node, "verdict", "error"))
		count(counts, "errors");
}

static json_object *new_counts(void)
{
	json_object *counts = json_object_new_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counted); i++)
		json_object_object_add(counts, counted[i], json_object_new_int64(0));
	return counts;
}

static json_object *problem_of(json_object *node)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s: %s", json_text(node, "stack"), json_text(node, "reason"));
	return problem(node, json_text(node, "code"), text);
}

static int by_id(const void *a, const void *b)
{
	int64_t x = json_number(*(json_object *const *)a, "id");
	int64_t y = json_number(*(json_object *const *)b, "id");

	return (x > y) - (x < y);
}

/* In the order of the report. */
static json_object *list_of(json_object *nodes)
{
	json_object *list = json_object_new_array();

	json_object_object_foreach(nodes, key, node) {
		(void)key;
		json_object_array_add(list, json_object_get(node));
	}
	json_object_array_sort(list, by_id);
	return list;
}

static void add_date(json_object *o, const char *key, int64_t seconds)
{
	char text[32];

	json_object_object_add(o, key,
			       json_object_new_string(utc_text(seconds, text, sizeof(text))));
}

json_object *results_report(const struct results *r, const struct sweep_facts *f)
{
	json_object *o = json_object_new_object(), *counts = new_counts();
	json_object *problems = json_object_new_array(), *nodes = list_of(r->nodes);
	enum sweep_verdict worst = r->worst;
	char seconds[32];
	size_t i;

	for (i = 0; i < json_object_array_length(r->problems); i++)
		json_object_array_add(problems, json_object_get(json_object_array_get_idx(r->problems, i)));
	for (i = 0; i < json_object_array_length(nodes); i++) {
		json_object *node = json_object_array_get_idx(nodes, i);
		enum sweep_verdict v = weigh(node);

		count_node(counts, node);
		if (v >= SWEEP_ATTENTION)
			json_object_array_add(problems, problem_of(node));
		if (v > worst)
			worst = v;
	}
	snprintf(seconds, sizeof(seconds), "%.1f", f->seconds);
	json_object_object_add(o, "schema", json_object_new_int(SCHEMA));
	json_object_object_add(o, "version", json_object_new_string(f->version));
	add_date(o, "started", f->started);
	add_date(o, "finished", f->finished);
	json_object_object_add(o, "seconds", json_object_new_double_s(f->seconds, seconds));
	json_object_object_add(o, "mode", json_object_new_string(mode_name(f->mode)));
	json_object_object_add(o, "verdict", json_object_new_string(verdict_names[worst]));
	json_object_object_add(o, "counts", counts);
	json_object_object_add(o, "problems", problems);
	if (f->report_filesystem)
		json_object_object_add(o, "report_filesystem", f->report_filesystem);
	if (f->work)
		json_object_object_add(o, "work", f->work);
	json_object_object_add(o, "nodes", nodes);
	return o;
}

char *results_summary(json_object *report, char *buf, size_t size)
{
	json_object *counts = NULL, *seconds = NULL;
	size_t i, used;

	json_object_object_get_ex(report, "counts", &counts);
	json_object_object_get_ex(report, "seconds", &seconds);
	used = (size_t)snprintf(buf, size, "verdict=%s", json_text(report, "verdict"));
	for (i = 0; i < ARRAY_SIZE(counted) && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, " %s=%lld", counted[i],
					 (long long)json_number(counts, counted[i]));
	if (used < size)
		snprintf(buf + used, size - used, " seconds=%.1f", json_object_get_double(seconds));
	return buf;
}

void results_break(json_object *report, const char *code, const char *text)
{
	json_object *problems;

	json_object_object_add(report, "verdict",
			       json_object_new_string(verdict_names[SWEEP_FAILED]));
	if (json_object_object_get_ex(report, "problems", &problems))
		json_object_array_add(problems, problem(NULL, code, text));
}
