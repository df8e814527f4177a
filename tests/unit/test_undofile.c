/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Undo files: read, compared, played; and cut off or damaged in every place. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include "tempdisk.h"
#include "undofile.h"

#define BLOCK 1024
#define KEYS (BLOCK / 16 - 1)
#define DISK_BLOCKS 16

/* A file that saves blocks 1 (the superblock) and 5 to 6 of a disk, in two key blocks as our e2fsck makes them. */
static unsigned char file[8 * BLOCK], disk[DISK_BLOCKS * BLOCK];
static struct tempdisk file_now, disk_now;

static void put32(unsigned char *p, uint32_t v) { memcpy(p, &v, sizeof(v)); }
static void put64(unsigned char *p, uint64_t v) { memcpy(p, &v, sizeof(v)); }

static uint32_t crc(const void *data, size_t size)
{
	return ext2fs_crc32c_le(~0u, data, size);
}

static void make_key_block(unsigned char *b, uint64_t block, const unsigned char *data, uint32_t size)
{
	size_t i;

	put32(b, 0xcadecade);
	put64(b + 16, block);
	put32(b + 24, crc(data, size));
	put32(b + 28, size);
	for (i = 1; i < KEYS; i++) {
		put64(b + 16 + i * 16, 1);
		put32(b + 24 + i * 16, ~0u);
	}
	put32(b + 4, crc(b, BLOCK));
}

static void make_header(uint32_t state, uint32_t super_crc, uint32_t next_crc)
{
	memcpy(file, "E2UNDO02", 8);
	put64(file + 8, 2 * KEYS);
	put64(file + 16, 1);
	put64(file + 24, 2);
	put32(file + 32, BLOCK);
	put32(file + 36, BLOCK);
	put32(file + 40, super_crc);
	put32(file + 44, state);
	put32(file + 60, next_crc);
	put32(file + 508, crc(file, 508));
}

static void store(const struct tempdisk *d, const void *data, size_t size)
{
	assert_int_equal(ftruncate(d->fd, 0), 0);
	tempdisk_put(d, 0, data, size);
}

static int set_up(void **state)
{
	(void)state;
	memset(file, 0, sizeof(file));
	memset(file + 3 * BLOCK, 'a', BLOCK);
	memset(file + 5 * BLOCK, 'b', 2 * BLOCK);
	make_key_block(file + 2 * BLOCK, 1, file + 3 * BLOCK, BLOCK);
	make_key_block(file + 4 * BLOCK, 5, file + 5 * BLOCK, 2 * BLOCK);
	memset(disk, 'x', sizeof(disk));
	make_header(1, crc(disk + BLOCK, BLOCK), 77);
	store(&file_now, file, 7 * BLOCK);
	store(&disk_now, disk, sizeof(disk));
	return 0;
}

static void plays_back(void **state)
{
	unsigned char now[sizeof(disk)];
	struct undofile u;
	struct err e;

	(void)state;
	assert_int_equal(undofile_open(&u, file_now.fd, &e), 0);
	assert_true(u.finished);
	assert_true(undofile_knows_super(&u, disk_now.fd));
	assert_int_equal(undofile_play(&u, disk_now.fd, &e), 0);
	assert_false(undofile_knows_super(&u, disk_now.fd));
	memset(disk + BLOCK, 'a', BLOCK);
	memset(disk + 5 * BLOCK, 'b', 2 * BLOCK);
	tempdisk_get(&disk_now, 0, now, sizeof(now));
	assert_memory_equal(now, disk, sizeof(now));
}

/* A run that was cut: the superblock may be the next one too. */
static void knows_the_next_super(void **state)
{
	struct undofile u;
	struct err e;

	(void)state;
	make_header(0, 77, crc(disk + BLOCK, BLOCK));
	store(&file_now, file, 7 * BLOCK);
	assert_int_equal(undofile_open(&u, file_now.fd, &e), 0);
	assert_true(undofile_knows_super(&u, disk_now.fd));
	make_header(1, 77, crc(disk + BLOCK, BLOCK)); /* it came to its end: only what it left counts */
	store(&file_now, file, 7 * BLOCK);
	assert_int_equal(undofile_open(&u, file_now.fd, &e), 0);
	assert_false(undofile_knows_super(&u, disk_now.fd));
}

/* One byte of what the repair wrote makes another hash; a byte beside it does not. */
static void hash_covers_what_was_written(void **state)
{
	static const struct { size_t place; bool counts; } rows[] = {
		{ 0, false }, { BLOCK, true }, { 2 * BLOCK - 1, true }, { 2 * BLOCK, false }, { 5 * BLOCK - 1, false },
		{ 5 * BLOCK, true }, { 7 * BLOCK - 1, true }, { 7 * BLOCK, false },
	};
	unsigned char first[UNDOFILE_HASH_BYTES], hash[UNDOFILE_HASH_BYTES];
	struct undofile u;
	struct err e;
	size_t i;

	(void)state;
	assert_int_equal(undofile_open(&u, file_now.fd, &e), 0);
	assert_int_equal(undofile_hash(&u, disk_now.fd, first, &e), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		disk[rows[i].place] ^= 1;
		store(&disk_now, disk, sizeof(disk));
		disk[rows[i].place] ^= 1;
		assert_int_equal(undofile_hash(&u, disk_now.fd, hash, &e), 0);
		if ((memcmp(first, hash, sizeof(hash)) != 0) != rows[i].counts)
			fail_msg("byte %zu", rows[i].place);
	}
}

/* What is beside an undo file from an earlier sweep: each hash is of the one before and of a whole extent. */
static void hash_is_a_chain(void **state)
{
	unsigned char chain[64 + 2 * BLOCK] = { 0 }, hash[UNDOFILE_HASH_BYTES];
	struct undofile u;
	struct err e;

	(void)state;
	memset(disk + 5 * BLOCK, 'y', BLOCK);
	store(&disk_now, disk, sizeof(disk));
	memcpy(chain + 64, disk + BLOCK, BLOCK);
	ext2fs_sha512(chain, 64 + BLOCK, hash); /* the superblock, which is an extent as well */
	memcpy(chain, hash, 64);
	ext2fs_sha512(chain, 64 + BLOCK, hash);
	memcpy(chain, hash, 64);
	memcpy(chain + 64, disk + 5 * BLOCK, 2 * BLOCK);
	ext2fs_sha512(chain, sizeof(chain), chain);
	assert_int_equal(undofile_open(&u, file_now.fd, &e), 0);
	assert_int_equal(undofile_hash(&u, disk_now.fd, hash, &e), 0);
	assert_memory_equal(hash, chain, sizeof(hash));
}

/* An extent that is not read at once. */
static void large_extents(void **state)
{
	static unsigned char content[100 * BLOCK + 1], chain[64 + sizeof(content)], now[sizeof(content)];
	unsigned char hash[UNDOFILE_HASH_BYTES];
	struct undofile u;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(content); i++)
		content[i] = (unsigned char)(i * 7 / 3);
	make_header(1, 0, 0);
	put64(file + 8, KEYS);
	put32(file + 508, crc(file, 508));
	memset(file + 2 * BLOCK, 0, BLOCK);
	make_key_block(file + 2 * BLOCK, 8, content, sizeof(content));
	store(&file_now, file, 3 * BLOCK);
	tempdisk_put(&file_now, 3 * BLOCK, content, sizeof(content));
	assert_int_equal(ftruncate(disk_now.fd, 8 * BLOCK + sizeof(content)), 0);
	assert_int_equal(undofile_open(&u, file_now.fd, &e), 0);
	assert_int_equal(undofile_play(&u, disk_now.fd, &e), 0);
	tempdisk_get(&disk_now, 8 * BLOCK, now, sizeof(now));
	assert_memory_equal(now, content, sizeof(now));
	memcpy(chain + 64, disk + BLOCK, BLOCK);
	ext2fs_sha512(chain, 64 + BLOCK, chain);
	memcpy(chain + 64, content, sizeof(content));
	ext2fs_sha512(chain, sizeof(chain), chain);
	assert_int_equal(undofile_hash(&u, disk_now.fd, hash, &e), 0);
	assert_memory_equal(hash, chain, sizeof(hash));
	content[sizeof(content) - 1]++; /* the last piece counts as well */
	tempdisk_put(&file_now, 3 * BLOCK, content, sizeof(content));
	assert_int_equal(undofile_open(&u, file_now.fd, &e), -EUCLEAN);
}

/* One that names a place behind the end is not played in part. */
static void refuses_other_places(void **state)
{
	static const uint64_t offsets[] = { DISK_BLOCKS * BLOCK, INT64_MAX - BLOCK, INT64_MAX, UINT64_MAX - BLOCK, UINT64_MAX };
	unsigned char now[sizeof(disk)];
	struct undofile u;
	struct err e;
	size_t i;

	(void)state;
	assert_int_equal(undofile_open(&u, file_now.fd, &e), 0);
	assert_int_equal(ftruncate(disk_now.fd, 7 * BLOCK - 1), 0);
	assert_int_equal(undofile_play(&u, disk_now.fd, &e), -EUCLEAN);
	tempdisk_get(&disk_now, 0, now, 7 * BLOCK - 1);
	assert_memory_equal(now, disk, 7 * BLOCK - 1);
	store(&disk_now, disk, sizeof(disk));
	put32(file + 48, 1); /* the filesystem begins at an offset */
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		put64(file + 64, offsets[i]);
		make_header(1, 0, 0);
		store(&file_now, file, 7 * BLOCK);
		if ((undofile_open(&u, file_now.fd, &e) == 0) != (i == 0))
			fail_msg("offset %llx", (unsigned long long)offsets[i]);
		if (i == 0)
			assert_int_equal(undofile_play(&u, disk_now.fd, &e), -EUCLEAN);
	}
}

/* No file that is shorter, or has another byte where it matters, is played. */
static void refuses_what_is_damaged(void **state)
{
	struct undofile u;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < 7 * BLOCK; i += 128) {
		store(&file_now, file, i);
		assert_int_equal(undofile_open(&u, file_now.fd, &e), i == 0 ? -ENODATA : -EUCLEAN);
	}
	for (i = 0; i < 7 * BLOCK; i++) {
		if (i == 512)
			i = 2 * BLOCK; /* the rest of the header's block, and the superblock's copy */
		file[i] ^= 0x10;
		store(&file_now, file, 7 * BLOCK);
		file[i] ^= 0x10;
		if (undofile_open(&u, file_now.fd, &e) != -EUCLEAN)
			fail_msg("byte %zu", i);
	}
	store(&file_now, disk, 0);
	memset(file, 0, sizeof(file));
	store(&file_now, file, 3 * BLOCK);
	assert_int_equal(undofile_open(&u, file_now.fd, &e), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(plays_back, set_up),
		cmocka_unit_test_setup(knows_the_next_super, set_up),
		cmocka_unit_test_setup(hash_covers_what_was_written, set_up),
		cmocka_unit_test_setup(hash_is_a_chain, set_up),
		cmocka_unit_test_setup(large_extents, set_up),
		cmocka_unit_test_setup(refuses_other_places, set_up),
		cmocka_unit_test_setup(refuses_what_is_damaged, set_up),
	};
	int failed;

	tempdisk_make(&file_now, 0);
	tempdisk_make(&disk_now, 0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	tempdisk_drop(&file_now);
	tempdisk_drop(&disk_now);
	return failed;
}
