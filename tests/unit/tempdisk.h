/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sparse file that stands for a device in a test. */
#ifndef TEST_TEMPDISK_H
#define TEST_TEMPDISK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tempdisk {
	char path[64];
	int fd;
};

static inline void tempdisk_make(struct tempdisk *d, uint64_t bytes)
{
	snprintf(d->path, sizeof(d->path), "/tmp/tempdisk.XXXXXX");
	d->fd = mkstemp(d->path);
	if (d->fd < 0 || ftruncate(d->fd, (off_t)bytes) < 0)
		abort();
}

static inline void tempdisk_put(const struct tempdisk *d, uint64_t offset, const void *data, size_t size)
{
	if (pwrite(d->fd, data, size, (off_t)offset) != (ssize_t)size)
		abort();
}

static inline void tempdisk_get(const struct tempdisk *d, uint64_t offset, void *data, size_t size)
{
	if (pread(d->fd, data, size, (off_t)offset) != (ssize_t)size)
		abort();
}

static inline void tempdisk_drop(struct tempdisk *d)
{
	close(d->fd);
	unlink(d->path);
}

#endif
