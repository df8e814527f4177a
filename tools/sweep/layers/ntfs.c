/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NTFS.
 *
 * Recognises  it by its boot sector.
 * Uses        ntfsfix -n with our patch, which tells a dirty volume and a hibernated Windows.
 * Never       writes to one: only chkdsk inside Windows repairs NTFS. A Windows that is
 *             hibernated, or was shut down with fast startup, still owns its guest's filesystems:
 *             so NTFS is looked at before anything of the guest is written to.
 *
 * A clean answer speaks of the boot sectors, the first records of the MFT, the flags and the
 * journal; ntfsfix does not look at every file, and the report says so.
 */
#include <string.h>

#include "fstools.h"
#include "registry.h"

#define NTFSFIX "/usr/bin/ntfsfix"

static const struct fs_row look_table[] = {
	{ .exit = 0, .outcome = FS_CLEAN,
	  .sentence = "its boot sectors, the start of its MFT, its flags and its journal are good; only chkdsk "
		      "in Windows checks the rest" },
	{ .exit = 2, .words = "\nUnclean: the volume is marked dirty", .outcome = FS_BY_HAND,
	  .sentence = "its dirty flag is set; Windows checks it at its next start" },
	{ .exit = 2, .outcome = FS_DIRTY_LOG,
	  .sentence = "its journal is not empty; Windows replays it at its next start" },
	{ .exit = 3, .words = "\nUnclean: Windows is hibernated", .outcome = FS_HIBERNATED,
	  .sentence = "Windows is hibernated, or was shut down with fast startup, and still owns this guest's "
		      "filesystems; start it and shut it down in full (shutdown /s /t 0)" },
	{ .exit = 3, .words = "\nUnclean: hiberfil.sys", .outcome = FS_HIBERNATED,
	  .sentence = "whether Windows is hibernated can't be told, since its hiberfil.sys can't be read" },
	{ .exit = 3, .outcome = FS_HIBERNATED,
	  .sentence = "Windows keeps metadata of it in its cache: it is hibernated, was shut down with fast "
		      "startup, or was cut off; start it and shut it down in full (shutdown /s /t 0)" },
	{ .exit = 1, .outcome = FS_BY_HAND,
	  .sentence = "it has errors; NTFS is never written to here, run chkdsk /f in Windows" },
	{ .exit = FS_TABLE_END },
};

const struct fs_tool ntfs_tool = {
	.name = "ntfsfix", .package = "ntfs-3g", .profile = &sandbox_ntfs, .look = { NTFSFIX, "-n" }, .look_table = look_table,
};

static enum claim ntfs_probe(struct walk *w, struct node *device, struct err *e)
{
	(void)w;
	(void)e;
	return strcmp(device->content.type, "ntfs") == 0 ? MINE : NOT_MINE;
}

static int ntfs_check(struct walk *w, struct node *n, struct err *e)
{
	int rc = fscheck(w, n, &ntfs_tool, e);

	/* one that can't be looked into does not tell whether Windows is hibernated */
	if (rc == 0 && strcmp(n->code, "hibernated") == 0)
		node_forbid(n, "hibernated", "%s", n->reason);
	else if (rc < 0 || (n->check.exit != 0 && n->check.exit != 2))
		node_forbid(n, "hibernated", "whether Windows is hibernated can't be told: %s",
			    rc < 0 ? e->text : n->reason);
	return rc;
}

const struct layer_ops ntfs_ops = {
	.name = "ntfs", .kind = KIND_FILESYSTEM, .probe = ntfs_probe, .describe = fscheck_describe,
	.check = ntfs_check, .looks_only = true,
};
