/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "luksmap.h"

#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "dm.h"
#include "log.h"
#include "looks.h"

#define KEY_PREFIX "guestsweep:" /* a key of the kind "logon", which no program can read, has to have one */
#define NULL_CIPHER "cipher_null" /* takes no key */
#define PARAMS_MAX 640
#define TAGS_MAGIC 0x0074726765746e69 /* "integrt" with its NUL */
#define TAGS_PATH_SIZE (DM_NAME_SIZE + 16)

/* Device-mapper itself would map a device twice. */
static int check_unused(const char *device, struct err *e)
{
	cleanup_fd int fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);

	return fd < 0 ? err_set(e, errno, "%s can't be mapped: %s", device, strerror(errno)) : 0;
}

static int add_key(const char *name, struct secret *key, struct err *e)
{
	char label[DM_NAME_SIZE + sizeof(KEY_PREFIX)];

	snprintf(label, sizeof(label), KEY_PREFIX "%s", name);
	if (syscall(SYS_add_key, "logon", label, secret_bytes(key), secret_size(key), KEY_SPEC_THREAD_KEYRING) < 0)
		return err_set(e, errno, "the kernel takes no key: %s", strerror(errno));
	return 0;
}

/* ---- dm-integrity below, which keeps the tags ---- */

static void tags_name(const char *name, char tags[DM_NAME_SIZE])
{
	snprintf(tags, DM_NAME_SIZE, "%s-tags", name);
}

/* The kernel takes one without a superblock for a new one, and makes it: none is mapped here. */
static int read_super(const char *device, const struct luks_facts *f, uint64_t *sectors, struct err *e)
{
	const uint64_t super = f->offset * 512; /* struct superblock (kernel, drivers/md/dm-integrity.c) */
	const struct field fields[] = { /* magic, version, sectors of 512 bytes of data */
		{ super, 8, false }, { super + 8, 1, false }, { super + 16, 8, false },
	};
	uint64_t value[ARRAY_SIZE(fields)];
	int rc = look_fields(device, fields, ARRAY_SIZE(fields), false, value, e);

	if (rc < 0)
		return rc;
	if (value[0] != TAGS_MAGIC || value[1] == 0)
		return err_set_word(e, EINVAL, "bad-header", "the header of its dm-integrity is destroyed");
	*sectors = value[2];
	if (*sectors == 0 || *sectors >= f->sectors || *sectors % (f->sector_bytes / 512))
		return err_set_word(e, EINVAL, "bad-header", "the header of its dm-integrity can't be right");
	return 0;
}

/* Makes NAME-tags on device, and f, a copy, what is to be mapped on it, whose path goes into path. */
static int make_tags(const char *name, const char *device, struct luks_facts *f, bool read_only,
		     char path[TAGS_PATH_SIZE], struct err *e)
{
	char tags[DM_NAME_SIZE], params[PARAMS_MAX];
	struct dm_line line = { .target = "integrity", .params = params };
	int rc = read_super(device, f, &line.sectors, e);

	if (rc < 0)
		return rc;
	tags_name(name, tags);
	snprintf(params, sizeof(params), "%s %llu %u %c 1 block_size:%u", device, (unsigned long long)f->offset,
		 f->tag_bytes, f->flags & CRYPT_ACTIVATE_NO_JOURNAL ? 'D' : 'J', f->sector_bytes);
	rc = dm_make(tags, &line, read_only, e);
	if (rc < 0)
		return rc;
	snprintf(path, TAGS_PATH_SIZE, DM_DIR_PREFIX "%s", tags);
	f->offset = 0;
	f->sectors = line.sectors;
	return 0;
}

/* ---- dm-crypt ---- */

/* Its optional words, behind their number. */
static void add_options(char *params, size_t size, const struct luks_facts *f, bool discard)
{
	char tags[40], sector[24];
	const struct {
		bool on;
		const char *word;
	} options[] = {
		{ discard && !f->tag_bytes, "allow_discards" },
		{ f->flags & CRYPT_ACTIVATE_SAME_CPU_CRYPT, "same_cpu_crypt" },
		{ f->flags & CRYPT_ACTIVATE_SUBMIT_FROM_CRYPT_CPUS, "submit_from_crypt_cpus" },
		{ f->flags & CRYPT_ACTIVATE_NO_READ_WORKQUEUE, "no_read_workqueue" },
		{ f->flags & CRYPT_ACTIVATE_NO_WRITE_WORKQUEUE, "no_write_workqueue" },
		{ f->sector_bytes != 512, sector },
		{ f->tag_bytes, tags },
	};
	size_t i, n = 0, used = strlen(params);

	snprintf(sector, sizeof(sector), "sector_size:%u", f->sector_bytes);
	snprintf(tags, sizeof(tags), "integrity:%u:%s", f->tag_bytes, f->authenticates ? "aead" : "none");
	for (i = 0; i < ARRAY_SIZE(options); i++)
		n += options[i].on;
	if (n)
		used += (size_t)snprintf(params + used, size - used, " %zu", n);
	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].on)
			used += (size_t)snprintf(params + used, size - used, " %s", options[i].word);
}

static int make_crypt(const char *name, const char *device, const struct luks_facts *f, struct secret *key,
		      bool read_only, bool discard, struct err *e)
{
	bool without_key = strncmp(f->cipher, NULL_CIPHER, strlen(NULL_CIPHER)) == 0;
	char params[PARAMS_MAX], place[DM_NAME_SIZE + 48] = "-";
	const struct dm_line line = { .sectors = f->sectors, .target = "crypt", .params = params };
	int rc = without_key ? 0 : add_key(name, key, e);

	if (rc < 0)
		return rc;
	if (!without_key)
		snprintf(place, sizeof(place), ":%zu:logon:" KEY_PREFIX "%s", secret_size(key), name);
	snprintf(params, sizeof(params), "%s %s %llu %s %llu", f->cipher, place, (unsigned long long)f->iv_offset, device,
		 (unsigned long long)f->offset);
	add_options(params, sizeof(params), f, discard);
	return dm_make(name, &line, read_only, e);
}

static int make(const char *name, const char *device, struct luks_facts *f, struct secret *key, bool read_only,
		bool discard, struct err *e)
{
	char path[TAGS_PATH_SIZE];
	struct err ignored;
	int rc;

	if (!f->tag_bytes)
		return make_crypt(name, device, f, key, read_only, discard, e);
	rc = make_tags(name, device, f, read_only, path, e);
	if (rc < 0)
		return rc;
	rc = make_crypt(name, path, f, key, read_only, discard, e);
	if (rc < 0 && dm_drop(path + strlen(DM_DIR_PREFIX), &ignored) < 0)
		log_line("%s", ignored.text);
	return rc;
}

int luksmap_make(const char *name, const char *device, const struct luks_facts *facts, struct secret *key,
		 bool read_only, bool discard, struct err *e)
{
	struct luks_facts f = *facts;
	int rc = check_unused(device, e);

	if (rc == 0)
		rc = make(name, device, &f, key, read_only, discard, e);
	if (rc == 0)
		return 0;
	if (!e->word[0])
		snprintf(e->word, sizeof(e->word), "tool-failed");
	return err_wrap(e, "LUKS");
}

int luksmap_drop(const char *name, struct err *e)
{
	char tags[DM_NAME_SIZE];
	int rc = dm_drop(name, e);

	tags_name(name, tags);
	return rc < 0 ? rc : dm_drop(tags, e);
}
