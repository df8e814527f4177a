/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any disk as a partition table, in sectors of both sizes: what is called plausible lies inside
 * the device, without overlap. Checksums of a GPT are made right, but those that are 0. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memdisk.h"
#include "partitions.h"
#include "seals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pair(const struct partition *a, const struct partition *b)
{
	if (!a->is_container && !b->is_container && a->start < b->start + b->bytes &&
	    b->start < a->start + a->bytes)
		abort();
}

static void check(const struct partitions *t)
{
	size_t i, k;

	if (t->n > MAX_PARTITIONS || (t->n && !t->scheme[0]))
		abort();
	for (i = 0; i < t->n; i++)
		if (t->p[i].fits && (t->p[i].bytes == 0 || t->p[i].start > MEMDISK_BYTES ||
				     t->p[i].bytes > MEMDISK_BYTES - t->p[i].start))
			abort();
	if (!partitions_plausible(t))
		return;
	for (i = 0; i < t->n; i++)
		for (k = 0; k < i; k++)
			check_pair(&t->p[i], &t->p[k]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned sectors[] = { 512, 4096 };
	char path[64];
	int fd = memdisk_fill(data, size, path);
	size_t i;

	seal_disk(fd);
	for (i = 0; i < ARRAY_SIZE(sectors); i++) {
		struct partitions t;
		struct err e = { 0 };
		int rc = partitions_read(fd, sectors[i], &t, &e);

		if ((rc < 0) != (e.code != 0))
			abort();
		check(&t);
		partitions_free(&t);
	}
	return 0;
}
