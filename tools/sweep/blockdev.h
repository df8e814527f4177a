/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts of block devices, and the kernel's read-only switch. */
#ifndef GS_BLOCKDEV_H
#define GS_BLOCKDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

#define BLOCKDEV_FD "/dev/fd/" /* without /proc, too */

/* Opens it for reading; "/dev/fd/N" is a copy of descriptor N. Returns a descriptor or -errno. */
int blockdev_open(const char *path, struct err *e) must_check nonnull_all;

/* Size in bytes (BLKGETSIZE64). Returns 0 or -errno. */
int blockdev_size(const char *path, uint64_t *bytes, struct err *e) must_check nonnull_all;

/* Logical sector size in bytes (BLKSSZGET); 512 where it can't be had. */
unsigned blockdev_sector_size(const char *path) nonnull_all;

/* Sets or clears the kernel's read-only state of the device (BLKROSET). */
int blockdev_set_read_only(const char *path, bool read_only, struct err *e) must_check nonnull_all;

/* true where the kernel holds the device read-only, or can't be asked (BLKROGET). */
bool blockdev_is_read_only(const char *path) nonnull_all;

/* Reads size bytes at byte offset, all of them. Returns 0 or -errno; -EIO where
 * the device ends before. */
int blockdev_read(const char *path, uint64_t offset, void *buf, size_t size, struct err *e)
	must_check nonnull_all;

/* Kernel names of the whole disks below a device ("vda sdb"), through dm and md,
 * at most n names of 32 bytes each. Returns how many there are. */
size_t blockdev_disks(const char *path, char names[][32], size_t n) nonnull_all;

/* true for a disk that says it rotates (queue/rotational). A virtio disk can't say, and the
 * kernel's default then says it does; it counts as one that does not. */
bool is_rotational(const char *kernel_name) nonnull_all;

/* The kernel's name of a device node ("dm-3"). Returns 0 or -errno. */
int blockdev_kernel_name(const char *path, char name[32], struct err *e) must_check nonnull_all;

#endif
