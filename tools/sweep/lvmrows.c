/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lvmrows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nodejson.h"

json_object *report_rows(json_object *report, const char *section)
{
	json_object *array;

	if (json_object_object_get_ex(report, section, &array) &&
	    json_object_is_type(array, json_type_array))
		return array;
	return NULL;
}

json_object *report_first(json_object *report, const char *section)
{
	json_object *array = report_rows(report, section);

	return array && json_object_array_length(array) ? json_object_array_get_idx(array, 0) : NULL;
}

static int compare(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int by_value = strcmp(a->value, b->value);

	if (by_value)
		return by_value;
	return a->place < b->place ? -1 : a->place > b->place;
}

int row_index_make(struct row_index *x, json_object *report, const char *section, const char *key)
{
	json_object *array = report_rows(report, section);
	size_t n = array ? json_object_array_length(array) : 0;

	x->row = calloc(n + 1, sizeof(*x->row));
	if (!x->row)
		return -ENOMEM;
	for (x->n = 0; x->n < n; x->n++) {
		struct row *r = &x->row[x->n];

		r->row = json_object_array_get_idx(array, x->n);
		r->value = json_text(r->row, key);
		r->place = x->n;
	}
	qsort(x->row, n, sizeof(*x->row), compare);
	return 0;
}

void row_index_free(struct row_index *x)
{
	free(x->row);
	*x = (struct row_index){ .n = 0 };
}

size_t row_index_find(const struct row_index *x, const char *value, const struct row **first)
{
	size_t low = 0, high = x->n, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(x->row[middle].value, value) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < x->n && strcmp(x->row[end].value, value) == 0; end++)
		;
	*first = x->row + low;
	return end - low;
}
