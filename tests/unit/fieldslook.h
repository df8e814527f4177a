/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields read without a reader; for programs that are linked with --wrap=look_fields. */
#ifndef TEST_FIELDSLOOK_H
#define TEST_FIELDSLOOK_H

#include <errno.h>
#include <fcntl.h>

#include "cleanup.h"
#include "looks.h"

int __wrap_look_fields(const char *device, const struct field *f, size_t n, bool past_cache, uint64_t *value,
		       struct err *e);

int __wrap_look_fields(const char *device, const struct field *f, size_t n, bool past_cache, uint64_t *value,
		       struct err *e)
{
	cleanup_fd int fd = open(device, O_RDONLY | O_CLOEXEC);

	(void)past_cache;
	return fd < 0 ? err_set(e, errno, "open %s", device) : fields_read(fd, f, n, value, e);
}

#endif
