/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mounts.h"

#define NAME_SIZE 320

const struct crypttab_entry *keys_entry(const struct crypttab *t, const struct node *device,
					const char *uuid)
{
	const struct crypttab_entry *entry = NULL;
	char name[NODE_PATH_SIZE];

	if (device->host || device->volume) {
		node_path(device, name);
		entry = crypttab_find(t, name, NULL);
	}
	if (!entry && uuid && uuid[0])
		entry = crypttab_find(t, NULL, uuid);
	return entry;
}

const char *keys_describe(const struct crypttab_entry *entry)
{
	static char text[NAME_SIZE];

	if (entry->key_device)
		snprintf(text, sizeof(text), "key file %.200s on %.100s", entry->key_file,
			 entry->key_device);
	else if (entry->key_file)
		snprintf(text, sizeof(text), "key file %.300s", entry->key_file);
	else
		snprintf(text, sizeof(text), "the typed passphrase");
	return text;
}

static int load_file(const struct crypttab_entry *entry, const char *path, struct secret **key,
		     struct err *e)
{
	*key = secret_from_file(path, entry->keyfile_offset, entry->keyfile_size, e);
	if (*key)
		return 0;
	snprintf(e->word, sizeof(e->word), "no-key");
	return err_wrap(e, "LUKS: %s", keys_describe(entry));
}

static int load_from_device(const struct walk_env *env, const struct crypttab_entry *entry,
			    struct secret **key, struct err *e)
{
	char device[80], folder[64], path[512];
	struct mounted mounted;
	struct err ignored;
	int rc = env->find_device(entry->key_device, device, sizeof(device), e);

	snprintf(folder, sizeof(folder), "/run/guestsweep/key-%d", (int)getpid());
	if (rc == 0)
		rc = mounts_mount(&mounted, device, folder, true, e);
	if (rc < 0) {
		snprintf(e->word, sizeof(e->word), "no-key");
		return err_wrap(e, "LUKS: %s", keys_describe(entry));
	}
	snprintf(path, sizeof(path), "%s/%s", folder, entry->key_file);
	rc = load_file(entry, path, key, e);
	if (mounts_unmount(&mounted, rc < 0 ? &ignored : e) < 0 && rc == 0)
		rc = -e->code;
	return rc;
}

int keys_load(const struct walk_env *env, const struct crypttab_entry *entry, struct secret **key,
	      struct err *e)
{
	if (!entry->key_file)
		return err_set_word(e, ENOKEY, "no-key",
				    "LUKS: crypttab names no key file for it, and nobody is asked for "
				    "a passphrase yet; add a key file");
	if (entry->key_device)
		return load_from_device(env, entry, key, e);
	return load_file(entry, entry->key_file, key, e);
}
