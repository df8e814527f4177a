/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of a report of LVM's (lvmcmd_report()), and finding some among them: a guest's metadata may
 * name a hundred thousand segments, so nothing here goes through all of them for each volume. */
#ifndef GS_LVMROWS_H
#define GS_LVMROWS_H

#include <stddef.h>

#include <json-c/json_object.h>

#include "attrs.h"

/* The array "vg", "pv", "lv" or "seg" of a report (NULL: an empty one), or NULL; its first object,
 * or NULL. */
json_object *report_rows(json_object *report, const char *section) nonnull_at(2);
json_object *report_first(json_object *report, const char *section) nonnull_at(2);

struct row {
	const char *value; /* of the key it was made for */
	size_t place;      /* in the report */
	json_object *row;
};

struct row_index {
	struct row *row; /* by value, then by place */
	size_t n;
};

/* Fills x with the rows of that section by what key says in them; they stay report's. Returns 0 or -ENOMEM;
 * release it with row_index_free(). */
int row_index_make(struct row_index *x, json_object *report, const char *section, const char *key)
	must_check nonnull_at(1, 3, 4);
void row_index_free(struct row_index *x) nonnull_all;

/* How many rows have this value; *first is the first of them, the others follow in the report's order. */
size_t row_index_find(const struct row_index *x, const char *value, const struct row **first) nonnull_all;

#endif
