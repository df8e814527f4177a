/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "configset.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/hmac.h>
#include <nettle/sha2.h>

#include "cleanup.h"
#include "crypttab_parse.h"
#include "file.h"
#include "plan.h"
#include "settings_parse.h"

#define MAX_FILES 4096
#define MAX_DEPTH 8
#define CRYPTTAB_MAX (1u << 20)

static const char *const not_configuration[] = {
	PLAN_PATH, PLAN_SALT_PATH, HOST_PUBLIC_PATH, HOST_KEY_PATH,
};

static int add(struct configset *s, const char *path, struct err *e)
{
	char **grown;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(not_configuration); i++)
		if (strcmp(path, not_configuration[i]) == 0)
			return 0;
	for (i = 0; i < s->n; i++)
		if (strcmp(s->path[i], path) == 0)
			return 0;
	if (s->n == MAX_FILES)
		return err_set(e, E2BIG, "%s holds more than %d files", CONFIG_FOLDER_PATH, MAX_FILES);
	grown = realloc(s->path, (s->n + 1) * sizeof(*grown));
	if (!grown)
		return err_set(e, ENOMEM, "no memory for the configuration");
	s->path = grown;
	s->path[s->n] = strdup(path);
	if (!s->path[s->n])
		return err_set(e, ENOMEM, "no memory for the configuration");
	s->n++;
	return 0;
}

static int add_folder(struct configset *s, const char *root, const char *folder, int depth,
		      struct err *e)
{
	char below[PATH_MAX], path[PATH_MAX], full[PATH_MAX];
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;
	struct stat st;
	int rc = 0;

	snprintf(below, sizeof(below), "%s%s", root, folder);
	dir = opendir(below);
	if (!dir)
		return errno == ENOENT ? 0 : err_set(e, errno, "open %s: %s", below, strerror(errno));
	while (rc == 0 && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		snprintf(full, sizeof(full), "%s%s", root, path);
		if (lstat(full, &st) < 0)
			return err_set(e, errno, "%s: %s", full, strerror(errno));
		if (S_ISREG(st.st_mode))
			rc = add(s, path, e);
		else if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
			rc = add_folder(s, root, path, depth + 1, e);
		else
			rc = err_set(e, EINVAL, "%s is neither a file nor a folder", full);
	}
	return rc;
}

static int load_crypttab(struct crypttab *t, const char *root, struct err *e)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	struct settings faults;
	size_t size;
	int rc;

	memset(t, 0, sizeof(*t));
	snprintf(path, sizeof(path), "%s%s/crypttab", root, CONFIG_FOLDER_PATH);
	if (access(path, F_OK) < 0)
		return 0;
	rc = file_read(path, CRYPTTAB_MAX, &text, &size, e);
	if (rc == 0)
		rc = settings_defaults(&faults, e);
	if (rc < 0)
		return rc;
	rc = crypttab_parse(t, CONFIG_FOLDER_PATH, text, size, &faults, e);
	settings_free(&faults);
	return rc;
}

/* A file that crypttab names, wherever it lies. */
static int add_named(struct configset *s, const char *root, const char *path, struct err *e)
{
	char full[PATH_MAX];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s", root, path);
	return lstat(full, &st) == 0 && S_ISREG(st.st_mode) ? add(s, path, e) : 0;
}

static bool is_key(const struct crypttab *t, const char *path)
{
	size_t i;

	if (strncmp(path, CONFIG_FOLDER_PATH "/keys/", sizeof(CONFIG_FOLDER_PATH "/keys/") - 1) == 0)
		return true;
	for (i = 0; i < t->n; i++)
		if (t->entry[i].key_file && !t->entry[i].key_device &&
		    strcmp(t->entry[i].key_file, path) == 0)
			return true;
	return false;
}

static void drop_keys(struct configset *s, const struct crypttab *t)
{
	size_t i, kept = 0;

	for (i = 0; i < s->n; i++) {
		if (is_key(t, s->path[i]))
			free(s->path[i]);
		else
			s->path[kept++] = s->path[i];
	}
	s->n = kept;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int configset_list(struct configset *s, const char *root, bool with_keys, struct err *e)
{
	struct crypttab t;
	size_t i;
	int rc;

	memset(s, 0, sizeof(*s));
	rc = add_folder(s, root, CONFIG_FOLDER_PATH, 0, e);
	if (rc == 0)
		rc = load_crypttab(&t, root, e);
	if (rc < 0) {
		configset_free(s);
		return rc;
	}
	for (i = 0; rc == 0 && i < t.n; i++) {
		if (t.entry[i].key_file && !t.entry[i].key_device)
			rc = add_named(s, root, t.entry[i].key_file, e);
		if (rc == 0 && t.entry[i].header)
			rc = add_named(s, root, t.entry[i].header, e);
	}
	if (!with_keys)
		drop_keys(s, &t);
	crypttab_free(&t);
	if (rc < 0)
		configset_free(s);
	else if (s->n)
		qsort(s->path, s->n, sizeof(*s->path), by_name);
	return rc;
}

void configset_free(struct configset *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		free(s->path[i]);
	free(s->path);
	memset(s, 0, sizeof(*s));
}

/* A number of 8 bytes, least significant first. */
static void add_number(struct hmac_sha256_ctx *h, uint64_t value)
{
	uint8_t bytes[8];
	int i;

	for (i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	hmac_sha256_update(h, sizeof(bytes), bytes);
}

static int add_content(struct hmac_sha256_ctx *h, const char *root, const char *path, struct err *e)
{
	char full[PATH_MAX];
	uint8_t buf[4096];
	cleanup_fd int fd = -1;
	struct stat st;
	ssize_t n;

	snprintf(full, sizeof(full), "%s%s", root, path);
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, errno, "open %s: %s", full, strerror(errno));
	add_number(h, (uint64_t)st.st_size);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		hmac_sha256_update(h, (size_t)n, buf);
	explicit_bzero(buf, sizeof(buf));
	return n < 0 ? err_set(e, errno, "read %s: %s", full, strerror(errno)) : 0;
}

int configset_digest(const struct configset *s, const char *root, const uint8_t *salt, char *hex,
		     struct err *e)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct hmac_sha256_ctx h;
	size_t i;
	int rc;

	hmac_sha256_set_key(&h, PLAN_SALT_SIZE, salt);
	for (i = 0; i < s->n; i++) {
		add_number(&h, strlen(s->path[i]));
		hmac_sha256_update(&h, strlen(s->path[i]), (const uint8_t *)s->path[i]);
		rc = add_content(&h, root, s->path[i], e);
		if (rc < 0)
			return rc;
	}
	hmac_sha256_digest(&h, sizeof(digest), digest);
	explicit_bzero(&h, sizeof(h));
	plan_hex(digest, sizeof(digest), hex);
	return 0;
}

char *sha256_hex(const void *bytes, size_t size, char *hex)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx h;

	sha256_init(&h);
	sha256_update(&h, size, bytes);
	sha256_digest(&h, sizeof(digest), digest);
	return plan_hex(digest, sizeof(digest), hex);
}
