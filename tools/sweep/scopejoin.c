/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scopes whose volume groups or arrays turn out to be one guest's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scope.h"

static bool is_same_group(const char *a, const char *b)
{
	size_t n = strcspn(a, " ");

	return n == strcspn(b, " ") && strncmp(a, b, n) == 0;
}

static bool lack_parts_of_one(const struct scope *a, const struct scope *b)
{
	size_t i, k;

	for (i = 0; i < a->n_lacks; i++)
		for (k = 0; k < b->n_lacks; k++)
			if (is_same_group(a->lacks[i], b->lacks[k]))
				return true;
	return false;
}

/* Both have the same member of a group: one is a copy of the other. */
static bool are_copies(const struct scope *a, const struct scope *b)
{
	size_t i, k;

	for (i = 0; i < a->n_lacks; i++)
		for (k = 0; k < b->n_lacks; k++)
			if (strchr(a->lacks[i], ' ') && strcmp(a->lacks[i], b->lacks[k]) == 0)
				return true;
	return false;
}

static size_t likeness(const struct scope *a, const struct scope *b)
{
	char x[NODE_PATH_SIZE], y[NODE_PATH_SIZE];
	size_t n = 0;

	node_path(a->volumes[0], x);
	node_path(b->volumes[0], y);
	while (x[n] && x[n] == y[n])
		n++;
	return n;
}

/* No copy of b fits a as well as b does. */
static bool is_best_for(const struct scopes *list, const struct scope *a, const struct scope *b)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct scope *rival = list->s[i];

		if (rival != a && rival != b && rival->incomplete && are_copies(rival, b) &&
		    !are_copies(rival, a) && likeness(a, rival) >= likeness(a, b))
			return false;
	}
	return true;
}

static bool belong_together(const struct scopes *list, const struct scope *a,
			    const struct scope *b)
{
	return a != b && b->incomplete && lack_parts_of_one(a, b) && !are_copies(a, b) &&
	       is_best_for(list, a, b) && is_best_for(list, b, a);
}

/* Moves all of b into a; b is done then. */
static int join(struct scope *a, struct scope *b, struct err *e)
{
	size_t i;

	for (i = 0; i < b->n_volumes; i++)
		if (scope_add_volume(a, b->volumes[i], e) < 0)
			return -ENOMEM;
	for (i = 0; i < b->n_holders; i++)
		if (scope_add_holder(a, b->holders[i], e) < 0)
			return -ENOMEM;
	for (i = 0; i < b->n_lacks && a->n_lacks < MAX_LACKS; i++)
		memcpy(a->lacks[a->n_lacks++], b->lacks[i], sizeof(b->lacks[i]));
	/* the one that may do less, or asks for more care, decides */
	if (b->mode < a->mode)
		a->mode = b->mode;
	if (b->undo > a->undo)
		a->undo = b->undo;
	b->incomplete = false;
	b->done = true;
	return 0;
}

static int as_found(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;

	return (x->id > y->id) - (x->id < y->id);
}

int scopes_join(struct scopes *list, struct err *e)
{
	size_t i, k;

	for (i = 0; i < list->n; i++) {
		struct scope *s = list->s[i];

		for (k = 0; s->incomplete && k < list->n; k++) {
			if (!belong_together(list, s, list->s[k]))
				continue;
			if (join(s, list->s[k], e) < 0)
				return -ENOMEM;
			k = (size_t)-1; /* what joined may have more in common */
		}
		if (!s->incomplete)
			continue;
		qsort(s->volumes, s->n_volumes, sizeof(*s->volumes), as_found);
		s->incomplete = s->started = s->done = false;
		s->last_try = true;
	}
	return 0;
}
