/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nodejson.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "log.h"

const char *utc_text(int64_t seconds, char *buf, size_t size)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		buf[0] = 0;
	return buf;
}

/* A text cut off in the middle of a character is no JSON. */
static void add_text(json_object *o, const char *key, const char *text)
{
	char whole[1100];

	escape_text(whole, sizeof(whole), text);
	json_object_object_add(o, key, json_object_new_string(whole));
}

static json_object *rounded(double seconds)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f", seconds);
	return json_object_new_double_s(seconds, text);
}

static json_object *parents_of(const struct node *n)
{
	json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < n->n_parents; i++) {
		const struct node *parent = n->parents[i];

		while (parent->hidden && parent->n_parents)
			parent = parent->parents[0];
		json_object_array_add(array, json_object_new_int64(parent->id));
	}
	return array;
}

static json_object *words_of(const char *argv)
{
	json_object *array = json_object_new_array();

	while (*argv) {
		size_t n = strcspn(argv, "\n");

		json_object_array_add(array, json_object_new_string_len(argv, (int)n));
		argv += n + (argv[n] == '\n');
	}
	return array;
}

static json_object *kinds_of(const struct problems *p)
{
	json_object *array = json_object_new_array();
	char code[16];
	size_t i;

	for (i = 0; i < p->n; i++) {
		json_object *o = json_object_new_object();

		snprintf(code, sizeof(code), "0x%06x", p->kinds[i].code);
		json_object_object_add(o, "code", json_object_new_string(code));
		json_object_object_add(o, "count", json_object_new_int64(p->kinds[i].count));
		json_object_object_add(o, "fixed", json_object_new_int64(p->kinds[i].fixed));
		json_object_array_add(array, o);
	}
	return array;
}

static void add_problems(json_object *o, const struct problems *p)
{
	json_object *names = json_object_new_array();
	char name[16];
	size_t i;

	json_object_object_add(o, "problems", kinds_of(p));
	json_object_object_add(o, "data_may_be_lost", json_object_new_boolean(problems_lose_data(p)));
	for (i = 0; i < p->n_lost_found && i < LOST_FOUND_MAX; i++) {
		snprintf(name, sizeof(name), "#%u", p->lost_found[i]);
		json_object_array_add(names, json_object_new_string(name));
	}
	json_object_object_add(o, "lost_found", names);
	json_object_object_add(o, "lost_found_files", json_object_new_int64(p->n_lost_found));
}

static json_object *check_of(const struct check_result *c)
{
	json_object *o = json_object_new_object();

	add_text(o, "tool", c->tool);
	add_text(o, "version", c->version);
	json_object_object_add(o, "argv", words_of(c->argv));
	json_object_object_add(o, "exit", json_object_new_int(c->exit));
	add_text(o, "log", c->log);
	if (c->undo[0])
		add_text(o, "undo", c->undo);
	if (c->problems.n)
		add_problems(o, &c->problems);
	return o;
}

static json_object *ext_of(const struct ext_facts *f)
{
	json_object *o = json_object_new_object();
	char date[32];

	json_object_object_add(o, "mount_count", json_object_new_int64(f->mount_count));
	json_object_object_add(o, "max_mount_count", json_object_new_int(f->max_mount_count));
	add_text(o, "last_check", utc_text(f->last_check, date, sizeof(date)));
	json_object_object_add(o, "check_interval", json_object_new_int64(f->check_interval));
	add_text(o, "state", f->state);
	return o;
}

json_object *node_to_json(const struct node *n)
{
	json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	json_object_object_add(o, "id", json_object_new_int64(n->id));
	json_object_object_add(o, "parents", parents_of(n));
	add_text(o, "kind", kind_name(n->kind));
	add_text(o, "type", n->type);
	add_text(o, "name", n->name);
	add_text(o, "guest", n->guest);
	add_text(o, "stack", n->stack);
	add_text(o, "uuid", n->uuid);
	add_text(o, "label", n->label);
	json_object_object_add(o, "bytes", json_object_new_int64((int64_t)n->bytes));
	add_text(o, "verdict", verdict_name(n->verdict));
	add_text(o, "code", n->code);
	add_text(o, "reason", n->reason);
	json_object_object_add(o, "seconds", rounded(n->seconds));
	if (n->check.tool[0])
		json_object_object_add(o, "check", check_of(&n->check));
	if (n->ext.known)
		json_object_object_add(o, "ext", ext_of(&n->ext));
	return o;
}
