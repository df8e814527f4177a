/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a guest's definition: what is taken has a name. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct domain d;
	struct err e;

	if (domain_parse(&d, (const char *)data, size, &e) == 0) {
		if (!d.name[0])
			abort();
		domain_free(&d);
	}
	return 0;
}
