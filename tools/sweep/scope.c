/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scope.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "settings_value.h"

static struct scope *add_scope(struct scopes *list, const char *name, struct err *e)
{
	struct scope **grown = realloc(list->s, (list->n + 1) * sizeof(*grown));
	struct scope *s = grown ? calloc(1, sizeof(*s)) : NULL;

	if (grown)
		list->s = grown;
	if (!s) {
		err_set(e, ENOMEM, "no memory for a scope");
		return NULL;
	}
	list->s[list->n++] = s;
	snprintf(s->name, sizeof(s->name), "%s", name);
	return s;
}

int scope_add_volume(struct scope *s, struct node *volume, struct err *e)
{
	if (nodes_grow(&s->volumes, s->n_volumes) < 0)
		return err_set(e, ENOMEM, "no memory for a volume");
	s->volumes[s->n_volumes++] = volume;
	s->bytes += volume->bytes;
	return 0;
}

static struct scope *scope_of(struct scopes *list, const struct guest *guest)
{
	size_t i;

	for (i = 0; guest && i < list->n; i++)
		if (list->s[i]->guest == guest && !list->s[i]->started)
			return list->s[i];
	return NULL;
}

/* "VG/LV", or "VG/LV:/PATH" for an image file. */
static bool is_named(const struct guest_disk *disk, const struct node *volume)
{
	char name[NODE_PATH_SIZE];
	size_t n = strlen(disk->volume);

	node_path(volume, name);
	if (!disk->path)
		return strcmp(disk->volume, name) == 0;
	return strncmp(disk->volume, name, n) == 0 && name[n] == ':' &&
	       strcmp(name + n + 1, disk->path) == 0;
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

/* true where item names an image file on the host's volume called path. */
static bool is_on(const char *item, const char *path)
{
	size_t n = strlen(path);

	return strncmp(item, path, n) == 0 && item[n] == ':';
}

/* What is asked for may be an image file on this volume, or a guest's disk there. */
static bool may_hold_wanted(const struct settings *settings, const char *path)
{
	size_t i, k;

	for (i = 0; i < settings->only.n; i++) {
		const struct guest *guest = settings_guest(settings, settings->only.item[i]);

		if (is_on(settings->only.item[i], path))
			return true;
		for (k = 0; guest && k < guest->n_disks; k++)
			if (guest->disks[k].path && strcmp(guest->disks[k].volume, path) == 0)
				return true;
	}
	return false;
}

/* As the settings keep it: "sda2". */
static const char *without_dev(const char *path)
{
	return strncmp(path, "/dev/", 5) == 0 ? path + 5 : path;
}

static bool is_one_of(const struct words *volumes, const char *path)
{
	return words_have(volumes, path) || words_have(volumes, without_dev(path));
}

/* An image file goes with the volume it lies on: "VG/LV", "sda2". */
static bool is_on_one_of(const struct words *volumes, const char *path)
{
	size_t i;

	for (i = 0; i < volumes->n; i++)
		if (is_on(path, volumes->item[i]) || is_on(without_dev(path), volumes->item[i]))
			return true;
	return false;
}

bool scope_is_asked_for(const struct settings *settings, const struct node *volume, const char *name)
{
	char path[NODE_PATH_SIZE];

	node_path(volume, path);
	return words_have(&settings->only, name) || is_one_of(&settings->only, path) ||
	       is_on_one_of(&settings->only, path);
}

/* Whether the admin wants this volume left alone. */
static bool is_ignored(const struct settings *settings, const struct node *volume)
{
	char path[NODE_PATH_SIZE];

	node_path(volume, path);
	return is_one_of(&settings->ignore, path) || words_have(&settings->ignore, volume->stack);
}

/* The same, or it is none of those that are asked for. */
static bool is_unwanted(const struct settings *settings, const struct node *volume,
			const char *name)
{
	char path[NODE_PATH_SIZE];

	node_path(volume, path);
	if (is_ignored(settings, volume))
		return true;
	return settings->only.n > 0 && !scope_is_asked_for(settings, volume, name) &&
	       !may_hold_wanted(settings, path);
}

static void name_of(const struct settings *settings, const struct crypttab *crypttab,
		    const struct node *volume, char *name, size_t size)
{
	const struct guest *guest = guest_of(settings, volume);
	const struct crypttab_entry *entry = keys_entry(crypttab, volume, NULL);

	if (guest || entry)
		snprintf(name, size, "%s", guest ? guest->name : entry->name);
	else
		snprintf(name, size, "%s", volume->kind == KIND_IMAGE ? volume->name : volume->stack);
}

/* A volume with guests' image files on it is opened for what they may do to theirs. */
static enum mode mode_of(const struct settings *settings, const struct node *volume,
			 const char *name)
{
	enum mode mode = settings_mode(settings, name);
	char path[NODE_PATH_SIZE];
	size_t i, k;

	node_path(volume, path);
	for (i = 0; i < settings->n_guests; i++)
		for (k = 0; k < settings->guests[i].n_disks; k++) {
			const struct guest_disk *disk = &settings->guests[i].disks[k];
			enum mode wanted = settings_mode(settings, settings->guests[i].name);

			if (disk->path && strcmp(disk->volume, path) == 0 && wanted > mode)
				mode = wanted;
		}
	return mode;
}

/* What is not asked for may still hold the save of a guest that is. */
static int place_to_look(struct scopes *list, const struct settings *settings, struct node *volume,
			 const char *name, struct err *e)
{
	struct scope *s;

	if (is_ignored(settings, volume) || guest_of(settings, volume))
		return 0;
	s = add_scope(list, name, e);
	if (!s || scope_add_volume(s, volume, e) < 0)
		return -ENOMEM;
	s->looks_only = true;
	s->mode = MODE_CHECK;
	return 0;
}

static struct scope *place(struct scopes *list, const struct settings *settings,
			   struct node *volume, const char *name, struct err *e)
{
	const struct guest *guest = guest_of(settings, volume);
	struct scope *s = scope_of(list, guest);

	if (!s)
		s = add_scope(list, name, e);
	if (!s || scope_add_volume(s, volume, e) < 0)
		return NULL;
	s->guest = guest;
	s->mode = mode_of(settings, volume, name);
	s->undo = settings_undo(settings, name);
	if (s->guest && s->guest->is_saved)
		node_forbid(volume, "saved-state", "sweep.conf says that guest %s is saved with its memory", name);
	return s;
}

int scope_add_holder(struct scope *s, struct scope *holder, struct err *e)
{
	struct scope **grown;

	if (lies_on(s, holder))
		return 0;
	grown = realloc(s->holders, (s->n_holders + 1) * sizeof(*grown));
	if (!grown)
		return err_set(e, ENOMEM, "no memory for a scope");
	s->holders = grown;
	s->holders[s->n_holders++] = holder;
	return 0;
}

struct node *scopes_find_room(struct scopes *list, size_t n)
{
	struct node *nodes = calloc(n, sizeof(*nodes));

	if (!nodes || nodes_grow(&list->found, list->n_found) < 0) {
		free(nodes);
		return NULL;
	}
	return list->found[list->n_found++] = nodes;
}

struct scope *scopes_add(struct scopes *list, struct node *volume, struct scope *holder,
			 const struct settings *settings, const struct crypttab *crypttab)
{
	struct scope *s;
	struct err e;
	char name[128];

	name_of(settings, crypttab, volume, name, sizeof(name));
	if (is_unwanted(settings, volume, name)) {
		node_verdict(volume, VERDICT_SKIPPED, "ignored", "left alone as configured");
		return NULL;
	}
	s = place(list, settings, volume, name, &e);
	return s && scope_add_holder(s, holder, &e) == 0 ? s : NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool image_may_be(const struct node *image, const char *name)
{
	const char *own = image->host_path[0] ? image->host_path : image->name;

	if (image->host_path[0] && name[0] == '/')
		return strcmp(own, name) == 0;
	return image_has_name(image, name);
}

bool image_has_name(const struct node *image, const char *name)
{
	return strcmp(base_name(image->name), base_name(name)) == 0;
}

size_t scopes_spare_backing(const struct scopes *list, struct scope *s)
{
	size_t kept = 0, i, k, before = s->n_volumes;

	for (i = 0; i < before; i++) {
		struct node *n = s->volumes[i];

		for (k = 0; n->kind == KIND_IMAGE && k < list->references.n; k++)
			if (image_may_be(n, list->references.item[k]))
				break;
		if (n->kind == KIND_IMAGE && k < list->references.n)
			node_verdict(n, VERDICT_SKIPPED, "backing-file",
				     "an image on another filesystem, which is refused, may lie on it");
		else
			s->volumes[kept++] = n;
	}
	s->n_volumes = kept;
	return before - kept;
}

bool is_waiting(const struct scope *s)
{
	size_t i;

	for (i = 0; s->guest && i < s->guest->n_disks; i++)
		if (s->guest->disks[i].path && s->n_volumes < s->guest->n_disks)
			return true;
	return false;
}

bool lies_on(const struct scope *s, const struct scope *holder)
{
	size_t i;

	for (i = 0; i < s->n_holders; i++)
		if (s->holders[i] == holder)
			return true;
	return false;
}

static int longest_first(const void *a, const void *b)
{
	const struct scope *x = *(struct scope *const *)a, *y = *(struct scope *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return (x->volumes[0]->id > y->volumes[0]->id) - (x->volumes[0]->id < y->volumes[0]->id);
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
		if (is_unwanted(settings, volume, name)) {
			node_verdict(volume, VERDICT_SKIPPED, "ignored", "left alone as configured");
			if (place_to_look(list, settings, volume, name, e) < 0)
				return -ENOMEM;
		} else if (!place(list, settings, volume, name, e)) {
			return -ENOMEM;
		}
	}
	if (list->n)
		qsort(list->s, list->n, sizeof(*list->s), longest_first);
	return 0;
}

size_t scopes_to_sweep(const struct scopes *list)
{
	size_t n = 0, i;

	for (i = 0; i < list->n; i++)
		n += !list->s[i]->looks_only;
	return n;
}

void scopes_free(struct scopes *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		free(list->s[i]->volumes);
		free(list->s[i]->holders);
		words_clear(&list->s[i]->opened_as);
		free(list->s[i]);
	}
	for (i = 0; i < list->n_found; i++)
		free(list->found[i]);
	free(list->found);
	words_clear(&list->references);
	json_object_put(list->saves);
	words_clear(&list->looked_into);
	free(list->s);
	memset(list, 0, sizeof(*list));
}
