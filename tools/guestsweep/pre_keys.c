/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * preflight: every key really opens its volume. Tried on a copy of the header in memory, read through a descriptor that can't
 * write: libcryptsetup rewrites damaged headers even when a key is only tried, and nothing is mapped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bootway.h"
#include "cleanup.h"
#include "host.h"
#include "preflight.h"
#include "secret.h"

#define FIRST_COPY (16ull << 20) /* the header as a rule, LUKS2 included */
#define MOST_COPY (512ull << 20)
#define COPY_CHUNK (1u << 20)
#define MAX_SLOTS 32

struct trial {
	uint64_t argon2_kib; /* the most that a slot asks for */
	int fd;              /* memfd with the header */
};

static void free_crypt(struct crypt_device **cd)
{
	crypt_free(*cd);
}

static void no_words(int level, const char *msg, void *arg)
{
	(void)level;
	(void)msg;
	(void)arg;
}

/* Copies bytes from begin to end, as far as there are any. */
static int copy_range(int from, int to, uint64_t begin, uint64_t end, struct err *e)
{
	cleanup_free char *buf = malloc(COPY_CHUNK);

	while (buf && begin < end) {
		size_t want = end - begin < COPY_CHUNK ? (size_t)(end - begin) : COPY_CHUNK;
		ssize_t n = pread(from, buf, want, (off_t)begin);

		if (n < 0)
			return err_set(e, errno, "read its header: %s", strerror(errno));
		if (n == 0)
			return 0;
		if (pwrite(to, buf, (size_t)n, (off_t)begin) != n)
			return err_set(e, ENOMEM, "no memory for a copy of its header");
		begin += (uint64_t)n;
	}
	return buf ? 0 : err_set(e, ENOMEM, "no memory for a copy of its header");
}

static int load(struct crypt_device **cd, int fd, struct err *e)
{
	char path[40];
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	crypt_free(*cd);
	*cd = NULL;
	rc = crypt_init(cd, path);
	if (rc == 0)
		rc = crypt_load(*cd, CRYPT_LUKS, NULL);
	return rc < 0 ? err_set(e, -rc, "its LUKS header can't be read") : 0;
}

/* A copy as long as the volume, with holes behind the header. */
static int copy_header(struct trial *t, const char *device, struct crypt_device **cd, struct err *e)
{
	cleanup_fd int from = open(device, O_RDONLY | O_CLOEXEC);
	uint64_t needed;
	off_t size;
	int rc;

	if (from < 0)
		return err_set(e, errno, "open %s: %s", device, strerror(errno));
	size = lseek(from, 0, SEEK_END);
	t->fd = memfd_create("LUKS header", MFD_CLOEXEC);
	if (t->fd < 0 || ftruncate(t->fd, size) < 0)
		return err_set(e, ENOMEM, "no memory for a copy of its header");
	rc = copy_range(from, t->fd, 0, FIRST_COPY, e);
	if (rc == 0)
		rc = load(cd, t->fd, e);
	if (rc < 0)
		return rc;
	needed = crypt_get_data_offset(*cd) * 512;
	if (needed <= FIRST_COPY || needed > MOST_COPY)
		return 0;
	rc = copy_range(from, t->fd, FIRST_COPY, needed, e);
	return rc < 0 ? rc : load(cd, t->fd, e);
}

static uint64_t argon2_of(struct crypt_device *cd, int only_slot)
{
	struct crypt_pbkdf_type pbkdf;
	uint64_t most = 0;
	int slot;

	for (slot = 0; slot < MAX_SLOTS; slot++) {
		if ((only_slot >= 0 && slot != only_slot) ||
		    crypt_keyslot_status(cd, slot) < CRYPT_SLOT_ACTIVE)
			continue;
		if (crypt_keyslot_get_pbkdf(cd, slot, &pbkdf) == 0 && pbkdf.max_memory_kb > most)
			most = pbkdf.max_memory_kb;
	}
	return most;
}

static uint64_t memory_kib(const char *key)
{
	char path[PATH_MAX], line[128];
	cleanup_file FILE *f = fopen(host_path(path, "/proc/meminfo"), "re");
	unsigned long long kib;
	size_t n = strlen(key);

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, key, n) == 0 && sscanf(line + n, ": %llu", &kib) == 1)
			return kib;
	return 0;
}

static int try_key(struct crypt_device *cd, const struct crypttab_entry *entry, struct err *e)
{
	cleanup_secret struct secret *key = secret_from_file(entry->key_file, entry->keyfile_offset,
							     entry->keyfile_size, e);
	int slot = entry->key_slot < 0 ? CRYPT_ANY_SLOT : entry->key_slot, rc;

	if (!key)
		return -e->code;
	rc = crypt_activate_by_passphrase(cd, NULL, slot, secret_bytes(key), secret_size(key), 0);
	if (rc == -EPERM || rc == -ENOENT)
		return err_set(e, EKEYREJECTED, "no key slot of it opens with %s", entry->key_file);
	return rc < 0 ? err_set(e, -rc, "its key could not be tried: %s", strerror(-rc)) : 0;
}

/* Where the key comes from, said in an item; true where there is a file to be tried. */
static bool has_file(struct preflight *p, const struct crypttab_entry *entry, const struct bootway *way)
{
	if (!entry->key_file)
		preflight_add(p, entry->name, ITEM_WARN, "its passphrase is typed in the image; somebody must be there");
	else if (entry->key_device)
		preflight_add(p, entry->name, ITEM_OK, "its key comes from %s, which must be there then", entry->key_device);
	else if (!way->with_keys)
		preflight_add(p, entry->name, ITEM_FAIL, "its key is a file, which --%s would leave on a disk in the clear; use --kexec, a "
			      "stick, or a vault", way->name);
	else
		return true;
	return false;
}

static void check_entry(struct preflight *p, struct crypttab_entry *entry, const struct bootway *way,
			uint64_t *most_kib)
{
	__attribute__((cleanup(free_crypt))) struct crypt_device *cd = NULL;
	struct trial t = { .fd = -1 };
	char device[PATH_MAX];
	bool with_file = has_file(p, entry, way);
	struct err e;
	int rc = entry->header ? (snprintf(device, sizeof(device), "%s", entry->header), 0)
			       : host_device(entry->header_device ? entry->header_device : entry->device, device, &e);

	if (rc < 0)
		return; /* the volumes' own item has said so */
	rc = copy_header(&t, device, &cd, &e);
	if (rc == 0) {
		t.argon2_kib = argon2_of(cd, entry->key_slot);
		if (t.argon2_kib > *most_kib)
			*most_kib = t.argon2_kib;
	}
	if (rc == 0 && with_file && t.argon2_kib > memory_kib("MemAvailable"))
		preflight_add(p, entry->name, ITEM_WARN, "its key was not tried: that takes %llu MiB, %llu MiB are available now",
			      (unsigned long long)t.argon2_kib >> 10,
			      (unsigned long long)memory_kib("MemAvailable") >> 10);
	else if (rc == 0 && with_file && (rc = try_key(cd, entry, &e)) == 0)
		preflight_add(p, entry->name, ITEM_OK, "%s opens it", entry->key_file);
	if (rc < 0)
		preflight_add(p, entry->name, entry->nofail ? ITEM_WARN : ITEM_FAIL, "%s", e.text);
	if (t.fd >= 0)
		close(t.fd);
}

void pre_keys(struct preflight *p, const struct bootway *way)
{
	uint64_t most_kib = 0, total_kib = memory_kib("MemTotal");
	size_t i;

	crypt_set_log_callback(NULL, no_words, NULL);
	crypt_metadata_locking(NULL, 0);
	for (i = 0; i < p->crypttab.n; i++)
		check_entry(p, &p->crypttab.entry[i], way, &most_kib);
	/* what the image itself takes: half a GiB */
	if (most_kib && most_kib + (512u << 10) > total_kib)
		preflight_add(p, "memory", ITEM_FAIL, "a key slot's Argon2 needs %llu MiB, this machine has %llu MiB; lower it with "
			      "cryptsetup luksConvertKey", (unsigned long long)most_kib >> 10,
			      (unsigned long long)total_kib >> 10);
	else
		preflight_add(p, "memory", ITEM_OK, "%llu MiB, %llu MiB of them for the largest key slot",
			      (unsigned long long)total_kib >> 10, (unsigned long long)most_kib >> 10);
}
