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

/* Commands of debugfs, which makes what mke2fs doesn't. */
static void debugfs(const struct tempdisk *d, const char *commands)
{
	char line[4096];

	snprintf(line, sizeof(line), "printf '%s' | /usr/sbin/debugfs -w -f - %s 2>&1 | grep -iE 'error|no such|ext2_lookup|usage' && exit 1; true",
		 commands, d->path);
	assert_int_equal(system(line), 0);
}

static int look_again(const struct tempdisk *d)
{
	struct err e;

	return extlook_has_image(d->path, &patterns, &e);
}

static void a_hidden_one(void **state)
{
	struct tempdisk d;

	(void)state;
	make_filesystem(&d);
	debugfs(&d, "mkdir /kvm\nwrite /etc/passwd /kvm/.a.img\nsif /kvm/.a.img size 2097152\n");
	assert_int_equal(look_again(&d), 1);
	tempdisk_drop(&d);
}

/* What a symbolic link leads to may be a disk, though its own name does not say so. */
static void symlinks(void **state)
{
	static const struct { const char *link, *to; int found; } links[] = {
		{ "/kvm/a.img", "blob", 1 },
		{ "/a.img", "kvm/../kvm/blob", 1 },
		{ "/a.img", "/kvm/blob", 1 },
		{ "/a.img", "/srv/kvm/kvm/blob", 1 },
		{ "/a.img", "kvm/././././././././././././././././././././././././././././././././blob", 1 }, /* has a block of its own */
		{ "/a", "kvm/blob", 0 },
		{ "/a.img", "/srv/other/kvm/blob", 0 },
		{ "/a.img", "kvm/initrd", 0 },
		{ "/a.img", "kvm/small", 0 },
		{ "/a.img", "kvm", 0 },
		{ "/a.img", "gone", 0 },
		{ "/a.img", "a.img", 0 },
	};
	char folder[] = "/tmp/extlook.XXXXXX", command[600];
	struct tempdisk d;
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof(command), "cd %s && truncate -s 2M blob initrd && truncate -s 1k small && "
		 "printf 070701 | dd of=initrd conv=notrunc status=none", folder);
	assert_int_equal(system(command), 0);
	for (i = 0; i < sizeof(links) / sizeof(*links); i++) {
		make_filesystem(&d);
		snprintf(command, sizeof(command), "ssv last_mounted /srv/kvm\nmkdir /kvm\nwrite %s/blob /kvm/blob\n"
			 "write %s/initrd /kvm/initrd\nwrite %s/small /kvm/small\nsymlink %s %s\n",
			 folder, folder, folder, links[i].link, links[i].to);
		debugfs(&d, command);
		if (look_again(&d) != links[i].found)
			fail_msg("%s -> %s", links[i].link, links[i].to);
		tempdisk_drop(&d);
	}
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
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
		cmocka_unit_test(a_hidden_one),
		cmocka_unit_test(symlinks),
		cmocka_unit_test(a_folder_without_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
