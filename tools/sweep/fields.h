/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that stand at fixed places of a device: all that is asked of superblocks whose filesystem a checker of
 * its own reads. A table in the driver says where, and which header of the kernel's that comes from. */
#ifndef GS_FIELDS_H
#define GS_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

#define FIELDS_MAX 16
#define FIELDS_BLOCK 4096 /* what is read at once, from a multiple of it on; a field lies in one */

struct field {
	uint64_t at;     /* byte on the device */
	uint32_t bytes;  /* 1 to 8 */
	bool big_endian;
};

/* Reads the n fields of what is open as fd, also past the kernel's cache (O_DIRECT), into value[]. Returns 0; -errno of
 * pread(2), -EIO where the device ends before, both with the report's code io-error. */
int fields_read(int fd, const struct field *f, size_t n, uint64_t *value, struct err *e) must_check nonnull_all;

#endif
