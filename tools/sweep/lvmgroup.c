/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "lvmgroup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "lvmrows.h"
#include "nodejson.h"

#define SECTOR 512
#define LVM_UUID_PREFIX "LVM-" /* of a mapping's dm UUID; VG and LV UUID follow without dashes */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-"
#define MAX_LEGS 128
#define PARAMS_SIZE 8192

void volume_leave(struct volume *v, enum verdict verdict, const char *code, const char *fmt, ...)
{
	va_list ap;

	v->verdict = verdict;
	snprintf(v->code, sizeof(v->code), "%s", code);
	va_start(ap, fmt);
	vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
	va_end(ap);
}

void volume_note(struct volume *v, const char *code, const char *fmt, ...)
{
	va_list ap;

	snprintf(v->code, sizeof(v->code), "%s", code);
	va_start(ap, fmt);
	vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
	va_end(ap);
}

/* "AbCdEf-0123-..." to the 32 characters of a dm UUID. */
static void append_plain_uuid(char *dst, size_t size, const char *uuid)
{
	size_t used = strlen(dst);

	for (; *uuid && used + 1 < size; uuid++)
		if (*uuid != '-')
			dst[used++] = *uuid;
	dst[used] = 0;
}

void group_dm_uuid(const struct group *g, const struct volume *v, char *uuid, size_t size)
{
	snprintf(uuid, size, LVM_UUID_PREFIX);
	append_plain_uuid(uuid, size, g->uuid);
	if (v)
		append_plain_uuid(uuid, size, v->uuid);
}

static size_t length(json_object *array)
{
	return array && json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

static const char *word_at(json_object *array, size_t i)
{
	const char *word = json_object_get_string(json_object_array_get_idx(array, i));

	return word ? word : "";
}

static bool has_word(json_object *row, const char *key, const char *word)
{
	json_object *array = report_rows(row, key);
	size_t i;

	for (i = 0; i < length(array); i++)
		if (strcmp(word_at(array, i), word) == 0)
			return true;
	return false;
}

static void join_words(char *dst, size_t size, json_object *array)
{
	size_t used = 0, i;

	dst[0] = 0;
	for (i = 0; i < length(array) && used < size; i++)
		used += (size_t)snprintf(dst + used, size - used, "%s%s", i ? "," : "", word_at(array, i));
}

static uint64_t bytes_of(json_object *row, const char *key)
{
	return strtoull(json_text(row, key), NULL, 10);
}

static bool is_true(json_object *row, const char *key)
{
	return strcmp(json_text(row, key), "1") == 0;
}

/* ---- the tables of plain volumes ---- */

/* Where the data of the physical volume begins that LVM calls name; its device is one of g's. */
struct origin {
	const char *device;
	uint64_t start; /* bytes */
};

static bool find_origin(const struct node *vg_node, json_object *report, const char *name,
			size_t name_length, struct origin *o)
{
	json_object *pvs = report_rows(report, "pv");
	size_t i, k;

	for (i = 0; i < length(pvs); i++) {
		json_object *pv = json_object_array_get_idx(pvs, i);
		const char *pv_name = json_text(pv, "pv_name");

		if (strlen(pv_name) != name_length || strncmp(pv_name, name, name_length) != 0)
			continue;
		o->start = bytes_of(pv, "pe_start");
		for (k = 0; k < vg_node->n_parents; k++)
			if (strcmp(vg_node->parents[k]->uuid, json_text(pv, "pv_uuid")) == 0) {
				o->device = vg_node->parents[k]->parents[0]->device;
				return true;
			}
	}
	return false;
}

/* One leg, "DEVICE(EXTENT)", as "DEVICE SECTOR" behind what params holds. Returns false where
 * it is no physical volume. */
static bool add_leg(const struct node *vg_node, json_object *report, const char *leg,
		    uint64_t extent_bytes, char *params)
{
	const char *bracket = strrchr(leg, '(');
	size_t used = strlen(params);
	struct origin o;
	uint64_t at;

	if (!bracket || !find_origin(vg_node, report, leg, (size_t)(bracket - leg), &o))
		return false;
	at = o.start + strtoull(bracket + 1, NULL, 10) * extent_bytes;
	snprintf(params + used, PARAMS_SIZE - used, "%s%s %llu", used ? " " : "", o.device,
		 (unsigned long long)(at / SECTOR));
	return strlen(params) + 1 < PARAMS_SIZE;
}

/* The table line of a linear or striped segment. Returns 1; 0 where it is none of these. */
static int take_segment(const struct node *vg_node, json_object *report, json_object *seg,
			struct dm_line *line)
{
	json_object *legs = report_rows(seg, "devices");
	const char *type = json_text(seg, "segtype");
	uint64_t extent = bytes_of(report_first(report, "vg"), "vg_extent_size");
	char params[PARAMS_SIZE] = "";
	size_t n = length(legs), i;

	if ((strcmp(type, "linear") != 0 && strcmp(type, "striped") != 0) || n == 0 || n > MAX_LEGS ||
	    extent == 0)
		return 0;
	if (n > 1)
		snprintf(params, sizeof(params), "%zu %llu", n,
			 (unsigned long long)(bytes_of(seg, "stripe_size") / SECTOR));
	for (i = 0; i < n; i++)
		if (!add_leg(vg_node, report, word_at(legs, i), extent, params))
			return 0;
	*line = (struct dm_line){ .start = bytes_of(seg, "seg_start") / SECTOR,
				  .sectors = bytes_of(seg, "seg_size") / SECTOR,
				  .target = n > 1 ? "striped" : "linear", .params = strdup(params) };
	return line->params ? 1 : -ENOMEM;
}

static void drop_lines(struct volume *v)
{
	size_t i;

	for (i = 0; i < v->n_lines; i++)
		free((char *)v->line[i].params);
	free(v->line);
	v->line = NULL;
	v->n_lines = 0;
}

/* A report, and what is looked for in it again and again. */
struct reading {
	json_object *report;
	struct row_index segments; /* by their volume's UUID */
	struct row_index volumes;  /* by name */
	/* What is under way anywhere in the group: */
	bool move;  /* a hidden volume below those that it moves, and it may be below any part of one */
	bool merge;
};

/* The segments of v, which stand in their order. Where they do not make a plain volume
 * without a gap, it is left without lines. */
static int take_segments(struct volume *v, const struct node *vg_node, const struct reading *r)
{
	const struct row *segs;
	size_t n = row_index_find(&r->segments, v->uuid, &segs), i;
	uint64_t end = 0;
	int rc = 1;

	if (n == 0)
		return 0;
	v->line = calloc(n, sizeof(*v->line));
	if (!v->line)
		return -ENOMEM;
	for (i = 0; rc > 0 && i < n; i++) {
		rc = take_segment(vg_node, r->report, segs[i].row, &v->line[i]);
		if (rc <= 0)
			break;
		v->n_lines++;
		if (v->line[i].start != end)
			rc = 0;
		end += v->line[i].sectors;
	}
	if (rc <= 0 || end != v->bytes / SECTOR)
		drop_lines(v);
	return rc < 0 ? rc : 0;
}

/* ---- volumes ---- */

static json_object *find_lv(const struct reading *r, const char *name)
{
	const struct row *found;

	return name[0] && row_index_find(&r->volumes, name, &found) ? found->row : NULL;
}

static int begin_reading(struct reading *r, json_object *report)
{
	size_t i;

	*r = (struct reading){ .report = report };
	if (row_index_make(&r->segments, report, "seg", "lv_uuid") < 0 ||
	    row_index_make(&r->volumes, report, "lv", "lv_name") < 0)
		return -ENOMEM;
	for (i = 0; i < r->volumes.n; i++) {
		r->move |= has_word(r->volumes.row[i].row, "lv_role", "pvmove");
		r->merge |= is_true(r->volumes.row[i].row, "lv_merging");
	}
	return 0;
}

static void end_reading(struct reading *r)
{
	row_index_free(&r->segments);
	row_index_free(&r->volumes);
}

static bool is_name(const char *name)
{
	return name[0] && name[0] != '-' && strspn(name, NAME_LETTERS) == strlen(name);
}

/* What activation would go on with, and so must not come to it. */
static void judge(struct volume *v, const struct group *g, const struct reading *r, json_object *row)
{
	if (!is_name(v->name) || !is_name(g->name))
		volume_leave(v, VERDICT_ERROR, "unsupported", "its name is none that LVM allows");
	else if (r->merge && (is_true(row, "lv_merging") ||
			      is_true(find_lv(r, json_text(row, "origin")), "lv_merging")))
		volume_leave(v, VERDICT_SKIPPED, "in-use",
			     "a snapshot waits to be merged into %s, which activation would begin; activate it "
			     "on its own system and let that end",
			     is_true(row, "lv_merging") ? "it" : json_text(row, "origin"));
	else if (is_true(row, "lv_converting"))
		volume_leave(v, VERDICT_SKIPPED, "in-use",
			     "its conversion (lvconvert) is under way, and activation would go on with it");
	else if (!v->line && r->move)
		volume_leave(v, VERDICT_SKIPPED, "in-use",
			     "a pvmove is under way in its group, and activation would go on with it; end it "
			     "with pvmove, or with pvmove --abort");
}

/* Which role takes a linear volume from the plain ones. */
static bool is_alone(json_object *row)
{
	json_object *roles = report_rows(row, "lv_role");

	return length(roles) == 1 && strcmp(word_at(roles, 0), "public") == 0;
}

/* The second letter of lv_attr; lv_permissions is not told without device-mapper. */
static bool is_read_only(json_object *row)
{
	const char *attr = json_text(row, "lv_attr");

	return attr[0] && attr[1] == 'r';
}

static int take_volume(struct group *g, const struct node *vg_node, const struct reading *r, json_object *row)
{
	struct volume *v = &g->volume[g->n_volumes++];
	const char *name = json_text(row, "lv_name");
	int rc = 0;

	/* LVM gives hidden ones as "[NAME]" */
	v->is_public = name[0] != '[' && has_word(row, "lv_role", "public");
	escape_text(v->name, sizeof(v->name), name + (name[0] == '['));
	if (name[0] == '[' && v->name[0])
		v->name[strlen(v->name) - 1] = 0;
	escape_text(v->uuid, sizeof(v->uuid), json_text(row, "lv_uuid"));
	join_words(v->layout, sizeof(v->layout), report_rows(row, "lv_layout"));
	v->bytes = bytes_of(row, "lv_size");
	v->read_only = is_read_only(row);
	if (v->is_public && is_alone(row))
		rc = take_segments(v, vg_node, r);
	judge(v, g, r, row);
	return rc;
}

int group_read(struct group *g, const struct node *vg_node, json_object *report, struct err *e)
{
	json_object *array = report_rows(report, "lv"), *row = report_first(report, "vg");
	struct reading r;
	size_t i;
	int rc;

	memset(g, 0, sizeof(*g));
	if (!row)
		return err_set_word(e, EPROTO, "tool-failed", "lvm fullreport gave no report");
	g->id = vg_node->id;
	escape_text(g->name, sizeof(g->name), json_text(row, "vg_name"));
	escape_text(g->uuid, sizeof(g->uuid), json_text(row, "vg_uuid"));
	for (i = 0; i < vg_node->n_parents; i++) {
		const struct node *device = vg_node->parents[i]->parents[0];

		g->device[i] = device->device;
		g->device_bytes[i] = device->bytes;
		g->read_only |= device->read_only;
	}
	g->n_devices = vg_node->n_parents;
	g->volume = calloc(length(array) + 1, sizeof(*g->volume));
	rc = begin_reading(&r, report);
	if (!g->volume)
		rc = -ENOMEM;
	for (i = 0; rc == 0 && i < length(array); i++)
		rc = take_volume(g, vg_node, &r, json_object_array_get_idx(array, i));
	end_reading(&r);
	return rc < 0 ? err_set(e, ENOMEM, "no memory for the logical volumes") : 0;
}

void group_release(struct group *g)
{
	size_t i;

	for (i = 0; i < g->n_volumes; i++)
		drop_lines(&g->volume[i]);
	free(g->volume);
	free(g->copy);
	g->volume = NULL;
	g->copy = NULL;
	g->n_volumes = 0;
}
