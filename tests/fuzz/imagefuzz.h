/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds for an image's facts, whatever its header says. */
#ifndef FUZZ_IMAGEFUZZ_H
#define FUZZ_IMAGEFUZZ_H

#include <stdlib.h>

#include "facts.h"
#include "memdisk.h"

static inline void check_facts(const struct image_facts *facts)
{
	size_t i;

	if (!memchr(facts->unsupported, 0, sizeof(facts->unsupported)) ||
	    !memchr(facts->create_type, 0, sizeof(facts->create_type)) ||
	    !memchr(facts->backing_format, 0, sizeof(facts->backing_format)))
		abort();
	if ((facts->backing_name && strlen(facts->backing_name) > 1023) ||
	    (facts->data_name && strlen(facts->data_name) > 1023))
		abort();
	for (i = 0; i < facts->n_extents; i++)
		if (!facts->extents[i].name[0] || strlen(facts->extents[i].name) > 511 ||
		    !facts->extents[i].bytes || facts->extents[i].bytes > facts->bytes)
			abort();
}

/* Reads the disk in memory as an image of that format. */
static inline void fuzz_image(int fd, enum image_format format)
{
	struct image_file f = { fd, (uint64_t)lseek(fd, 0, SEEK_END) };
	struct image_facts facts;
	struct err e = { 0 };
	int rc = facts_read(&f, format, FORMAT_FROM_NAME, &facts, &e);

	if (rc != -e.code)
		abort();
	check_facts(&facts);
	if (rc == 0 && facts_judge(&facts, &e) == 0 && format != IMAGE_QCOW2 && !facts.bytes)
		abort();
	facts_clear(&facts);
}

#endif
