/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what an NBD server says: an export that a device can be, or an error, and soon. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nbdtalk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nbd_export x;
	struct err e = { 0 };
	int ends[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		abort();
	if (size == 0 || send(ends[0], data, size, MSG_DONTWAIT) == (ssize_t)size) {
		shutdown(ends[0], SHUT_WR);
		rc = nbdtalk_go(ends[1], 1000, &x, &e);
		if (rc == 0 ? x.bytes > INT64_MAX : (rc != -e.code || !e.text[0]))
			abort();
	}
	close(ends[0]);
	close(ends[1]);
	return 0;
}
