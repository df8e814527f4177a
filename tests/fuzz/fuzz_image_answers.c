/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what the reader says of an image file, the first byte being the format: nothing but facts that may be
 * comes of it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boxed.h"
#include "imagefuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Moves the first bytes of the input to where any may stand. */
static void take(void *to, size_t n, const uint8_t **data, size_t *size)
{
	size_t some = n < *size ? n : *size;

	memset(to, 0, n);
	memcpy(to, *data, some);
	*data += some;
	*size -= some;
}

static void check(const struct image_facts *facts, enum image_format format, const struct image_file *f)
{
	uint64_t left = facts->bytes;
	const bool *flags[] = { &facts->has_data_file, &facts->data_is_raw, &facts->is_encrypted, &facts->is_dirty,
				&facts->is_corrupt, &facts->is_log_dirty, &facts->is_differencing, &facts->is_read_only,
				&facts->is_extent, &facts->changes_on_open, &facts->has_vm_state, &facts->needs_zstd };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (*(const unsigned char *)flags[i] > 1)
			abort();
	if (facts->no_disk && (format != IMAGE_RAW || !facts->no_disk[0]))
		abort();
	if (format == IMAGE_RAW && facts->bytes && facts->bytes != f->bytes)
		abort();
	for (i = 0; i < facts->n_extents; left -= facts->extents[i++].bytes)
		if (facts->extents[i].bytes > left)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct flat_facts flat;
	static struct flat_extents extents;
	struct image_file f = { -1, 8 << 20 };
	enum image_format format = size ? (enum image_format)(*data % (IMAGE_VHDX + 1)) : IMAGE_RAW;
	struct image_facts facts;
	struct err e = { 0 };
	size_t n;
	int rc;

	take(&flat, sizeof(flat), &data, &size);
	rc = flat_facts_take(&flat, &f, format, &n, &facts, &e);
	while (rc == 0 && facts.n_extents < n) {
		size_t some = n - facts.n_extents;

		take(&extents, sizeof(extents), &data, &size);
		rc = flat_extents_take(&extents, some < EXTENTS_PER_ANSWER ? some : EXTENTS_PER_ANSWER, &facts, &e);
	}
	if (rc != -e.code || (rc == 0 && facts.n_extents > IMAGE_MAX_EXTENTS))
		abort();
	check_facts(&facts);
	check(&facts, format, &f);
	facts_clear(&facts);
	return 0;
}
