/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a vmdk's descriptor. Where we take it, QEMU's way of reading must find the same
 * extents: from every line on, with white space that may be the end of a line. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "imagefuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As QEMU's vmdk_parse_extents() goes through a descriptor. */
static void compare(const char *text, const struct image_facts *facts)
{
	const char *p, *next;
	size_t n = 0;

	for (p = text; *p; p = next) {
		char access[11], type[11], name[512];
		int64_t sectors, offset = -1;
		int got = sscanf(p, "%10s %" SCNd64 " %10s \"%511[^\n\r\"]\" %" SCNd64, access, &sectors,
				 type, name, &offset);

		next = strchr(p, '\n');
		next = next ? next + 1 : p + strlen(p);
		if (got < 4 || strcmp(access, "RW") != 0)
			continue;
		if (got == 5 && strcmp(type, "FLAT") != 0)
			return; /* a number in the next line: QEMU refuses the image */
		if (n == facts->n_extents || strcmp(name, facts->extents[n].name) != 0 ||
		    (uint64_t)sectors * 512 != facts->extents[n].bytes ||
		    (got == 5 ? (uint64_t)offset * 512 != facts->extents[n].offset : offset != -1))
			abort();
		n++;
	}
	if (n != facts->n_extents)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int embedded;

	for (embedded = 0; embedded < 2; embedded++) {
		char *text = strndup((const char *)data, size), *whole = strdup(text);
		struct image_facts facts = { 0 };
		struct err e = { 0 };
		int rc = vmdk_text(text, embedded, &facts, &e);

		if (rc != -e.code)
			abort();
		check_facts(&facts);
		if (rc == 0 && !embedded)
			compare(whole, &facts);
		facts_clear(&facts);
		free(text);
		free(whole);
	}
	return 0;
}
