/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fields.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int read_field(int fd, const struct field *f, uint64_t *value, struct err *e)
{
	static _Alignas(FIELDS_BLOCK) unsigned char block[FIELDS_BLOCK];
	size_t in = f->at % FIELDS_BLOCK, i;
	ssize_t got = pread(fd, block, sizeof(block), (off_t)(f->at - in));

	if (got < (ssize_t)(in + f->bytes))
		return err_set_word(e, got < 0 ? errno : EIO, "io-error", "read it at byte %llu: %s",
				    (unsigned long long)f->at, got < 0 ? strerror(errno) : "the device ends there");
	for (*value = 0, i = 0; i < f->bytes; i++)
		*value = *value << 8 | block[in + (f->big_endian ? i : f->bytes - 1 - i)];
	return 0;
}

int fields_read(int fd, const struct field *f, size_t n, uint64_t *value, struct err *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++)
		rc = read_field(fd, &f[i], &value[i], e);
	return rc;
}
