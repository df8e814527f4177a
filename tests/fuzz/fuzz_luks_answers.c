/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what the sandbox of a LUKS header says of it: what is taken of it stays on the volume, and in one word of
 * a table for device-mapper. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "luksbox.h"

#define VOLUME (64ull << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct luks_facts *f)
{
	uint64_t there = VOLUME / 512;

	if (!memchr(f->cipher, 0, sizeof(f->cipher)) || strpbrk(f->cipher, " \t\n\\%/") || !f->cipher[0])
		abort();
	if (f->key_bytes == 0 || f->key_bytes > LUKS_KEY_MAX || f->sector_bytes < 512 || f->sector_bytes > 4096)
		abort();
	if (f->offset >= there || f->sectors == 0 || f->sectors > there || f->offset + f->sectors > there)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct luks_facts f = { .flags = 0 };
	struct err e = { 0 };
	int rc;

	memcpy(&f, data, size < sizeof(f) ? size : sizeof(f));
	rc = luks_facts_take(&f, VOLUME, size % 2, &e);
	if (rc != -e.code)
		abort();
	if (rc == 0)
		check(&f);
	return 0;
}
