/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts of the host's own filesystems: for keys, for disk images and for the report. A
 * guest's filesystem is never mounted. */
#ifndef GS_MOUNTS_H
#define GS_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "extsuper.h"

#define MOUNTS_FOLDER "/run/guestsweep/fs" /* a folder per host filesystem with images, by node id */

/* true where a filesystem of this type (libblkid's name) can be mounted here. */
bool mounts_can(const char *type) nonnull_all;

struct mounted {
	char folder[256];
	char device[80];
	/* where the host had an ext filesystem mounted last, by its own account, "": not known; the
	 * kernel forgets it when we mount it for writing, so it is noted again afterwards */
	char last_mounted[LAST_MOUNTED_SIZE];
	bool forgets;
};

/* Mounts device (ext2/3/4, vfat, xfs or btrfs, by its superblock) at folder, which
 * is made, nodev, nosuid and noexec; read-only without replaying a journal, or
 * for writing. Returns 0; -ENODEV: no such filesystem; -errno of mount(2). */
int mounts_mount(struct mounted *m, const char *device, const char *folder, bool read_only,
		 struct err *e) must_check nonnull_all;

/* Unmounts it, retried for a few seconds, and removes the folder. Returns 0 or -errno. */
int mounts_unmount(const struct mounted *m, struct err *e) must_check nonnull_all;

/* Mounts device at folder read-only, calls work with the folder, and unmounts it again. Returns what work
 * returned, or -errno. */
int mounts_with(const char *device, const char *folder, int (*work)(const char *folder, void *arg, struct err *e),
		void *arg, struct err *e) must_check nonnull_at(1, 2, 3, 5);

/* Unmounts what workers that are gone had mounted in MOUNTS_FOLDER, all but the nodes of these
 * ids. Returns how many are left. */
unsigned mounts_unmount_all(const unsigned *ids, size_t n);

#endif
