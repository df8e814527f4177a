/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fuzzer's bytes as the start of a device in memory. */
#ifndef FUZZ_MEMDISK_H
#define FUZZ_MEMDISK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMDISK_CHUNK 512
#define MEMDISK_BYTES (65536u * MEMDISK_CHUNK) /* sparse: what two bytes can number */

/*
 * The bytes are pieces of a sparse disk: two bytes say which sector of 512 a piece goes to,
 * 512 bytes (or what is left) follow; so that few bytes reach all places a parser looks at.
 * Returns a descriptor; it and its path are the same file in every run.
 */
static inline int memdisk_fill(const uint8_t *data, size_t size, char path[64])
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("disk", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) < 0 || ftruncate(fd, MEMDISK_BYTES) < 0)
		abort();
	while (size > 2) {
		size_t sector = (size_t)(data[0] | data[1] << 8);
		size_t n = size - 2 < MEMDISK_CHUNK ? size - 2 : MEMDISK_CHUNK;

		if (pwrite(fd, data + 2, n, (off_t)(sector * MEMDISK_CHUNK)) != (ssize_t)n)
			abort();
		data += 2 + n;
		size -= 2 + n;
	}
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

#endif
