/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files, read and written whole. */
#ifndef GS_FILE_H
#define GS_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

/* Reads path, at most limit bytes, into a NUL-terminated string (free it) and
 * its length in bytes into *size (may be NULL). Returns 0; -EFBIG if it is
 * longer; or -errno of open(2), read(2), malloc(3). */
int file_read(const char *path, size_t limit, char **text, size_t *size, struct err *e)
	must_check nonnull_at(1, 3, 5);

/* Writes size bytes to path with mode 0644 in a way that a power cut leaves the
 * old file or the new one: a temporary file beside it, fsync(2), rename(2),
 * fsync(2) of the folder. Returns 0 or -errno. */
int file_write_atomic(const char *path, const void *data, size_t size, struct err *e)
	must_check nonnull_all;

/* Writes size bytes to a new file path with mode 0644; on disk it is only after a sync of
 * the filesystem. Returns 0 or -errno. */
int file_write(const char *path, const void *data, size_t size, struct err *e)
	must_check nonnull_all;

/* Adds size bytes at the end of path, which is made where it is missing. Returns 0 or -errno. */
int file_append(const char *path, const void *data, size_t size, struct err *e)
	must_check nonnull_all;

/* Sets an attribute of the kernel's (sysfs, /proc/sys) to text. Returns 0 or -errno. */
int file_set(const char *path, const char *text, struct err *e) must_check nonnull_all;

/* Makes folder path and its parents, mode 0755. Returns 0 or -errno of mkdir(2). */
int file_mkdirs(const char *path, struct err *e) must_check nonnull_all;

/* Reads a decimal number from a sysfs attribute. Returns 0 or -errno; -EINVAL
 * if it is not one. */
int file_read_u64(const char *path, uint64_t *value) must_check nonnull_all;

#endif
