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
#define LABEL "LABEL="
#define MAPPER "/dev/mapper/"
#define DEFAULT_TRIES 3 /* crypttab(5): tries= */
#define DEFAULT_TIMEOUT_S 300 /* crypttab(5) waits for ever; at night nobody comes */

static void entry_clear(struct crypttab_entry *c)
{
	free(c->name);
	free(c->device);
	free(c->file);
	free(c->file_device);
	free(c->key_file);
	free(c->key_device);
	free(c->header);
	free(c->header_device);
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

/* Ends PATH of "PATH:LABEL=STICK", "PATH:UUID=..." or, where may_be_mapped, "PATH:/dev/mapper/NAME", and
 * returns what stands behind; NULL: nothing does. */
static char *split_device(char *text, bool may_be_mapped)
{
	char *colon = strrchr(text, ':');
	char *device = colon ? colon + 1 : NULL;

	if (!device || (strncmp(device, LABEL, strlen(LABEL)) != 0 && strncmp(device, UUID, strlen(UUID)) != 0 &&
			!(may_be_mapped && strncmp(device, MAPPER, strlen(MAPPER)) == 0)))
		return NULL;
	*colon = 0;
	return device;
}

static int set_filesystem(char **out, const char *device, struct err *e)
{
	const char *name = device[0] == '/' ? device + strlen(MAPPER) : strchr(device, '=') + 1;

	if (!*name || strchr(name, '/'))
		return err_set(e, EINVAL, "\"%s\" names no filesystem", SHOWN(device));
	return value_copy(device, out, e);
}

/* A file of the image, or on a stick: text is changed on the way. */
static int set_file(struct crypttab_entry *c, char *text, struct err *e)
{
	char *device;
	int rc = value_copy(text, &c->device, e);

	device = rc == 0 ? split_device(text, false) : NULL;
	if (device)
		rc = set_filesystem(&c->file_device, device, e);
	return rc < 0 ? rc : crypttab_path("", text, &c->file, e);
}

/* "UUID=...", a file, or what value_volume() knows. */
static int set_device(struct crypttab_entry *c, char *text, struct err *e)
{
	const char *uuid = NULL;

	if (text[0] == '/' && strncmp(text, "/dev/", 5) != 0)
		return set_file(c, text, e);
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

/* key: the third field, changed on the way; NULL if there is none */
static int set_key(struct crypttab_entry *c, const char *dir, char *key, struct err *e)
{
	char *device;
	int rc = 0;

	if (!key || strcmp(key, "none") == 0 || strcmp(key, "-") == 0)
		return 0;
	device = split_device(key, true);
	if (device)
		rc = set_filesystem(&c->key_device, device, e);
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
	struct crypttab_entry c = { .key_slot = -1, .tries = DEFAULT_TRIES,
				    .timeout_s = DEFAULT_TIMEOUT_S, .line = number };
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

/* Whether c is of no use: its key lies in a vault that no line opens, or it is a vault for nothing. */
static bool is_astray(const struct crypttab *t, const struct crypttab_entry *c, struct err *e)
{
	const char *vault = c->key_device && c->key_device[0] == '/' ? c->key_device : NULL;
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct crypttab_entry *o = &t->entry[i];

		if (vault && strcmp(o->name, vault + strlen(MAPPER)) == 0 && o != c &&
		    !(o->key_device && o->key_device[0] == '/'))
			vault = NULL;
		if (c->file && o->key_device && strncmp(o->key_device, MAPPER, strlen(MAPPER)) == 0 &&
		    strcmp(o->key_device + strlen(MAPPER), c->name) == 0)
			return false;
	}
	if (vault)
		err_set(e, EINVAL, "key file: no line opens \"%s\" with a key of its own", SHOWN(vault));
	else if (c->file)
		err_set(e, EINVAL, "\"%s\" is a file, and no line has its key file in there", SHOWN(c->device));
	return vault || c->file;
}

/* Lines may name what stands in a later one: so when all are read. */
static void leave_out_the_astray(struct crypttab *t, struct settings *s, struct err *e)
{
	size_t i = 0;

	while (i < t->n) {
		char where[32];

		if (!is_astray(t, &t->entry[i], e)) {
			i++;
			continue;
		}
		snprintf(where, sizeof(where), "crypttab:%u", t->entry[i].line);
		settings_fault(s, where, "%s", e->text);
		entry_clear(&t->entry[i]);
		t->n--;
		memmove(&t->entry[i], &t->entry[i + 1], (t->n - i) * sizeof(*t->entry));
		i = 0;
	}
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
	leave_out_the_astray(t, s, e);
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
