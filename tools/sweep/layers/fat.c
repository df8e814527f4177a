/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FAT12, FAT16 and FAT32: EFI system partitions mostly.
 *
 * Recognises  them by their boot sector.
 * Uses        fsck.fat: -n to look, -a in preen, and in repair as often as it takes; it has nothing
 *             stronger.
 * Never       mounts one.
 *
 * fsck.fat says 1 both for errors left and for errors corrected; the look afterwards decides.
 */
#include <string.h>

#include "fstools.h"
#include "registry.h"

#define FSCK_FAT "/usr/bin/fsck.fat"

static const struct fs_row look_table[] = {
	{ .exit = 0, .words = "\nThere are differences between boot sector and its backup",
	  .outcome = FS_CLEAN, .sentence = "the backup of its boot sector differs, which fsck.fat leaves as it is" },
	{ .exit = 0, .outcome = FS_CLEAN },
	{ .exit = 1, .words = "\nCurrently, only 1 or 2 FATs are supported", .outcome = FS_NEWER,
	  .sentence = "it has more than two FATs, which fsck.fat does not check" },
	{ .exit = 1, .outcome = FS_DAMAGED },
	{ .exit = FS_TABLE_END },
};

static const struct fs_row write_table[] = {
	{ .exit = 0, .outcome = FS_DONE },
	{ .exit = 1, .outcome = FS_DONE },
	{ .exit = FS_TABLE_END },
};

const struct fs_tool fat_tool = {
	.name = "fsck.fat", .package = "dosfstools", .profile = &sandbox_fat, .look = { FSCK_FAT, "-n" }, .preen = { FSCK_FAT, "-a" },
	.repair = { FSCK_FAT, "-a" }, .look_table = look_table, .write_table = write_table,
};

static enum claim fat_probe(struct walk *w, struct node *device, struct err *e)
{
	(void)w;
	(void)e;
	return strcmp(device->content.type, "vfat") == 0 ? MINE : NOT_MINE;
}

static int fat_check(struct walk *w, struct node *n, struct err *e)
{
	return fscheck(w, n, &fat_tool, e);
}

const struct layer_ops fat_ops = {
	.name = "fat", .kind = KIND_FILESYSTEM, .probe = fat_probe, .describe = fscheck_describe,
	.check = fat_check,
};
