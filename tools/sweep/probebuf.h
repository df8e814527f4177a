/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libblkid looks at some forty places of a device, each with five calls of the kernel and most with a
 * request of the disk's. Nearly all of them lie at its start and at its end: these are read at once, and
 * libblkid finds them here.
 */
#ifndef GS_PROBEBUF_H
#define GS_PROBEBUF_H

#include <stdbool.h>
#include <stdint.h>

/* Reads the start of the device of so many bytes that is open as fd, and its end where that is wanted too; what can't be
 * read libblkid reads by itself. All probes are of this device until probebuf_empty(). */
void probebuf_fill(int fd, uint64_t bytes, bool with_end);

void probebuf_empty(void);

#endif
