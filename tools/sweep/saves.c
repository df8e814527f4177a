/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "saves.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "nodejson.h"
#include "settings_value.h"

#define MAPPER "/dev/mapper/"
#define DM_NAME "/dev/disk/by-id/dm-name-"

/* Where that can't be noted, it counts as not looked into. */
static void note_folder(struct scopes *list, json_object *looked)
{
	char *where = strdup(json_text(looked, "where"));
	struct err e;

	if (where && words_add(&list->looked_into, where, &e) < 0)
		log_line("%s", e.text);
	json_object_put(looked);
}

void saves_add(struct scopes *list, json_object *save)
{
	if (save && json_number(save, "looked")) {
		note_folder(list, save);
		return;
	}
	if (!list->saves)
		list->saves = json_object_new_array();
	if (!list->saves || !save || json_object_array_add(list->saves, save) < 0)
		list->hold = true; /* there is one, and nobody will know of which guest */
}

static size_t n_saves(const struct scopes *list)
{
	return list->saves ? json_object_array_length(list->saves) : 0;
}

static const char *source_of(json_object *save, size_t i)
{
	json_object *sources;

	if (!json_object_object_get_ex(save, "sources", &sources) || i >= json_object_array_length(sources))
		return NULL;
	return json_object_get_string(json_object_array_get_idx(sources, i));
}

/* The name behind /dev/mapper/, or NULL. */
static const char *mapper_name(const char *source)
{
	if (strncmp(source, MAPPER, strlen(MAPPER)) == 0)
		return source + strlen(MAPPER);
	return strncmp(source, DM_NAME, strlen(DM_NAME)) == 0 ? source + strlen(DM_NAME) : NULL;
}

/* "VG/LV", or "/dev/..." as it is, into volume. Returns false where it is neither. */
static bool volume_of(const char *source, char volume[NODE_PATH_SIZE])
{
	const char *mapped = mapper_name(source);
	char path[NODE_PATH_SIZE], *found;
	struct err e;

	snprintf(path, sizeof(path), "%s%s", mapped ? MAPPER : "", mapped ? mapped : source);
	if (value_volume(path, &found, &e) < 0)
		return false;
	snprintf(volume, NODE_PATH_SIZE, "%s", found);
	free(found);
	return true;
}

/* Whether the guest's disk called source lies on volume, which was opened by the name opened_as of
 * crypttab ("": none). A file is known by its name: the way to it may lead over symbolic links. */
static bool is_on(const char *source, const struct node *volume, const struct words *opened_as)
{
	char name[NODE_PATH_SIZE], path[NODE_PATH_SIZE];
	const char *mapped = mapper_name(source);

	if (volume->kind == KIND_IMAGE)
		return strncmp(source, "/dev/", 5) != 0 && image_has_name(volume, source);
	if (mapped && words_have(opened_as, mapped))
		return true;
	node_path(volume, path);
	return volume_of(source, name) && strcmp(name, path) == 0;
}

/* Whether two runs of Linux surely call nothing else by this name. */
static bool is_lasting(const char *source)
{
	char volume[NODE_PATH_SIZE];

	if (strncmp(source, "/dev/", 5) != 0)
		return true; /* a file, or a volume in a pool */
	return mapper_name(source) || (volume_of(source, volume) && volume[0] != '/');
}

static bool is_named(json_object *save, const char *name)
{
	return name[0] && (strcmp(json_text(save, "name"), name) == 0 ||
			   strcmp(json_text(save, "domain"), name) == 0);
}

static struct node *volume_named(json_object *save, const struct scope *s)
{
	const char *source;
	size_t i, k;

	for (k = 0; k < s->n_volumes; k++)
		for (i = 0; (source = source_of(save, i)); i++)
			if (is_on(source, s->volumes[k], &s->opened_as))
				return s->volumes[k];
	return is_named(save, s->name) && s->n_volumes ? s->volumes[0] : NULL;
}

void saves_place(struct scopes *list, struct scope *s)
{
	size_t i;

	for (i = 0; i < n_saves(list); i++) {
		json_object *save = json_object_array_get_idx(list->saves, i);
		struct node *volume = volume_named(save, s);

		if (!volume)
			continue;
		json_object_object_add(save, "placed", json_object_new_int(1));
		node_forbid(volume, "saved-state",
			    "libvirt has saved this guest with its memory in %.200s; start it and shut it down, "
			    "or give its memory up (virsh managedsave-remove)", json_text(save, "where"));
	}
}

static bool is_on_any(const struct scopes *list, const char *source)
{
	size_t i, k;

	for (i = 0; i < list->n; i++)
		for (k = 0; k < list->s[i]->n_volumes; k++)
			if (is_on(source, list->s[i]->volumes[k], &list->s[i]->opened_as))
				return true;
	return false;
}

/* Why a save may be that of any guest; NULL: it is known whose it is, or that it is none's here. */
static const char *why_unsure(const struct scopes *list, const struct settings *settings, json_object *save)
{
	const char *source;
	size_t i;

	if (settings_guest(settings, json_text(save, "name")) || settings_guest(settings, json_text(save, "domain")))
		return NULL;
	if (json_text(save, "problem")[0])
		return json_text(save, "problem");
	for (i = 0; (source = source_of(save, i)); i++)
		if (!is_lasting(source) && !is_on_any(list, source))
			return source;
	return NULL;
}

static void hold_for(struct scopes *list, struct results *results, json_object *save, const char *why)
{
	json_object_object_add(save, "told", json_object_new_int(1));
	list->hold = true;
	if (json_number(save, "is_swap"))
		results_problem(results, SWEEP_ATTENTION, "hibernated",
				"%s holds a suspended system, and nobody knows whose: nothing at all is written; "
				"resume it and shut it down, name it in its guest's section, or under ignore",
				json_text(save, "where"));
	else
		results_problem(results, SWEEP_ATTENTION, "saved-state",
				"%s is a guest saved with its memory, and which one can't be told (%s): nothing at "
				"all is written; start it and shut it down, or give it a section [guest %s] with its "
				"disks", json_text(save, "where"), why,
				json_text(save, "domain")[0] ? json_text(save, "domain") : json_text(save, "name"));
}

/* A folder that is named and was not looked into may hold the save of any guest. */
static void judge_folders(struct scopes *list, const struct settings *settings, struct results *results)
{
	char where[NODE_PATH_SIZE];
	size_t i;

	for (i = 0; i < settings->saves.n; i++) {
		if (words_have(&list->looked_into, escape_text(where, sizeof(where), settings->saves.item[i])))
			continue;
		list->hold = true;
		results_problem(results, SWEEP_ATTENTION, "saved-state",
				"%s, where libvirt saves guests, could not be looked into, and any guest may be saved there: "
				"nothing at all is written; it is not there, locked, ignored or damaged", where);
	}
}

void saves_judge(struct scopes *list, const struct settings *settings, struct results *results)
{
	size_t i;

	judge_folders(list, settings, results);
	for (i = 0; i < list->n; i++)
		saves_place(list, list->s[i]);
	for (i = 0; i < n_saves(list); i++) {
		json_object *save = json_object_array_get_idx(list->saves, i);
		const char *why = why_unsure(list, settings, save);

		log_line("saved guest: %s", json_text(save, "where"));
		if (why)
			hold_for(list, results, save, why);
	}
}

void saves_report(const struct scopes *list, struct results *results)
{
	size_t i;

	for (i = 0; i < n_saves(list); i++) {
		json_object *save = json_object_array_get_idx(list->saves, i);

		if (!json_number(save, "placed") && !json_number(save, "told"))
			results_problem(results, SWEEP_ATTENTION, "saved-state",
					"%s is a guest saved with its memory, and none of its disks is among what was "
					"swept", json_text(save, "where"));
	}
}
