/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The look into the folders of an ext filesystem that is not mounted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/types.h>
#include <ext2fs/ext2fs.h>

#include <cmocka.h>

#include "extlook.h"
#include "tempdisk.h"

#define MIB (1024 * 1024ULL)
#define BLOCK 4096
#define CPU_LIMIT_S 20 /* it takes one or two, and would take minutes */

static char pattern[] = "*.img";
static char *item[] = { pattern };
static const struct words patterns = { .item = item, .n = 1 };

static void make_filesystem(struct tempdisk *d)
{
	char command[256];

	tempdisk_make(d, 16 * MIB);
	snprintf(command, sizeof(command), "/usr/sbin/mke2fs -q -F -t ext2 -b %d -N 32 %s", BLOCK, d->path);
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void fill_block(ext2_filsys fs, blk64_t block, uint32_t with)
{
	uint32_t words[BLOCK / 4];
	size_t i;

	for (i = 0; i < BLOCK / 4; i++)
		words[i] = with;
	assert_int_equal(io_channel_write_blk64(fs->io, block, 1, words), 0);
}

/* The root folder goes over three levels of pointers, each of them one block that points a
 * thousand times to the next, to one block without an entry: a billion blocks. */
static void make_endless(const char *path)
{
	const blk64_t at = 3000;
	struct ext2_dir_entry empty[BLOCK / sizeof(struct ext2_dir_entry) + 1];
	struct ext2_inode inode;
	ext2_filsys fs;
	uint32_t i;

	assert_int_equal(ext2fs_open(path, EXT2_FLAG_RW, 0, 0, unix_io_manager, &fs), 0);
	assert_int_equal(ext2fs_read_inode(fs, EXT2_ROOT_INO, &inode), 0);
	for (i = 0; i < EXT2_NDIR_BLOCKS; i++)
		inode.i_block[i] = at;
	for (i = 0; i < 3; i++)
		inode.i_block[EXT2_IND_BLOCK + i] = (uint32_t)at + i + 1;
	assert_int_equal(ext2fs_write_inode(fs, EXT2_ROOT_INO, &inode), 0);
	for (i = 1; i <= 3; i++)
		fill_block(fs, at + i, (uint32_t)at + i - 1);
	memset(empty, 0, sizeof(empty));
	empty->rec_len = BLOCK;
	assert_int_equal(io_channel_write_blk64(fs->io, at, 1, empty), 0);
	assert_int_equal(ext2fs_close(fs), 0);
}

static void nothing_there(void **state)
{
	struct tempdisk d;
	struct err e;

	(void)state;
	make_filesystem(&d);
	assert_int_equal(extlook_has_image(d.path, &patterns, &e), 0);
	tempdisk_drop(&d);
}

static void a_folder_without_an_end(void **state)
{
	const struct itimerval limit = { .it_value = { .tv_sec = CPU_LIMIT_S } }, none = { .it_value = { 0 } };
	struct tempdisk d;
	struct err e;

	(void)state;
	make_filesystem(&d);
	make_endless(d.path);
	setitimer(ITIMER_PROF, &limit, NULL);
	assert_true(extlook_has_image(d.path, &patterns, &e) < 0);
	setitimer(ITIMER_PROF, &none, NULL);
	tempdisk_drop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_there),
		cmocka_unit_test(a_folder_without_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
