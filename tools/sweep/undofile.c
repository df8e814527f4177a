/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "undofile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <linux/fs.h>
#include <unistd.h>

#include <et/com_err.h>
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include "cleanup.h"

#define MAGIC "E2UNDO02"
#define KEY_MAGIC 0xcadecadeu
#define FINISHED 1u
#define HAS_OFFSET 1u
#define MIN_BLOCK 1024u
#define MAX_BLOCK (1u << 20)
#define MAX_EXTENT_BLOCKS 512u
#define HASH_BYTES 64
#define SUPER_SIZE 1024

struct header {
	char magic[8];
	uint64_t keys, super, first;                /* a number; blocks of the file */
	uint32_t block, fs_block, super_crc, state; /* bytes, bytes */
	uint32_t compat, incompat, ro_compat, next_crc;
	uint64_t offset;                            /* of the filesystem on the device */
	uint8_t padding[436];
	uint32_t crc;
};

struct key {
	uint64_t fs_block;
	uint32_t crc, size; /* size in bytes */
};

struct key_block {
	uint32_t magic, crc;
	uint64_t reserved;
	struct key keys[];
};

static int damaged(struct err *e, const char *what)
{
	return err_set_word(e, EUCLEAN, "bad-undo", "the undo file is damaged: %s", what);
}

static int read_all(int fd, void *buf, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)buf + done, size - done, (off_t)(offset + done));

		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int write_all(int fd, const void *buf, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pwrite(fd, (const char *)buf + done, size - done, (off_t)(offset + done));

		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

static uint32_t crc_of(const void *data, size_t size)
{
	return ext2fs_crc32c_le(~0u, data, size);
}

static int read_header(int fd, uint64_t bytes, struct header *h, struct err *e)
{
	if (bytes == 0)
		return err_set_word(e, ENODATA, "bad-undo", "the undo file is empty: nothing was written");
	if (read_all(fd, h, sizeof(*h), 0) < 0 || memcmp(h->magic, MAGIC, sizeof(h->magic)) != 0) {
		const struct header none = { 0 };

		if (bytes >= sizeof(*h) && memcmp(h, &none, sizeof(none)) == 0)
			return err_set_word(e, ENODATA, "bad-undo",
					    "the undo file has no header yet: nothing was written");
		return damaged(e, "it has no header");
	}
	if (h->crc != crc_of(h, sizeof(*h) - sizeof(h->crc)))
		return damaged(e, "the checksum of its header is wrong");
	if (h->block < MIN_BLOCK || h->block > MAX_BLOCK || h->block % 512 || !h->fs_block ||
	    h->incompat || h->ro_compat || h->first > bytes / h->block)
		return damaged(e, "its header is of an unknown kind");
	if (h->keys > bytes / h->block * (h->block / sizeof(struct key)))
		return damaged(e, "it names more than it holds");
	return 0;
}

/* The saved bytes of one key are all there. */
static bool is_whole(int fd, const struct key *k, uint64_t place, uint64_t bytes, void *buf)
{
	return place <= bytes && k->size <= bytes - place && read_all(fd, buf, k->size, place) == 0 &&
	       crc_of(buf, k->size) == k->crc;
}

/* The keys of one key block, whose content begins at byte *place. */
static int take_keys(struct undofile *u, const struct header *h, const struct key *keys, size_t n,
		     uint64_t bytes, uint64_t *place, void *buf, struct err *e)
{
	uint64_t offset = h->compat & HAS_OFFSET ? h->offset : 0;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct key *k = &keys[i];

		if (k->size > MAX_EXTENT_BLOCKS * h->block || k->fs_block > (UINT64_MAX >> 2) / h->fs_block ||
		    !is_whole(u->fd, k, *place, bytes, buf))
			return damaged(e, "what it has saved is not whole");
		if (k->size)
			u->extents[u->n++] = (struct undo_extent){
				.device = k->fs_block * h->fs_block + offset, .file = *place, .size = k->size };
		if (k->size > u->largest)
			u->largest = k->size;
		*place += (k->size + (uint64_t)h->block - 1) / h->block * h->block;
	}
	return 0;
}

static int read_keys(struct undofile *u, const struct header *h, uint64_t bytes, struct err *e)
{
	size_t per_block = h->block / sizeof(struct key) - 1;
	cleanup_free struct key_block *b = malloc(h->block);
	cleanup_free void *buf = malloc((size_t)MAX_EXTENT_BLOCKS * h->block);
	uint64_t place = h->first * h->block, left = h->keys;
	uint32_t crc;
	int rc = 0;

	u->extents = calloc(h->keys + 1, sizeof(*u->extents));
	if (!b || !buf || !u->extents)
		return err_set(e, ENOMEM, "no memory for an undo file");
	while (left && rc == 0) {
		size_t n = left < per_block ? left : per_block;

		if (read_all(u->fd, b, h->block, place) < 0 || b->magic != KEY_MAGIC)
			return damaged(e, "a block of its index is missing");
		crc = b->crc;
		b->crc = 0;
		if (crc != crc_of(b, h->block))
			return damaged(e, "the checksum of its index is wrong");
		place += h->block;
		rc = take_keys(u, h, b->keys, n, bytes, &place, buf, e);
		left -= n;
	}
	return rc;
}

int undofile_open(struct undofile *u, const char *path, struct err *e)
{
	struct header h;
	struct stat st;
	int rc;

	memset(u, 0, sizeof(*u));
	u->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (u->fd < 0 || fstat(u->fd, &st) < 0)
		rc = err_set_word(e, errno, "bad-undo", "open the undo file: %s", strerror(errno));
	else
		rc = read_header(u->fd, (uint64_t)st.st_size, &h, e);
	if (rc == 0) {
		u->finished = h.state & FINISHED;
		u->super_crc = h.super_crc;
		u->next_crc = h.next_crc;
		rc = read_keys(u, &h, (uint64_t)st.st_size, e);
	}
	if (rc < 0)
		undofile_close(u);
	return rc;
}

void undofile_close(struct undofile *u)
{
	if (u->fd >= 0)
		close(u->fd);
	free(u->extents);
	u->extents = NULL;
	u->fd = -1;
}

/* Calls what with each extent and what stands on the device there; the buffer has room for a hash
 * in front of it. */
static int each_extent(const struct undofile *u, int fd,
		       int (*what)(const struct undofile *u, const struct undo_extent *x, unsigned char *now,
				   void *arg),
		       void *arg, struct err *e)
{
	cleanup_free unsigned char *buf = malloc(HASH_BYTES + u->largest);
	size_t i;
	int rc = 0;

	if (!buf)
		return err_set(e, ENOMEM, "no memory for an undo file");
	for (i = 0; i < u->n && rc == 0; i++) {
		rc = read_all(fd, buf + HASH_BYTES, u->extents[i].size, u->extents[i].device);
		if (rc == 0)
			rc = what(u, &u->extents[i], buf + HASH_BYTES, arg);
	}
	if (rc < 0)
		return err_set_word(e, -rc, "io-error", "what the undo file names: %s", strerror(-rc));
	return 0;
}

/* A chain: each hash is of the one before and what comes next. */
static int add_to_hash(const struct undofile *u, const struct undo_extent *x, unsigned char *now, void *arg)
{
	unsigned char *hash = arg;

	(void)u;
	memcpy(now - HASH_BYTES, hash, HASH_BYTES);
	ext2fs_sha512(now - HASH_BYTES, HASH_BYTES + x->size, hash);
	return 0;
}

int undofile_hash(const struct undofile *u, const char *device, char hash[UNDOFILE_HASH_SIZE], struct err *e)
{
	cleanup_fd int fd = open(device, O_RDONLY | O_CLOEXEC);
	unsigned char chain[HASH_BYTES] = { 0 }, super[HASH_BYTES + SUPER_SIZE];
	const struct undo_extent where = { .device = SUPERBLOCK_OFFSET, .size = SUPER_SIZE };
	size_t i;
	int rc;

	if (fd < 0 || read_all(fd, super + HASH_BYTES, SUPER_SIZE, SUPERBLOCK_OFFSET) < 0)
		return err_set_word(e, EIO, "io-error", "read the superblock: %s", strerror(errno));
	add_to_hash(u, &where, super + HASH_BYTES, chain);
	rc = each_extent(u, fd, add_to_hash, chain, e);
	for (i = 0; rc == 0 && i < HASH_BYTES; i++)
		snprintf(hash + 2 * i, 3, "%02x", chain[i]);
	return rc;
}

bool undofile_knows_super(const struct undofile *u, const char *device)
{
	cleanup_fd int fd = open(device, O_RDONLY | O_CLOEXEC);
	unsigned char super[SUPER_SIZE];
	uint32_t crc;

	if (fd < 0 || read_all(fd, super, sizeof(super), SUPERBLOCK_OFFSET) < 0)
		return false;
	crc = crc_of(super, sizeof(super));
	return crc == u->super_crc || (!u->finished && crc == u->next_crc);
}

static int write_old(const struct undofile *u, const struct undo_extent *x, unsigned char *now, void *arg)
{
	int fd = *(int *)arg, rc = read_all(u->fd, now, x->size, x->file);

	return rc < 0 ? rc : write_all(fd, now, x->size, x->device);
}

static int compare_old(const struct undofile *u, const struct undo_extent *x, unsigned char *now, void *arg)
{
	cleanup_free void *old = malloc(x->size);
	int rc = old ? read_all(u->fd, old, x->size, x->file) : -ENOMEM;

	(void)arg;
	if (rc < 0)
		return rc;
	return memcmp(old, now, x->size) == 0 ? 0 : -EIO;
}

int undofile_play(const struct undofile *u, const char *device, struct err *e)
{
	cleanup_fd int fd = open(device, O_RDWR | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_set_word(e, errno, "io-error", "open for writing: %s", strerror(errno));
	rc = each_extent(u, fd, write_old, &fd, e);
	if (rc == 0 && fsync(fd) < 0)
		rc = err_set_word(e, errno, "io-error", "sync: %s", strerror(errno));
	if (rc < 0)
		return rc;
	ioctl(fd, BLKFLSBUF, 0); /* what is compared comes from the disk */
	return each_extent(u, fd, compare_old, NULL, e);
}
