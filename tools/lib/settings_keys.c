/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of [sweep] and the kernel command line, a setter each. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "settings_parse.h"
#include "settings_value.h"

#define MAX_JOBS 64
#define MAX_SETTLE_S 600

static int set_mode(struct settings *s, const char *value, struct err *e)
{
	return value_mode(value, &s->mode, e);
}

static int set_after(struct settings *s, const char *value, struct err *e)
{
	return value_after(value, &s->after, e);
}

static int set_undo(struct settings *s, const char *value, struct err *e)
{
	return value_undo(value, &s->undo, e);
}

static int set_deadline(struct settings *s, const char *value, struct err *e)
{
	return value_duration(value, 1, MAX_DEADLINE_S, &s->deadline_s, e);
}

static int set_jobs(struct settings *s, const char *value, struct err *e)
{
	uint64_t n = 0;

	if (strcmp(value, "auto") != 0 && value_number(value, 1, MAX_JOBS, &n, e) < 0)
		return err_set(e, EINVAL, "\"%s\" is neither auto nor a number from 1 to %d",
			       SHOWN(value), MAX_JOBS);
	s->jobs = (unsigned)n;
	return 0;
}

static int set_settle(struct settings *s, const char *value, struct err *e)
{
	uint64_t n;
	int rc = value_number(value, 0, MAX_SETTLE_S, &n, e);

	if (rc == 0)
		s->settle_s = (unsigned)n;
	return rc;
}

static bool is_filesystem(const char *device)
{
	static const char *const tags[] = { "LABEL=", "UUID=", "PARTUUID=" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tags); i++)
		if (strncmp(device, tags[i], strlen(tags[i])) == 0)
			return device[strlen(tags[i])];
	return strncmp(device, "/dev/", 5) == 0 && device[5] && is_plain_path(device);
}

/* Where the last ":/" of s begins, or NULL. */
static char *last_colon_slash(char *s)
{
	char *found = NULL;

	while ((s = strstr(s, ":/")))
		found = s++;
	return found;
}

/* DEVICE:/FOLDER or DEVICE. */
static int set_report(struct settings *s, const char *value, struct err *e)
{
	cleanup_free char *device = NULL, *folder = NULL;
	char *split;
	int rc;

	rc = value_copy(value, &device, e);
	if (rc < 0)
		return rc;
	split = last_colon_slash(device);
	rc = value_copy(split ? split + 1 : "/", &folder, e);
	if (rc < 0)
		return rc;
	if (split)
		*split = 0;
	if (folder[1] && folder[strlen(folder) - 1] == '/')
		folder[strlen(folder) - 1] = 0;
	if (!is_filesystem(device) || !is_plain_path(folder))
		return err_set(e, EINVAL, "\"%s\" is not DEVICE:/FOLDER, where DEVICE is LABEL=, "
			       "UUID=, PARTUUID= or a path in /dev, and FOLDER has no \"..\"",
			       SHOWN(value));
	free(s->report_device);
	free(s->report_folder);
	s->report_device = steal_ptr(&device);
	s->report_folder = steal_ptr(&folder);
	s->report_named = true;
	return 0;
}

static int image_pattern(const char *item, char **out, struct err *e)
{
	if (strchr(item, '/'))
		return err_set(e, EINVAL, "\"%s\" is a path; a pattern is for the file's name alone",
			       SHOWN(item));
	return value_copy(item, out, e);
}

static int set_images(struct settings *s, const char *value, struct err *e)
{
	return value_words(value, BLANKS, image_pattern, &s->images, e);
}

/* VG/LV:/PATH, an image file on a volume's filesystem. */
static int image_file(const char *item, char **out, struct err *e)
{
	struct guest_disk disk;
	int rc = value_guest_disk(item, &disk, e);

	if (rc < 0)
		return rc;
	if (asprintf(out, "%s:%s", disk.volume, disk.path) < 0)
		rc = err_set(e, ENOMEM, "no memory for the settings");
	guest_disk_clear(&disk);
	return rc;
}

/* VG/LV, VG/LV:/PATH, or a disk's kernel name with or without /dev/. */
static int volume_or_disk(const char *item, char **out, struct err *e)
{
	cleanup_free char *volume = NULL;
	int rc;

	if (strstr(item, ":/"))
		return image_file(item, out, e);
	if (!strchr(item, '/'))
		return value_copy(item, out, e);
	rc = value_volume(item, &volume, e);
	if (rc < 0)
		return rc;
	if (volume[0] != '/') {
		*out = steal_ptr(&volume);
		return 0;
	}
	if (strchr(volume + strlen("/dev/"), '/'))
		return err_set(e, EINVAL, "\"%s\" is neither VG/LV nor a disk like sdb",
			       SHOWN(item));
	return value_copy(volume + strlen("/dev/"), out, e);
}

static int set_ignore(struct settings *s, const char *value, struct err *e)
{
	return value_words(value, BLANKS, volume_or_disk, &s->ignore, e);
}

/* VG/LV:/FOLDER, on a volume's filesystem. */
static int folder_on_volume(const char *item, char **out, struct err *e)
{
	cleanup_free char *device = NULL, *volume = NULL;
	char *path;
	int rc = value_copy(item, &device, e);

	if (rc < 0)
		return rc;
	path = strstr(device, ":/");
	if (!path || !is_plain_path(path + 1))
		return err_set(e, EINVAL, "\"%s\" is not VG/LV:/FOLDER (without \"..\")", SHOWN(item));
	*path++ = 0;
	rc = value_volume(device, &volume, e);
	if (rc == 0 && asprintf(out, "%s:%s", volume, path) < 0)
		rc = err_set(e, ENOMEM, "no memory for the settings");
	return rc;
}

static int set_saves(struct settings *s, const char *value, struct err *e)
{
	return value_words(value, BLANKS, folder_on_volume, &s->saves, e);
}

/* A guest's name, VG/LV or a disk. */
static int guest_or_volume(const char *item, char **out, struct err *e)
{
	if (!*item)
		return err_set(e, EINVAL, "there is an empty name between the commas");
	return volume_or_disk(item, out, e);
}

static int set_only(struct settings *s, const char *value, struct err *e)
{
	return value_words(value, ",", guest_or_volume, &s->only, e);
}

/* On the command line "undo" is what to do, in the file a policy. */
static int set_take_back(struct settings *s, const char *value, struct err *e)
{
	cleanup_free char *copy = NULL;
	int rc = value_copy(value, &copy, e);
	size_t run = strcspn(value, ":");

	if (rc < 0)
		return rc;
	if (!run || (strncmp(value, "last", run) != 0 && strspn(value, "0123456789TZ") != run) ||
	    (value[run] && (!value[run + 1] || value[run + 1 + strspn(value + run + 1, "0123456789")])))
		return err_set(e, EINVAL, "\"%s\" is not RUN or RUN:NODE, a report's folder or \"last\", and a node's "
			       "number in it", SHOWN(value));
	free(s->take_back);
	s->take_back = steal_ptr(&copy);
	return 0;
}

static const struct setting {
	const char *key;
	unsigned places; /* of enum key_place */
	int (*set)(struct settings *s, const char *value, struct err *e);
} all_settings[] = {
	{ "mode", KEY_IN_FILE | KEY_ON_COMMAND_LINE, set_mode },
	{ "after", KEY_IN_FILE | KEY_ON_COMMAND_LINE, set_after },
	{ "deadline", KEY_IN_FILE | KEY_ON_COMMAND_LINE, set_deadline },
	{ "jobs", KEY_IN_FILE | KEY_ON_COMMAND_LINE, set_jobs },
	{ "report", KEY_IN_FILE | KEY_ON_COMMAND_LINE, set_report },
	{ "undo", KEY_IN_FILE, set_undo },
	{ "undo", KEY_ON_COMMAND_LINE, set_take_back },
	{ "images", KEY_IN_FILE, set_images },
	{ "ignore", KEY_IN_FILE, set_ignore },
	{ "saves", KEY_IN_FILE, set_saves },
	{ "only", KEY_ON_COMMAND_LINE, set_only },
	{ "settle", KEY_ON_COMMAND_LINE, set_settle },
};

int settings_set(struct settings *s, enum key_place place, const char *key, const char *value,
		 struct err *e)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all_settings); i++) {
		const struct setting *known = &all_settings[i];

		if (!(known->places & place) || strcmp(key, known->key) != 0)
			continue;
		if (!*value)
			return err_set(e, EINVAL, "there is no value");
		return known->set(s, value, e);
	}
	return err_set(e, ENOENT, "\"%s\" is not known", SHOWN(key));
}

char *settings_keys(enum key_place place, char *buf, size_t size)
{
	size_t i, used;

	buf[0] = 0;
	for (i = 0; i < ARRAY_SIZE(all_settings); i++) {
		used = strlen(buf);
		if (all_settings[i].places & place)
			snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
				 all_settings[i].key);
	}
	return buf;
}
