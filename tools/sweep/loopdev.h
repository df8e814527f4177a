/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loop devices over files: loop(4), Linux' include/uapi/linux/loop.h. */
#ifndef GS_LOOPDEV_H
#define GS_LOOPDEV_H

#include "attrs.h"
#include "err.h"

#define LOOPDEV_SIZE 32

/* Attaches the file at path to a free loop device of 512-byte sectors, whose path goes into
 * device; the kernel does not look for partitions on it. flags: LO_FLAGS_READ_ONLY,
 * LO_FLAGS_DIRECT_IO (the latter only where the file's filesystem can). Returns 0 or -errno. */
int loopdev_attach(const char *path, unsigned flags, char device[LOOPDEV_SIZE], struct err *e)
	must_check nonnull_all;

/* Detaches device and empties it. Returns 0 or -errno; -EBUSY where something still uses it. */
int loopdev_detach(char device[LOOPDEV_SIZE], struct err *e) must_check nonnull_all;

/* Detaches every loop device there is: those of a process that was killed. Returns how many are left. */
unsigned loopdev_detach_all(void);

#endif
