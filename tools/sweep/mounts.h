/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts of the host's own filesystems: for keys, for disk images and for the report. A
 * guest's filesystem is never mounted. */
#ifndef GS_MOUNTS_H
#define GS_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define MOUNTS_FOLDER "/run/guestsweep/fs" /* a folder per host filesystem with images, by node id */

/* true where a filesystem of this type (libblkid's name) can be mounted here. */
bool mounts_can(const char *type) nonnull_all;

/* Mounts device (ext2/3/4, vfat, xfs or btrfs, by its superblock) at folder, which
 * is made, nodev, nosuid and noexec; read-only without replaying a journal, or
 * for writing. Returns 0; -ENODEV: no such filesystem; -errno of mount(2). */
int mounts_mount(const char *device, const char *folder, bool read_only, struct err *e)
	must_check nonnull_all;

/* Unmounts folder, retried for a few seconds, and removes it. Returns 0 or -errno. */
int mounts_unmount(const char *folder, struct err *e) must_check nonnull_all;

/* Unmounts what workers that are gone had mounted in MOUNTS_FOLDER, all but the nodes of these
 * ids. Returns how many are left. */
unsigned mounts_unmount_all(const unsigned *ids, size_t n);

#endif
