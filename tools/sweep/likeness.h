/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device is like on which libblkid names nothing: for the report only, nothing is opened for it. */
#ifndef GS_LIKENESS_H
#define GS_LIKENESS_H

#include <stdbool.h>
#include <stdint.h>

#include "attrs.h"

/* Looks for marks that stand at fixed places of device, of so many bytes. Returns a type, as libblkid would call it
 * ("qcow2", "bsd", "geli"), that knownas.h has words for; NULL: there are none, or it can't be read. */
const char *likeness_of(const char *device, uint64_t bytes) nonnull_all;

/* Whether one of the first backup superblocks of an ext filesystem stands at its place on device, of so many bytes: *block is
 * its number then, in blocks of *block_size bytes. One alone may be left of a filesystem that is long gone (extsuper.h
 * wants two). */
bool likeness_ext_backup(const char *device, uint64_t bytes, uint64_t *block, unsigned *block_size) nonnull_all;

#endif
