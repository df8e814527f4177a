/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XFS.
 *
 * Recognises  it by its superblock.
 * Uses        xfs_repair: -n to look, -e (which tells by its exit status that it changed
 *             something) in mode repair. There is no preen.
 * Never       runs it with -L, which throws the log away with what guests have written; writes
 *             before a look has seen the log empty; mounts, which alone replays a log; runs it where the
 *             device has larger sectors than the filesystem, as it reads past the cache, and calls damaged
 *             what it can't read.
 *
 * xfs_repair -n says 1 for everything, its words say what: measured with 6.13.0. With the primary
 * superblock gone it stops before it comes to the log. -t 0: no timer for reports of its progress, which
 * it sets for filesystems of many allocation groups, and which its sandbox refuses. One of a single
 * group has no second superblock to compare the first with: that is no reason not to look at it.
 */
#include <errno.h>
#include <string.h>

#include "blockdev.h"
#include "fstools.h"
#include "looks.h"
#include "registry.h"

#define XFS_REPAIR "/usr/bin/xfs_repair"

/* Of struct xfs_dsb (kernel, fs/xfs/libxfs/xfs_format.h), big-endian. */
#define SB_RBLOCKS 16  /* blocks on a realtime device */
#define SB_LOGSTART 48 /* 0: the log is on a device of its own */
#define SB_SECTSIZE 102

static const struct fs_row look_table[] = {
	{ .exit = 0, .outcome = FS_CLEAN },
	{ .exit = 1, .words = "\nALERT: The filesystem has valuable metadata changes in a log",
	  .outcome = FS_DIRTY_LOG },
	{ .exit = 1, .words = "\nUsing a more recent xfs_repair is recommended", .outcome = FS_NEWER },
	{ .exit = 1, .words = "\nFound unsupported filesystem features", .outcome = FS_NEWER },
	{ .exit = 1, .words = " unsupported. Please try an older xfsprogs.", .outcome = FS_NEWER,
	  .sentence = "it is of a version so old that xfs_repair does not check it any more" },
	{ .exit = 1, .words = "\nfatal error -- ", .outcome = FS_BROKEN },
	{ .exit = 1, .words = "\nCannot proceed further in no_modify mode", .outcome = FS_UNSURE },
	{ .exit = 1, .outcome = FS_DAMAGED },
	{ .exit = FS_TABLE_END },
};

static const struct fs_row write_table[] = {
	{ .exit = 0, .outcome = FS_DONE },
	{ .exit = 4, .outcome = FS_DONE },
	{ .exit = 1, .words = "Use the -o force_geometry option to proceed", .outcome = FS_BY_HAND,
	  .sentence = "it has errors, and too few allocation groups to know its geometry for sure; xfs_repair "
		      "-o force_geometry would correct it, by hand" },
	{ .exit = 2, .words = "\nERROR: The filesystem has valuable metadata changes in a log",
	  .outcome = FS_DIRTY_LOG },
	{ .exit = 2, .outcome = FS_BY_HAND,
	  .sentence = "its log is damaged, and xfs_repair refuses; only xfs_repair -L would go on, by hand, and "
		      "what the log holds is lost then" },
	{ .exit = FS_TABLE_END },
};

static int xfs_refuse(const struct node *n, struct err *e)
{
	static const struct field fields[] = {
		{ SB_RBLOCKS, 8, true }, { SB_LOGSTART, 8, true }, { SB_SECTSIZE, 2, true },
	};
	uint64_t value[ARRAY_SIZE(fields)];
	unsigned sector, own = blockdev_sector_size(n->parents[0]->device);
	int rc = look_fields(n->parents[0]->device, fields, ARRAY_SIZE(fields), false, value, e);

	if (rc < 0)
		return rc;
	if (!value[1])
		return err_set_word(e, ENODEV, "missing-device", "its log is on another device");
	if (value[0])
		return err_set_word(e, ENODEV, "missing-device", "its realtime section is on another device");
	sector = (unsigned)value[2];
	if (sector && sector < own)
		return err_set_word(e, ENOTSUP, "unsupported-feature",
				    "it has sectors of %u bytes and its device of %u, in which xfs_repair can't read it; "
				    "check it on a device of smaller sectors", sector, own);
	return 0;
}

const struct fs_tool xfs_tool = {
	.name = "xfs_repair", .package = "xfsprogs", .profile = &sandbox_xfs_repair,
	.look = { XFS_REPAIR, "-t", "0", "-n", "-o", "force_geometry" },
	.repair = { XFS_REPAIR, "-t", "0", "-e" }, .look_table = look_table, .write_table = write_table,
	.refuse = xfs_refuse,
};

static enum claim xfs_probe(struct walk *w, struct node *device, struct err *e)
{
	(void)w;
	(void)e;
	return strcmp(device->content.type, "xfs") == 0 ? MINE : NOT_MINE;
}

static int xfs_check(struct walk *w, struct node *n, struct err *e)
{
	return fscheck(w, n, &xfs_tool, e);
}

const struct layer_ops xfs_ops = {
	.name = "xfs", .kind = KIND_FILESYSTEM, .probe = xfs_probe, .describe = fscheck_describe,
	.check = xfs_check,
};
