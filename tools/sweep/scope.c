/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scope.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"

static struct scope *add_scope(struct scopes *list, const char *name, struct err *e)
{
	struct scope *grown = realloc(list->s, (list->n + 1) * sizeof(*grown));
	struct scope *s;

	if (!grown) {
		err_set(e, ENOMEM, "no memory for a scope");
		return NULL;
	}
	list->s = grown;
	s = &list->s[list->n++];
	memset(s, 0, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", name);
	return s;
}

static int add_volume(struct scope *s, struct node *volume, struct err *e)
{
	struct node **grown = realloc(s->volumes, (s->n_volumes + 1) * sizeof(*grown));

	if (!grown)
		return err_set(e, ENOMEM, "no memory for a volume");
	s->volumes = grown;
	s->volumes[s->n_volumes++] = volume;
	s->bytes += volume->bytes;
	return 0;
}

static struct scope *scope_of(struct scopes *list, const struct guest *guest)
{
	size_t i;

	for (i = 0; guest && i < list->n; i++)
		if (list->s[i].guest == guest)
			return &list->s[i];
	return NULL;
}

static bool is_named(const struct guest_disk *disk, const struct node *volume)
{
	char name[NODE_PATH_SIZE];

	node_path(volume, name);
	return strcmp(disk->volume, name) == 0;
}

static const struct guest *guest_of(const struct settings *settings, const struct node *volume)
{
	size_t i, k;

	for (i = 0; i < settings->n_guests; i++)
		for (k = 0; k < settings->guests[i].n_disks; k++)
			if (is_named(&settings->guests[i].disks[k], volume))
				return &settings->guests[i];
	return NULL;
}

/* Whether the admin wants this volume left alone. */
static bool is_unwanted(const struct settings *settings, const struct node *volume,
			const char *name)
{
	char path[NODE_PATH_SIZE];

	node_path(volume, path);
	if (words_have(&settings->ignore, path) || words_have(&settings->ignore, volume->stack))
		return true;
	return settings->only.n > 0 && !words_have(&settings->only, name) &&
	       !words_have(&settings->only, path);
}

static void name_of(const struct settings *settings, const struct crypttab *crypttab,
		    const struct node *volume, char *name, size_t size)
{
	const struct guest *guest = guest_of(settings, volume);
	const struct crypttab_entry *entry = keys_entry(crypttab, volume, NULL);

	snprintf(name, size, "%s", guest ? guest->name : entry ? entry->name : volume->stack);
}

static int place(struct scopes *list, const struct settings *settings, struct node *volume,
		 const char *name, struct err *e)
{
	const struct guest *guest = guest_of(settings, volume);
	struct scope *s = scope_of(list, guest);

	if (!s)
		s = add_scope(list, name, e);
	if (!s)
		return -ENOMEM;
	s->guest = guest;
	s->mode = settings_mode(settings, name);
	s->undo = settings_undo(settings, name);
	return add_volume(s, volume, e);
}

static int longest_first(const void *a, const void *b)
{
	const struct scope *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return (x->volumes[0]->id > y->volumes[0]->id) - (x->volumes[0]->id < y->volumes[0]->id);
}

static int as_found(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;

	return (x->id > y->id) - (x->id < y->id);
}

int scopes_make(struct scopes *list, struct walk *host, const struct settings *settings,
		const struct crypttab *crypttab, struct err *e)
{
	char name[128];
	size_t i;

	memset(list, 0, sizeof(*list));
	for (i = 0; i < host->n_nodes; i++) {
		struct node *volume = host->nodes[i];

		if (!is_volume(volume))
			continue;
		name_of(settings, crypttab, volume, name, sizeof(name));
		if (is_unwanted(settings, volume, name))
			node_verdict(volume, VERDICT_SKIPPED, "ignored", "left alone as configured");
		else if (place(list, settings, volume, name, e) < 0)
			return -ENOMEM;
	}
	if (list->n)
		qsort(list->s, list->n, sizeof(*list->s), longest_first);
	return 0;
}

static bool lack_parts_of_one(const struct scope *a, const struct scope *b)
{
	size_t i, k;

	for (i = 0; i < a->n_groups; i++)
		for (k = 0; k < b->n_groups; k++)
			if (strcmp(a->groups[i], b->groups[k]) == 0)
				return true;
	return false;
}

/* Moves all of b into a; b is done then. */
static int join(struct scope *a, struct scope *b, struct err *e)
{
	size_t i;

	for (i = 0; i < b->n_volumes; i++)
		if (add_volume(a, b->volumes[i], e) < 0)
			return -ENOMEM;
	for (i = 0; i < b->n_groups && a->n_groups < MAX_GROUPS; i++)
		memcpy(a->groups[a->n_groups++], b->groups[i], sizeof(b->groups[i]));
	/* the one that may do less, or asks for more care, decides */
	if (b->mode < a->mode)
		a->mode = b->mode;
	if (b->undo > a->undo)
		a->undo = b->undo;
	b->incomplete = false;
	b->done = true;
	return 0;
}

int scopes_join(struct scopes *list, struct err *e)
{
	size_t i, k;

	for (i = 0; i < list->n; i++) {
		struct scope *s = &list->s[i];

		for (k = 0; s->incomplete && k < list->n; k++) {
			struct scope *other = &list->s[k];

			if (k == i || !other->incomplete || !lack_parts_of_one(s, other))
				continue;
			if (join(s, other, e) < 0)
				return -ENOMEM;
			k = (size_t)-1; /* what joined may have more in common */
		}
		if (!s->incomplete)
			continue;
		qsort(s->volumes, s->n_volumes, sizeof(*s->volumes), as_found);
		s->incomplete = s->done = false;
		s->last_try = true;
	}
	return 0;
}

void scopes_free(struct scopes *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->s[i].volumes);
	free(list->s);
	memset(list, 0, sizeof(*list));
}
