/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "stick.h"
#include "vault.h"

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

static struct secret *read_key(const struct crypttab_entry *entry, const char *path, struct err *e)
{
	return secret_from_file(path, entry->keyfile_offset, entry->keyfile_size, e);
}

int keys_init(struct keys *k, const struct crypttab *t, struct err *e)
{
	struct err ignored;
	size_t i;

	*k = (struct keys){ .crypttab = t, .typed = typed_new(e) };
	if (!k->typed)
		return -ENOMEM;
	k->secret = calloc(t->n + 1, sizeof(*k->secret));
	k->sought = calloc(t->n + 1, sizeof(*k->sought));
	if (!k->secret || !k->sought) {
		keys_free(k);
		return err_set(e, ENOMEM, "no memory for keys");
	}
	for (i = 0; i < t->n; i++)
		if (t->entry[i].key_file && !t->entry[i].key_device)
			k->secret[i] = read_key(&t->entry[i], t->entry[i].key_file, &ignored);
	return 0;
}

void keys_free(struct keys *k)
{
	size_t i;

	for (i = 0; k->secret && i < k->crypttab->n; i++)
		secret_free(k->secret[i]);
	free(k->secret);
	free(k->sought);
	typed_free(k->typed);
	*k = (struct keys){ 0 };
}

static bool is_of(const struct crypttab_entry *entry, struct node *const *volumes, size_t n)
{
	char name[NODE_PATH_SIZE];
	size_t i;

	for (i = 0; i < n; i++) {
		node_path(volumes[i], name);
		if (strcmp(name, entry->device) == 0)
			return true;
	}
	return strncmp(entry->device, "UUID=", 5) == 0;
}

void keys_keep(struct keys *k, struct node *const *volumes, size_t n)
{
	struct secret **left = calloc(k->crypttab->n + 1, sizeof(*left));
	size_t n_left = 0, i;

	for (i = 0; i < k->crypttab->n; i++) {
		if (is_of(&k->crypttab->entry[i], volumes, n))
			continue;
		if (left)
			left[n_left++] = k->secret[i];
		else
			secret_leave(&k->secret[i], 1);
		k->secret[i] = NULL;
	}
	secret_leave(left, n_left);
	free(left);
}

/* One stick or vault serves all the entries whose keys it has. */
struct fetch {
	struct keys *keys;
	const char *device;
};

/* Called with the folder where it is mounted. Keys that are not there are told of when they are needed. */
static int fetch_from(const char *folder, void *arg, struct err *e)
{
	const struct fetch *f = arg;
	const struct crypttab *t = f->keys->crypttab;
	char path[512];
	size_t i;
	int rc = 0;

	for (i = 0; i < t->n; i++) {
		struct secret **secret = &f->keys->secret[i];

		if (!t->entry[i].key_device || strcmp(t->entry[i].key_device, f->device) != 0 || *secret)
			continue;
		snprintf(path, sizeof(path), "%s%s", folder, t->entry[i].key_file);
		*secret = read_key(&t->entry[i], path, e);
		/* a key that isn't there won't come; one that could not be read may, when the stick is back */
		if (!*secret && e->code == EIO)
			rc = -EIO;
	}
	return rc;
}

static void fetch(struct keys *k, const struct walk_env *env, const char *device)
{
	const struct crypttab_entry *vault = vault_named(k->crypttab, device);
	struct fetch f = { .keys = k, .device = device };
	struct err e = { 0 };
	size_t i;
	int rc;

	rc = vault ? vault_with(env, vault, fetch_from, &f, &e) : stick_with(env, device, fetch_from, &f, &e);
	if (rc < 0)
		log_line("keys on %s: %s", device, e.text);
	for (i = 0; i < k->crypttab->n; i++)
		if (k->crypttab->entry[i].key_device && strcmp(k->crypttab->entry[i].key_device, device) == 0)
			k->sought[i] = true;
}

/* Zeros reach the very pages that held the key: the file lies in the kernel's memory. */
static void overwrite(const char *path)
{
	static const char zeros[4096];
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	off_t done = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	while (done < st.st_size && n > 0) {
		off_t left = st.st_size - done;

		n = pwrite(fd, zeros, left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros), done);
		done += n > 0 ? n : 0;
	}
	if (n <= 0 || unlink(path) < 0)
		log_line("%s could not be wiped: %s", path, strerror(errno));
}

void keys_wipe_files(const struct keys *k, const char *folder)
{
	const struct crypttab *t = k->crypttab;
	cleanup_dir DIR *d = opendir(folder);
	struct dirent *entry;
	char path[512];
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->entry[i].key_file && !t->entry[i].key_device)
			overwrite(t->entry[i].key_file);
	while (d && (entry = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			overwrite(path);
	}
}

void keys_gather(struct keys *k, const struct walk_env *env)
{
	size_t i;

	for (i = 0; i < k->crypttab->n; i++)
		if (k->crypttab->entry[i].key_device && !k->sought[i] && !k->secret[i])
			fetch(k, env, k->crypttab->entry[i].key_device);
}

int keys_load(const struct walk_env *env, const struct crypttab_entry *entry, struct secret **key,
	      struct err *e)
{
	struct keys *k = env->keys;
	size_t i = (size_t)(entry - k->crypttab->entry);

	if (entry->key_device && !k->secret[i] && !k->sought[i])
		fetch(k, env, entry->key_device);
	if (k->secret[i]) {
		*key = secret_new(secret_size(k->secret[i]), e);
		if (*key)
			memcpy(secret_bytes(*key), secret_bytes(k->secret[i]), secret_size(*key));
	} else if (entry->key_device) {
		*key = NULL;
		err_set(e, ENOENT, "it could not be read there");
	} else {
		*key = read_key(entry, entry->key_file, e);
	}
	if (*key)
		return 0;
	snprintf(e->word, sizeof(e->word), "no-key");
	return err_wrap(e, "LUKS: %s", keys_describe(entry));
}
