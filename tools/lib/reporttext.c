/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reporttext.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "attrs.h"
#include "jsonget.h"

#define MAX_DEPTH 32
#define NAME_COLUMN 44 /* cells before the size column */
#define TEXT_COLUMN 78 /* where long sentences are broken */

/* Display cells of UTF-8 text, as far as its characters are of one cell each. */
static int cells(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static const char *size_text(int64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	if (bytes <= 0)
		buf[0] = 0;
	else
		snprintf(buf, size, value < 10 && unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return buf;
}

/* Sentences broken at spaces, each line indented. */
static void write_wrapped(FILE *f, const char *indent, const char *text)
{
	int column = 0;

	fputs(indent, f);
	while (*text) {
		int word = (int)strcspn(text, " ");

		if (column && column + 1 + word > TEXT_COLUMN - (int)strlen(indent)) {
			fprintf(f, "\n%s", indent);
			column = 0;
		}
		column += fprintf(f, "%s%.*s", column ? " " : "", word, text);
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}

/* A stack that was cut off may end with half a separator. */
static const char *last_word(const char *stack)
{
	const char *next;

	while ((next = strstr(stack, " > ")))
		stack = next + strlen(" > ");
	return stack;
}

static const char *word_for(json_object *node)
{
	const char *kind = json_text(node, "kind");

	if (strcmp(kind, "disk") == 0 || strcmp(kind, "vg") == 0 || strcmp(kind, "lv") == 0)
		return json_text(node, "name");
	return last_word(json_text(node, "stack"));
}

/* A verdict in the colour it has on a terminal (ECMA-48 SGR); "" where there are to be none. */
static const char *colour_of(const char *verdict, bool colours)
{
	static const struct { const char *verdict, *colour; } known[] = {
		{ "ok", "" }, { "clean", "\033[32m" }, { "repaired", "\033[36m" },
		{ "skipped", "\033[33m" }, { "attention", "\033[33m" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!colours || strcmp(known[i].verdict, verdict) == 0)
			return colours ? known[i].colour : "";
	return "\033[1;31m";
}

static void write_verdict(FILE *f, const char *verdict, bool colours)
{
	const char *colour = colour_of(verdict, colours);

	fprintf(f, "%s%s%s", colour, verdict, colour[0] ? "\033[0m" : "");
}

static void write_detail(FILE *f, json_object *node, bool colours)
{
	const char *verdict = json_text(node, "verdict"), *code = json_text(node, "code");
	json_object *seconds = NULL, *check = NULL;

	write_verdict(f, verdict, colours);
	fprintf(f, "%s%s%s", code[0] ? " (" : "", code, code[0] ? ")" : "");
	json_object_object_get_ex(node, "seconds", &seconds);
	if (json_object_object_get_ex(node, "check", &check))
		fprintf(f, ", %.1f s", json_object_get_double(seconds));
	if (strcmp(verdict, "ok") == 0 && json_text(node, "reason")[0])
		fprintf(f, ", %s", json_text(node, "reason"));
	fputc('\n', f);
}

static void write_node(FILE *f, json_object *node, const char *branch, bool colours)
{
	const char *label = json_text(node, "label");
	char size[32], name[640];
	int used;

	snprintf(name, sizeof(name), "%s%s%s%s", word_for(node), label[0] ? " \"" : "", label,
		 label[0] ? "\"" : "");
	used = cells(branch) + cells(name);
	fprintf(f, "%s%s%*s %9s  ", branch, name, used < NAME_COLUMN ? NAME_COLUMN - used : 1, "",
		size_text(json_number(node, "bytes"), size, sizeof(size)));
	write_detail(f, node, colours);
}

/* A node's place in the tree: it is a child of the first of its parents. */
struct kin {
	int64_t parent, id;
	json_object *node;
};

static int by_parent(const void *a, const void *b)
{
	const struct kin *x = a, *y = b;

	return x->parent != y->parent ? (x->parent > y->parent) - (x->parent < y->parent) : (x->id > y->id) - (x->id < y->id);
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int64_t first_parent(json_object *node)
{
	json_object *parents;

	return json_object_object_get_ex(node, "parents", &parents) && json_object_is_type(parents, json_type_array) &&
	       json_object_array_length(parents) > 0 ? json_object_get_int64(json_object_array_get_idx(parents, 0)) : 0;
}

/* All nodes, siblings side by side. Parent 0: the top, where a node stands too whose parent the report lacks; a worker that
 * was killed has told of its filesystems first. Returns NULL without memory. */
static struct kin *find_kin(json_object *nodes, size_t n)
{
	struct kin *kin = calloc(n + 1, sizeof(*kin));
	int64_t *ids = calloc(n + 1, sizeof(*ids));
	size_t i;

	for (i = 0; kin && ids && i < n; i++) {
		json_object *node = json_object_array_get_idx(nodes, i);

		ids[i] = json_number(node, "id");
		kin[i] = (struct kin){ .parent = first_parent(node), .id = ids[i], .node = node };
	}
	if (!kin || !ids) {
		free(kin);
		kin = NULL;
	} else {
		qsort(ids, n, sizeof(*ids), by_number);
		for (i = 0; i < n; i++)
			if (!bsearch(&kin[i].parent, ids, n, sizeof(*ids), by_number))
				kin[i].parent = 0;
		qsort(kin, n, sizeof(*kin), by_parent);
	}
	free(ids);
	return kin;
}

/* The first of n whose parent is not before that one. */
static size_t first_child(const struct kin *kin, size_t n, int64_t parent)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (kin[middle].parent < parent)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void write_tree(FILE *f, const struct kin *kin, size_t n, int64_t parent, const char *branch, unsigned depth,
		       bool colours)
{
	size_t i;

	for (i = depth < MAX_DEPTH ? first_child(kin, n, parent) : n; i < n && kin[i].parent == parent; i++) {
		bool last = i + 1 == n || kin[i + 1].parent != parent;
		char own[256], below[256];

		snprintf(own, sizeof(own), "%s%s", branch, depth == 0 ? "" : last ? "└─ " : "├─ ");
		snprintf(below, sizeof(below), "%s%s", branch, depth == 0 ? "" : last ? "   " : "│  ");
		write_node(f, kin[i].node, own, colours);
		write_tree(f, kin, n, kin[i].id, below, depth + 1, colours);
	}
}

static void write_nodes(FILE *f, json_object *nodes, bool colours)
{
	size_t n = json_object_array_length(nodes);
	struct kin *kin = find_kin(nodes, n);

	if (kin)
		write_tree(f, kin, n, 0, "", 0, colours);
	free(kin);
}

static void write_problems(FILE *f, json_object *problems)
{
	size_t n = json_object_array_length(problems), i;

	if (n == 0)
		return;
	fprintf(f, "\nWhat needs a look\n");
	for (i = 0; i < n; i++) {
		json_object *p = json_object_array_get_idx(problems, i);

		fprintf(f, "\n  %s\n", json_text(p, "code"));
		write_wrapped(f, "    ", json_text(p, "text"));
	}
}

/* What was changed on a guest's disk, and what takes it back. */
static void write_repair(FILE *f, json_object *node)
{
	json_object *check = NULL;
	char text[2048];
	const char *undo;

	json_object_object_get_ex(node, "check", &check);
	undo = json_text(check, "undo");
	snprintf(text, sizeof(text), "%s (%s%s%s)", json_text(node, "reason"), json_text(check, "log"),
		 undo[0] ? "; undone by " : "", undo);
	fprintf(f, "\n  %s\n", json_text(node, "stack"));
	write_wrapped(f, "    ", text);
}

static void write_repairs(FILE *f, json_object *nodes)
{
	size_t n = json_object_array_length(nodes), i;
	bool headed = false;

	for (i = 0; i < n; i++) {
		json_object *node = json_object_array_get_idx(nodes, i);

		if (strcmp(json_text(node, "verdict"), "repaired") != 0)
			continue;
		if (!headed)
			fprintf(f, "\nWhat was repaired\n");
		headed = true;
		write_repair(f, node);
	}
}

void reporttext_write(FILE *f, json_object *report, bool colours)
{
	json_object *problems = NULL, *nodes = NULL, *counts = NULL, *seconds = NULL;

	json_object_object_get_ex(report, "problems", &problems);
	json_object_object_get_ex(report, "nodes", &nodes);
	json_object_object_get_ex(report, "counts", &counts);
	json_object_object_get_ex(report, "seconds", &seconds);
	fprintf(f, "guestsweep %s: ", json_text(report, "version"));
	write_verdict(f, json_text(report, "verdict"), colours);
	fputc('\n', f);
	fprintf(f, "mode %s, %s to %s, %.1f s\n", json_text(report, "mode"),
		json_text(report, "started"), json_text(report, "finished"),
		json_object_get_double(seconds));
	fprintf(f, "%lld filesystem%s: %lld clean, %lld repaired, %lld uncorrected, %lld skipped; "
		   "%lld error%s\n",
		(long long)json_number(counts, "filesystems"),
		json_number(counts, "filesystems") == 1 ? "" : "s",
		(long long)json_number(counts, "clean"),
		(long long)json_number(counts, "repaired"),
		(long long)json_number(counts, "uncorrected"),
		(long long)json_number(counts, "skipped"), (long long)json_number(counts, "errors"),
		json_number(counts, "errors") == 1 ? "" : "s");
	if (problems)
		write_problems(f, problems);
	if (nodes)
		write_repairs(f, nodes);
	fputs("\nWhat was found\n\n", f);
	if (nodes)
		write_nodes(f, nodes, colours);
}

void reporttext_node_line(char *buf, size_t size, json_object *node)
{
	const char *code = json_text(node, "code"), *reason = json_text(node, "reason");

	snprintf(buf, size, "%-11s %s%s%s%s%s%s", json_text(node, "verdict"), json_text(node, "stack"),
		 code[0] ? " (" : "", code, code[0] ? ")" : "", reason[0] ? ": " : "", reason);
}
