/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as an undo file, with its checksums made right where it ends with an odd byte: what it is played onto stays as long as
 * it was, and as it was where the file is refused; whatever was played once can be played again, with the same hash.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include "undofile.h"

#define FILE_MAX 16384
#define DISK_BYTES 16384
#define BLOCKS_AT 32 /* places in the header and in a block of the index: struct ext2_undo_... of undo_io.c */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void put_crc(uint8_t *p, const uint8_t *data, size_t size)
{
	uint32_t crc = ext2fs_crc32c_le(~0u, data, size);

	memcpy(p, &crc, sizeof(crc));
}

/* What the keys of the block at place have saved, and then the block itself. Returns where the next one would be. */
static size_t seal_block(uint8_t *f, size_t size, size_t block, size_t place)
{
	size_t next = place + block, i;

	for (i = 1; i < block / 16; i++) {
		uint8_t *key = f + place + i * 16;
		size_t saved = get32(key + 12);

		if (saved > size || next > size - saved)
			break;
		put_crc(key + 8, f + next, saved);
		next += (saved + block - 1) / block * block;
	}
	memset(f + place + 4, 0, 4);
	put_crc(f + place + 4, f + place, block);
	return next;
}

static void seal(uint8_t *f, size_t size)
{
	size_t block, place;

	if (size < 512)
		return;
	block = get32(f + BLOCKS_AT);
	if (block >= 1024 && block <= size && block % 512 == 0 && get64(f + 24) < size)
		for (place = (size_t)get64(f + 24) * block; place + block <= size;)
			place = seal_block(f, size, block, place);
	put_crc(f + 508, f, 508);
}

/* One file for all runs. */
static int fill(int *fd, const uint8_t *data, size_t size)
{
	if (*fd < 0)
		*fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (*fd < 0 || ftruncate(*fd, 0) < 0 || pwrite(*fd, data, size, 0) != (ssize_t)size)
		abort();
	return *fd;
}

static void check(int rc, const struct err *e)
{
	if (rc > 0 || (rc < 0 && (rc != -e->code || !e->text[0])))
		abort();
}

static void play(const struct undofile *u, int disk, const uint8_t *before)
{
	unsigned char hash[UNDOFILE_HASH_BYTES], again[UNDOFILE_HASH_BYTES];
	static uint8_t after[DISK_BYTES];
	struct err e = { 0 };
	int rc = undofile_hash(u, disk, hash, &e);

	check(rc, &e);
	undofile_knows_super(u, disk);
	rc = undofile_play(u, disk, &e);
	check(rc, &e);
	if (lseek(disk, 0, SEEK_END) != DISK_BYTES || pread(disk, after, DISK_BYTES, 0) != DISK_BYTES)
		abort();
	if (rc == -EUCLEAN && memcmp(before, after, DISK_BYTES) != 0)
		abort();
	if (rc < 0)
		return;
	check(undofile_hash(u, disk, hash, &e), &e);
	if (undofile_play(u, disk, &e) < 0 || undofile_hash(u, disk, again, &e) < 0 || memcmp(hash, again, sizeof(hash)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t f[FILE_MAX], content[DISK_BYTES];
	static int file = -1, disk = -1;
	struct err e = { 0 };
	struct undofile u;
	int rc;

	if (size > sizeof(f))
		return 0;
	memcpy(f, data, size);
	if (size && data[size - 1] % 2)
		seal(f, size);
	memset(content, 'x', sizeof(content));
	rc = undofile_open(&u, fill(&file, f, size), &e);
	check(rc, &e);
	if (rc == 0)
		play(&u, fill(&disk, content, sizeof(content)), content);
	return 0;
}
