/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exFAT.
 *
 * Recognises  it by its boot sector.
 * Uses        fsck.exfat: -n to look, -p in preen, -y in repair; its own reading of the flag
 *             that says a volume was not unmounted, of which -n says nothing and which -p clears.
 * Never       mounts one.
 */
#include <string.h>

#include "fstools.h"
#include "looks.h"
#include "registry.h"

#define FSCK_EXFAT "/usr/bin/fsck.exfat"

/* VolumeFlags of the main boot sector ("exFAT file system specification", 3.1.13). */
#define VOLUME_FLAGS 106
#define VOLUME_DIRTY 0x02

static const struct fs_row look_table[] = {
	{ .exit = 0, .outcome = FS_CLEAN },
	{ .exit = 1, .outcome = FS_DAMAGED },
	{ .exit = 4, .outcome = FS_DAMAGED },
	{ .exit = FS_TABLE_END },
};

static const struct fs_row write_table[] = {
	{ .exit = 0, .outcome = FS_DONE },
	{ .exit = 1, .outcome = FS_DONE },
	{ .exit = 4, .outcome = FS_DONE },
	{ .exit = FS_TABLE_END },
};

static bool is_dirty(const char *device)
{
	static const struct field flags = { VOLUME_FLAGS, 1, false };
	uint64_t value;
	struct err e;

	return look_fields(device, &flags, 1, false, &value, &e) == 0 && (value & VOLUME_DIRTY);
}

const struct fs_tool exfat_tool = {
	.name = "fsck.exfat", .package = "exfatprogs", .profile = &sandbox_exfat, .look = { FSCK_EXFAT, "-n" },
	.preen = { FSCK_EXFAT, "-p" }, .repair = { FSCK_EXFAT, "-y" }, .look_table = look_table,
	.write_table = write_table, .is_pending = is_dirty,
};

static enum claim exfat_probe(struct walk *w, struct node *device, struct err *e)
{
	(void)w;
	(void)e;
	return strcmp(device->content.type, "exfat") == 0 ? MINE : NOT_MINE;
}

static int exfat_check(struct walk *w, struct node *n, struct err *e)
{
	return fscheck(w, n, &exfat_tool, e);
}

const struct layer_ops exfat_ops = {
	.name = "exfat", .kind = KIND_FILESYSTEM, .probe = exfat_probe, .describe = fscheck_describe,
	.check = exfat_check,
};
