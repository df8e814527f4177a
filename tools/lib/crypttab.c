/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "crypttab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "crypttab_parse.h"
#include "settings_parse.h"
#include "settings_value.h"

#define BY_UUID "/dev/disk/by-uuid/"
#define UUID "UUID="
#define DEFAULT_TRIES 3 /* crypttab(5): tries= */

static void entry_clear(struct crypttab_entry *c)
{
	free(c->name);
	free(c->device);
	free(c->key_file);
	free(c->key_device);
	free(c->header);
	*c = (struct crypttab_entry){ 0 };
}

void crypttab_free(struct crypttab *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		entry_clear(&t->entry[i]);
	free(t->entry);
	*t = (struct crypttab){ 0 };
}

int crypttab_path(const char *dir, const char *path, char **out, struct err *e)
{
	cleanup_free char *whole = NULL;

	if (asprintf(&whole, "%s%s%s", path[0] == '/' ? "" : dir, path[0] == '/' ? "" : "/",
		     path) < 0) {
		whole = NULL;
		return err_set(e, ENOMEM, "out of memory");
	}
	if (!is_plain_path(whole) || !whole[1])
		return err_set(e, EINVAL, "\"%s\" is not the path of a file (without \"..\")",
			       SHOWN(path));
	*out = steal_ptr(&whole);
	return 0;
}

/* "UUID=..." or what value_volume() knows. */
static int set_device(struct crypttab_entry *c, const char *text, struct err *e)
{
	const char *uuid = NULL;

	if (strncmp(text, UUID, strlen(UUID)) == 0)
		uuid = text + strlen(UUID);
	else if (strncmp(text, BY_UUID, strlen(BY_UUID)) == 0)
		uuid = text + strlen(BY_UUID);
	else if (text[0] != '/' && strchr(text, '='))
		return err_set(e, EINVAL, "\"%s\" is neither VG/LV, /dev/NAME nor UUID=",
			       SHOWN(text));
	if (!uuid)
		return value_volume(text, &c->device, e);
	if (!*uuid || uuid[strspn(uuid, "0123456789abcdefABCDEF-")])
		return err_set(e, EINVAL, "\"%s\" is not a UUID", SHOWN(uuid));
	if (asprintf(&c->device, UUID "%s", uuid) < 0) {
		c->device = NULL;
		return err_set(e, ENOMEM, "out of memory");
	}
	return 0;
}

/* Where the device of PATH:LABEL=STICK or PATH:UUID=... begins, or NULL. */
static char *key_device(char *key)
{
	char *colon = strrchr(key, ':');

	if (!colon || (strncmp(colon + 1, "LABEL=", 6) != 0 && strncmp(colon + 1, UUID, 5) != 0))
		return NULL;
	return colon + 1;
}

/* key: the third field, changed on the way; NULL if there is none */
static int set_key(struct crypttab_entry *c, const char *dir, char *key, struct err *e)
{
	char *device;
	int rc = 0;

	if (!key || strcmp(key, "none") == 0 || strcmp(key, "-") == 0)
		return 0;
	device = key_device(key);
	if (device) {
		device[-1] = 0;
		if (!strchr(device, '=')[1])
			return err_set(e, EINVAL, "key file: \"%s\" names no filesystem",
				       SHOWN(device));
		rc = value_copy(device, &c->key_device, e);
	}
	if (rc == 0)
		rc = crypttab_path(device ? "" : dir, key, &c->key_file, e);
	return rc < 0 ? err_wrap(e, "key file") : 0;
}

/* The fields of one line, which is changed on the way, as an entry. */
static int read_entry(struct crypttab_entry *c, const char *dir, char *line, struct err *e)
{
	char *field[5] = { NULL };
	size_t n = 0;
	int rc;

	while (n < ARRAY_SIZE(field) && (field[n] = strtok_r(n ? NULL : line, BLANKS, &line)))
		n++;
	if (n < 2 || n > 4)
		return err_set(e, EINVAL, "the line has %s; it takes NAME DEVICE KEYFILE OPTIONS",
			       n < 2 ? "no device" : "more than four fields");
	if (strchr(field[0], '/'))
		return err_set(e, EINVAL, "a volume's name has no \"/\", unlike \"%s\"",
			       SHOWN(field[0]));
	rc = value_copy(field[0], &c->name, e);
	if (rc == 0)
		rc = set_device(c, field[1], e);
	if (rc == 0)
		rc = set_key(c, dir, field[2], e);
	if (rc == 0 && field[3])
		rc = crypttab_options(c, dir, field[3], e);
	return rc;
}

/* Whether c names a volume that another line named: which key, then? */
static int refuse_again(const struct crypttab *t, const struct crypttab_entry *c, struct err *e)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct crypttab_entry *o = &t->entry[i];

		if (strcmp(o->name, c->name) == 0)
			return err_set(e, EINVAL, "\"%s\" stands in line %u already",
				       SHOWN(c->name), o->line);
		if (strcasecmp(o->device, c->device) == 0)
			return err_set(e, EINVAL, "\"%s\" stands in line %u already",
				       SHOWN(c->device), o->line);
	}
	return 0;
}

static int add_entry(struct crypttab *t, const char *dir, char *line, unsigned number,
		     struct err *e)
{
	struct crypttab_entry c = { .key_slot = -1, .tries = DEFAULT_TRIES, .line = number };
	struct crypttab_entry *grown;
	int rc;

	rc = read_entry(&c, dir, line, e);
	if (rc == 0)
		rc = refuse_again(t, &c, e);
	if (rc == 0) {
		grown = reallocarray(t->entry, t->n + 1, sizeof(*grown));
		if (grown) {
			t->entry = grown;
			t->entry[t->n++] = c;
			return 0;
		}
		rc = err_set(e, ENOMEM, "out of memory");
	}
	entry_clear(&c);
	return rc;
}

static int take_line(struct crypttab *t, const char *dir, const char *text, size_t size,
		     unsigned number, struct err *e)
{
	cleanup_free char *line = NULL;
	char *start;

	if (memchr(text, 0, size))
		return err_set(e, EINVAL, "there is a NUL byte in the line");
	line = strndup(text, size);
	if (!line)
		return err_set(e, ENOMEM, "out of memory");
	start = line + strspn(line, BLANKS);
	if (!*start || *start == '#')
		return 0;
	return add_entry(t, dir, start, number, e);
}

int crypttab_parse(struct crypttab *t, const char *dir, const char *text, size_t size,
		   struct settings *s, struct err *e)
{
	const char *end = text + size;
	unsigned number = 0;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;
		char where[32];
		int rc;

		snprintf(where, sizeof(where), "crypttab:%u", ++number);
		rc = take_line(t, dir, text, (size_t)(stop - text), number, e);
		if (rc == -ENOMEM)
			return rc;
		if (rc < 0)
			settings_fault(s, where, "%s", e->text);
		text = newline ? newline + 1 : end;
	}
	return 0;
}

int crypttab_load(struct crypttab *t, const char *dir, struct settings *s, struct err *e)
{
	cleanup_free char *text = NULL;
	size_t size;
	int rc;

	*t = (struct crypttab){ 0 };
	rc = settings_text(s, dir, "crypttab", &text, &size, e);
	if (rc <= 0)
		return rc;
	rc = crypttab_parse(t, dir, text, size, s, e);
	if (rc < 0)
		crypttab_free(t);
	return rc;
}

const struct crypttab_entry *crypttab_find(const struct crypttab *t, const char *volume,
					   const char *uuid)
{
	size_t i;

	for (i = 0; volume && i < t->n; i++)
		if (strcmp(t->entry[i].device, volume) == 0)
			return &t->entry[i];
	for (i = 0; uuid && i < t->n; i++)
		if (strncmp(t->entry[i].device, UUID, strlen(UUID)) == 0 &&
		    strcasecmp(t->entry[i].device + strlen(UUID), uuid) == 0)
			return &t->entry[i];
	return NULL;
}
