/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libblkid looks at some forty places of a device, each with five calls of the kernel and most with a
 * request of the disk's. Nearly all of them lie at its start and at its end: these are read at once, the
 * others by the page, and libblkid finds them here.
 */
#ifndef GS_PROBEBUF_H
#define GS_PROBEBUF_H

#include <stdbool.h>
#include <stdint.h>

/* Reads the start of the device of so many bytes that is open as fd, and its end where that is wanted too. All
 * probes are of this device until probebuf_empty(), and fd stays open. */
void probebuf_fill(int fd, uint64_t bytes, bool with_end);

void probebuf_empty(void);

/* For libblkid, as patches/util-linux has it: n bytes from byte at of the device on, which lie inside of it and stay until
 * probebuf_empty(). Returns NULL where it is to read them by itself: they can't be read, or are many. */
const unsigned char *blkid_probe_held_bytes(uint64_t at, uint64_t n);

#endif
