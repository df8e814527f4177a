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

#include "undofile.h"

#define BLOCK 1024
#define KEYS (BLOCK / 16 - 1)
#define DISK_BLOCKS 16

/* A file that saves blocks 1 (the superblock) and 5 to 6 of a disk, in two key blocks as our e2fsck makes them. */
static unsigned char file[8 * BLOCK], disk[DISK_BLOCKS * BLOCK];
static char file_path[] = "/tmp/undofile.XXXXXX", disk_path[] = "/tmp/undodisk.XXXXXX";

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

static void store(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, data, size), (ssize_t)size);
	close(fd);
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
	store(file_path, file, 7 * BLOCK);
	store(disk_path, disk, sizeof(disk));
	return 0;
}

static void plays_back(void **state)
{
	unsigned char now[sizeof(disk)];
	struct undofile u;
	struct err e;
	int fd = open(disk_path, O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(undofile_open(&u, file_path, &e), 0);
	assert_true(u.finished);
	assert_int_equal(u.n, 2);
	assert_true(undofile_knows_super(&u, disk_path));
	assert_int_equal(undofile_play(&u, disk_path, &e), 0);
	assert_false(undofile_knows_super(&u, disk_path));
	undofile_close(&u);
	memset(disk + BLOCK, 'a', BLOCK);
	memset(disk + 5 * BLOCK, 'b', 2 * BLOCK);
	assert_int_equal(read(fd, now, sizeof(now)), sizeof(now));
	close(fd);
	assert_memory_equal(now, disk, sizeof(now));
}

/* A run that was cut: the superblock may be the next one too. */
static void knows_the_next_super(void **state)
{
	struct undofile u;
	struct err e;

	(void)state;
	make_header(0, 77, crc(disk + BLOCK, BLOCK));
	store(file_path, file, 7 * BLOCK);
	assert_int_equal(undofile_open(&u, file_path, &e), 0);
	assert_true(undofile_knows_super(&u, disk_path));
	undofile_close(&u);
	make_header(1, 77, crc(disk + BLOCK, BLOCK)); /* it came to its end: only what it left counts */
	store(file_path, file, 7 * BLOCK);
	assert_int_equal(undofile_open(&u, file_path, &e), 0);
	assert_false(undofile_knows_super(&u, disk_path));
	undofile_close(&u);
}

/* One byte of what the repair wrote makes another hash; a byte beside it does not. */
static void hash_covers_what_was_written(void **state)
{
	static const struct { size_t place; bool counts; } rows[] = {
		{ 0, false }, { BLOCK, true }, { 2 * BLOCK - 1, true }, { 2 * BLOCK, false }, { 5 * BLOCK - 1, false },
		{ 5 * BLOCK, true }, { 7 * BLOCK - 1, true }, { 7 * BLOCK, false },
	};
	char first[UNDOFILE_HASH_SIZE], hash[UNDOFILE_HASH_SIZE];
	struct undofile u;
	struct err e;
	size_t i;

	(void)state;
	assert_int_equal(undofile_open(&u, file_path, &e), 0);
	assert_int_equal(undofile_hash(&u, disk_path, first, &e), 0);
	assert_int_equal(strlen(first), UNDOFILE_HASH_SIZE - 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		disk[rows[i].place] ^= 1;
		store(disk_path, disk, sizeof(disk));
		disk[rows[i].place] ^= 1;
		assert_int_equal(undofile_hash(&u, disk_path, hash, &e), 0);
		if ((strcmp(first, hash) != 0) != rows[i].counts)
			fail_msg("byte %zu", rows[i].place);
	}
	undofile_close(&u);
}

/* No file that is shorter, or has another byte where it matters, is played. */
static void refuses_what_is_damaged(void **state)
{
	struct undofile u;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < 7 * BLOCK; i += 128) {
		store(file_path, file, i);
		assert_int_equal(undofile_open(&u, file_path, &e), i == 0 ? -ENODATA : -EUCLEAN);
	}
	for (i = 0; i < 7 * BLOCK; i++) {
		if (i == 512)
			i = 2 * BLOCK; /* the rest of the header's block, and the superblock's copy */
		file[i] ^= 0x10;
		store(file_path, file, 7 * BLOCK);
		file[i] ^= 0x10;
		if (undofile_open(&u, file_path, &e) != -EUCLEAN)
			fail_msg("byte %zu", i);
	}
	store(file_path, disk, 0);
	memset(file, 0, sizeof(file));
	store(file_path, file, 3 * BLOCK);
	assert_int_equal(undofile_open(&u, file_path, &e), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(plays_back, set_up),
		cmocka_unit_test_setup(knows_the_next_super, set_up),
		cmocka_unit_test_setup(hash_covers_what_was_written, set_up),
		cmocka_unit_test_setup(refuses_what_is_damaged, set_up),
	};
	int failed;

	close(mkstemp(file_path));
	close(mkstemp(disk_path));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(file_path);
	unlink(disk_path);
	return failed;
}
