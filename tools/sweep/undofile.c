/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "undofile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <et/com_err.h>
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>
#include <nettle/sha2.h>

#include "cleanup.h"

#define MAGIC "E2UNDO02"
#define KEY_MAGIC 0xcadecadeu
#define FINISHED 1u
#define HAS_OFFSET 1u
#define MIN_BLOCK 1024u
#define MAX_BLOCK (1u << 20)
#define MAX_EXTENT_BLOCKS 512u
#define SUPER_SIZE 1024
#define PIECE 32768u /* bytes that are read at once */

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

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
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

/* Content that the index names. */
struct extent {
	uint64_t device; /* byte there */
	uint64_t file;   /* byte in the undo file where its old content stands */
	uint32_t size;   /* bytes */
	uint32_t crc;    /* of the old content */
};

/* Returns 0 or -errno and e. */
typedef int (*extent_work)(const struct undofile *u, const struct extent *x, void *arg, struct err *e);

static int read_key_block(const struct undofile *u, uint64_t place, struct key_block *b, struct err *e)
{
	uint32_t crc;

	if (read_all(u->fd, b, u->block, place) < 0 || b->magic != KEY_MAGIC)
		return damaged(e, "a block of its index is missing");
	crc = b->crc;
	b->crc = 0;
	return crc == crc_of(b, u->block) ? 0 : damaged(e, "the checksum of its index is wrong");
}

/* The content of k, which begins at byte *place; it ends there then. */
static int take_key(const struct undofile *u, const struct key *k, uint64_t *place, struct extent *x, struct err *e)
{
	uint64_t last = (uint64_t)INT64_MAX - MAX_EXTENT_BLOCKS * (uint64_t)u->block;

	if (k->size > MAX_EXTENT_BLOCKS * u->block || (k->size && (*place > u->bytes || k->size > u->bytes - *place)))
		return damaged(e, "what it has saved is not whole");
	if (k->fs_block > last / u->fs_block || u->offset > last - k->fs_block * u->fs_block)
		return damaged(e, "it names a place that no device has");
	*x = (struct extent){ .device = k->fs_block * u->fs_block + u->offset, .file = *place, .size = k->size,
			      .crc = k->crc };
	*place += (k->size + (uint64_t)u->block - 1) / u->block * u->block;
	return 0;
}

static int each_extent(const struct undofile *u, extent_work work, void *arg, struct err *e)
{
	size_t per_block = u->block / sizeof(struct key) - 1, n, i;
	cleanup_free struct key_block *b = malloc(u->block);
	uint64_t place = u->first, left;
	struct extent x;
	int rc = 0;

	if (!b)
		return err_set(e, ENOMEM, "no memory for an undo file");
	for (left = u->keys; left && rc == 0; left -= n) {
		n = left < per_block ? left : per_block;
		rc = read_key_block(u, place, b, e);
		place += u->block;
		for (i = 0; i < n && rc == 0; i++) {
			rc = take_key(u, &b->keys[i], &place, &x, e);
			if (rc == 0 && x.size)
				rc = work(u, &x, arg, e);
		}
	}
	return rc;
}

static int io_error(int rc, struct err *e)
{
	return err_set_word(e, -rc, "io-error", "what the undo file names: %s", strerror(-rc));
}

static uint32_t piece_of(const struct extent *x, uint32_t done)
{
	return x->size - done < PIECE ? x->size - done : PIECE;
}

/* The saved bytes are all there. */
static int is_whole(const struct undofile *u, const struct extent *x, void *arg, struct err *e)
{
	unsigned char old[PIECE];
	uint32_t crc = ~0u, done, n;

	(void)arg;
	for (done = 0; done < x->size; done += n) {
		n = piece_of(x, done);
		if (read_all(u->fd, old, n, x->file + done) < 0)
			return damaged(e, "what it has saved is not whole");
		crc = ext2fs_crc32c_le(crc, old, n);
	}
	return crc == x->crc ? 0 : damaged(e, "what it has saved is not whole");
}

int undofile_open(struct undofile *u, int fd, struct err *e)
{
	struct header h;
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return err_set_word(e, errno, "bad-undo", "the undo file: %s", strerror(errno));
	rc = read_header(fd, (uint64_t)st.st_size, &h, e);
	if (rc < 0)
		return rc;
	*u = (struct undofile){
		.fd = fd, .bytes = (uint64_t)st.st_size, .keys = h.keys, .first = h.first * h.block,
		.offset = h.compat & HAS_OFFSET ? h.offset : 0, .block = h.block, .fs_block = h.fs_block,
		.finished = h.state & FINISHED, .super_crc = h.super_crc, .next_crc = h.next_crc,
	};
	return each_extent(u, is_whole, NULL, e);
}

/* A chain: each hash is of the one before and what comes next. */
struct chain {
	int device;
	unsigned char hash[UNDOFILE_HASH_BYTES];
};

static int add_to_hash(const struct undofile *u, const struct extent *x, void *arg, struct err *e)
{
	struct chain *c = arg;
	struct sha512_ctx sha;
	unsigned char now[PIECE];
	uint32_t done, n;
	int rc;

	(void)u;
	sha512_init(&sha);
	sha512_update(&sha, sizeof(c->hash), c->hash);
	for (done = 0; done < x->size; done += n) {
		n = piece_of(x, done);
		rc = read_all(c->device, now, n, x->device + done);
		if (rc < 0)
			return io_error(rc, e);
		sha512_update(&sha, n, now);
	}
	sha512_digest(&sha, sizeof(c->hash), c->hash);
	return 0;
}

int undofile_hash(const struct undofile *u, int device, unsigned char hash[UNDOFILE_HASH_BYTES], struct err *e)
{
	const struct extent super = { .device = SUPERBLOCK_OFFSET, .size = SUPER_SIZE };
	struct chain c = { .device = device };
	int rc = add_to_hash(u, &super, &c, e);

	if (rc == 0)
		rc = each_extent(u, add_to_hash, &c, e);
	memcpy(hash, c.hash, sizeof(c.hash));
	return rc;
}

bool undofile_knows_super(const struct undofile *u, int device)
{
	unsigned char super[SUPER_SIZE];
	uint32_t crc;

	if (read_all(device, super, sizeof(super), SUPERBLOCK_OFFSET) < 0)
		return false;
	crc = crc_of(super, sizeof(super));
	return crc == u->super_crc || (!u->finished && crc == u->next_crc);
}

static int fits(const struct undofile *u, const struct extent *x, void *arg, struct err *e)
{
	uint64_t end = *(const uint64_t *)arg;

	(void)u;
	return x->device <= end && x->size <= end - x->device ? 0 :
	       damaged(e, "it names a place behind the end of the device");
}

static int write_piece(int device, const unsigned char *old, size_t n, uint64_t place)
{
	return write_all(device, old, n, place);
}

static int compare_piece(int device, const unsigned char *old, size_t n, uint64_t place)
{
	unsigned char now[PIECE];
	int rc = read_all(device, now, n, place);

	return rc == 0 && memcmp(old, now, n) != 0 ? -EIO : rc;
}

/* The old content, piece by piece, and where it belongs. */
static int each_piece(const struct undofile *u, const struct extent *x, int device,
		      int (*work)(int device, const unsigned char *old, size_t n, uint64_t place), struct err *e)
{
	unsigned char old[PIECE];
	uint32_t done, n;
	int rc = 0;

	for (done = 0; done < x->size && rc == 0; done += n) {
		n = piece_of(x, done);
		rc = read_all(u->fd, old, n, x->file + done);
		if (rc == 0)
			rc = work(device, old, n, x->device + done);
	}
	return rc < 0 ? io_error(rc, e) : 0;
}

static int write_old(const struct undofile *u, const struct extent *x, void *arg, struct err *e)
{
	return each_piece(u, x, *(const int *)arg, write_piece, e);
}

static int compare_old(const struct undofile *u, const struct extent *x, void *arg, struct err *e)
{
	return each_piece(u, x, *(const int *)arg, compare_piece, e);
}

int undofile_play(const struct undofile *u, int device, struct err *e)
{
	off_t end = lseek(device, 0, SEEK_END);
	uint64_t bytes = (uint64_t)end;
	int rc = end < 0 ? io_error(-errno, e) : each_extent(u, fits, &bytes, e);

	if (rc == 0)
		rc = each_extent(u, write_old, &device, e);
	if (rc == 0 && fsync(device) < 0)
		rc = err_set_word(e, errno, "io-error", "sync: %s", strerror(errno));
	if (rc < 0)
		return rc;
	/* what is compared comes from the disk */
	posix_fadvise(device, 0, 0, POSIX_FADV_DONTNEED);
	return each_extent(u, compare_old, &device, e);
}
