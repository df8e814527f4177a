/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * F2FS.
 *
 * Recognises  it by its superblock.
 * Uses        fsck.f2fs: --dry-run to look, -a in preen (which corrects only where the kernel has
 *             marked errors), -f in repair; its own reading of the list of devices.
 * Never       writes to one that was cut off: its last checkpoint would be closed, and what programs
 *             had synced since then, which only mounting it replays, would be gone; runs it on one of
 *             several devices, since fsck.f2fs opens the paths that stand in the superblock.
 *
 * Measured with 1.16.0: --dry-run says 4 for errors, and may say 1; -a says 0 for errors that
 * nobody has marked, and leaves them.
 */
#include <errno.h>
#include <string.h>

#include "fstools.h"
#include "looks.h"
#include "registry.h"

#define FSCK_F2FS "/usr/bin/fsck.f2fs"

/* The two copies of struct f2fs_super_block (kernel, include/linux/f2fs_fs.h). */
#define FIRST_COPY 1024
#define SECOND_COPY (4096 + 1024)
#define SB_MAGIC 0xf2f52010
#define SB_DEVICES 2201 /* path of the first of several devices; zeros where there is but one */

#define CUT_OFF "sudden-power-off" /* of the line "Info: checkpoint state" */
#define MARKED_AND_CUT_OFF \
	"the guest's kernel has marked errors in it, and it was cut off: what was synced last is only in its log, " \
	"and fsck.f2fs would drop that; mount it first, then run fsck.f2fs by hand"

static const struct fs_row look_table[] = {
	{ .exit = 0, .words = "\nInfo: fs errors: ", .also = CUT_OFF, .outcome = FS_BY_HAND,
	  .sentence = MARKED_AND_CUT_OFF },
	{ .exit = 0, .words = " fsck ", .also = CUT_OFF, .outcome = FS_BY_HAND, .sentence = MARKED_AND_CUT_OFF },
	{ .exit = 0, .words = CUT_OFF, .outcome = FS_CLEAN,
	  .sentence = "it was cut off; its log is replayed when it is mounted next" },
	{ .exit = 0, .words = "\nInfo: fs errors: ", .outcome = FS_DAMAGED },
	{ .exit = 0, .words = " fsck ", .outcome = FS_DAMAGED },
	{ .exit = 0, .words = " quota_need_fsck ", .outcome = FS_DAMAGED },
	{ .exit = 0, .outcome = FS_CLEAN },
	{ .exit = 1, .words = CUT_OFF, .outcome = FS_BY_HAND, .sentence = MARKED_AND_CUT_OFF },
	{ .exit = 4, .words = CUT_OFF, .outcome = FS_BY_HAND, .sentence = MARKED_AND_CUT_OFF },
	{ .exit = 1, .outcome = FS_DAMAGED },
	{ .exit = 4, .outcome = FS_DAMAGED },
	{ .exit = 255, .words = "] Can't find valid checkpoint\n", .outcome = FS_BY_HAND,
	  .sentence = "both of its checkpoints are damaged, which fsck.f2fs can't repair" },
	{ .exit = FS_TABLE_END },
};

static const struct fs_row write_table[] = {
	{ .exit = 0, .outcome = FS_DONE },
	{ .exit = 1, .outcome = FS_DONE },
	{ .exit = 4, .outcome = FS_DONE },
	{ .exit = FS_TABLE_END },
};

static int f2fs_refuse(const struct node *n, struct err *e)
{
	static const struct field fields[] = {
		{ FIRST_COPY, 4, false }, { FIRST_COPY + SB_DEVICES, 1, false },
		{ SECOND_COPY, 4, false }, { SECOND_COPY + SB_DEVICES, 1, false },
	};
	uint64_t value[ARRAY_SIZE(fields)];
	int rc = look_fields(n->parents[0]->device, fields, ARRAY_SIZE(fields), false, value, e);

	if (rc < 0)
		return rc;
	if ((value[0] == SB_MAGIC && value[1]) || (value[2] == SB_MAGIC && value[3]))
		return err_set_word(e, ENODEV, "missing-device", "it lies on several devices, which is not handled here");
	return 0;
}

const struct fs_tool f2fs_tool = {
	.name = "fsck.f2fs", .package = "f2fs-tools", .profile = &sandbox_f2fs, .look = { FSCK_F2FS, "--dry-run" },
	.preen = { FSCK_F2FS, "-a" }, .repair = { FSCK_F2FS, "-f" }, .look_table = look_table,
	.write_table = write_table, .refuse = f2fs_refuse,
};

static enum claim f2fs_probe(struct walk *w, struct node *device, struct err *e)
{
	(void)w;
	(void)e;
	return strcmp(device->content.type, "f2fs") == 0 ? MINE : NOT_MINE;
}

static int f2fs_check(struct walk *w, struct node *n, struct err *e)
{
	return fscheck(w, n, &f2fs_tool, e);
}

const struct layer_ops f2fs_ops = {
	.name = "f2fs", .kind = KIND_FILESYSTEM, .probe = f2fs_probe, .describe = fscheck_describe,
	.check = f2fs_check,
};
