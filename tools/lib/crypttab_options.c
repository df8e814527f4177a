/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fourth field of a crypttab. The names are those of crypttab(5), systemd's
 * and Debian's. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypttab_parse.h"
#include "secret.h"
#include "settings_value.h"

#define MAX_KEY_SLOT 31 /* LUKS2_KEYSLOTS_MAX - 1 of cryptsetup */
#define MAX_TRIES 1000
#define MAX_TIMEOUT_S 86400

static int set_keyfile_size(struct crypttab_entry *c, const char *value, struct err *e)
{
	uint64_t n;
	int rc = value_number(value, 1, SECRET_FILE_MAX, &n, e);

	if (rc == 0)
		c->keyfile_size = (size_t)n;
	return rc;
}

static int set_keyfile_offset(struct crypttab_entry *c, const char *value, struct err *e)
{
	return value_number(value, 0, INT64_MAX, &c->keyfile_offset, e);
}

static int set_key_slot(struct crypttab_entry *c, const char *value, struct err *e)
{
	uint64_t n;
	int rc = value_number(value, 0, MAX_KEY_SLOT, &n, e);

	if (rc == 0)
		c->key_slot = (int)n;
	return rc;
}

static int set_tries(struct crypttab_entry *c, const char *value, struct err *e)
{
	uint64_t n;
	int rc = value_number(value, 0, MAX_TRIES, &n, e);

	if (rc == 0)
		c->tries = (unsigned)n;
	return rc;
}

static int set_timeout(struct crypttab_entry *c, const char *value, struct err *e)
{
	return value_duration(value, 0, MAX_TIMEOUT_S, &c->timeout_s, e);
}

static const struct valued {
	const char *name;
	int (*set)(struct crypttab_entry *c, const char *value, struct err *e);
} valued[] = {
	{ "keyfile-size", set_keyfile_size }, { "keyfile-offset", set_keyfile_offset },
	{ "key-slot", set_key_slot },         { "tries", set_tries },
	{ "timeout", set_timeout },
};

/* What an option without a value switches on, or NULL. */
static bool *find_switch(struct crypttab_entry *c, const char *name)
{
	if (strcmp(name, "discard") == 0)
		return &c->discard;
	if (strcmp(name, "readonly") == 0 || strcmp(name, "read-only") == 0)
		return &c->readonly;
	if (strcmp(name, "nofail") == 0)
		return &c->nofail;
	return NULL;
}

/* Why an option of crypttab(5) can't be had here, or NULL. */
static const char *find_refusal(const char *name)
{
	static const char *const other_kinds[] = { "plain", "swap", "tmp", "tcrypt", "bitlk" };
	size_t i;

	if (strcmp(name, "keyscript") == 0)
		return "no scripts are run here, name a key file instead";
	for (i = 0; i < ARRAY_SIZE(other_kinds); i++)
		if (strcmp(name, other_kinds[i]) == 0)
			return "only LUKS volumes are opened here";
	return NULL;
}

/* Options about things that don't happen here, or are as they say anyway. */
static bool is_without_meaning(const char *name)
{
	static const char *const names[] = {
		"luks", "noauto", "noearly", "initramfs", "_netdev", "no-read-workqueue",
		"no-write-workqueue", "same-cpu-crypt", "submit-from-crypt-cpus", "loud", "quiet",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return strncmp(name, "x-systemd.", 10) == 0 || strncmp(name, "x-initrd.", 9) == 0;
}

static int set_header(struct crypttab_entry *c, const char *dir, const char *value, struct err *e)
{
	free(c->header);
	free(c->header_device);
	c->header = c->header_device = NULL;
	return strncmp(value, "/dev/", 5) == 0 ? value_volume(value, &c->header_device, e)
					       : crypttab_path(dir, value, &c->header, e);
}

static int set_option(struct crypttab_entry *c, const char *dir, const char *name,
		      const char *value, struct err *e)
{
	const char *refusal = find_refusal(name);
	bool *on = find_switch(c, name);
	size_t i;

	if (refusal)
		return err_set(e, EINVAL, "%s", refusal);
	if (is_without_meaning(name))
		return 0;
	if (on && !value) {
		*on = true;
		return 0;
	}
	if (strcmp(name, "header") == 0 && value)
		return set_header(c, dir, value, e);
	for (i = 0; i < ARRAY_SIZE(valued); i++)
		if (value && strcmp(name, valued[i].name) == 0)
			return valued[i].set(c, value, e);
	return err_set(e, EINVAL, "there is no such option%s", value ? " with a value" : "");
}

int crypttab_options(struct crypttab_entry *c, const char *dir, char *options, struct err *e)
{
	char *name, *value;
	int rc;

	while ((name = strsep(&options, ","))) {
		if (!*name)
			continue;
		value = strchr(name, '=');
		if (value)
			*value++ = 0;
		rc = set_option(c, dir, name, value, e);
		if (rc < 0)
			return err_wrap(e, "%s", SHOWN(name));
	}
	return 0;
}
