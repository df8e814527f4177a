/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as GRUB's environment block: a name that was taken out is gone, all else is as it was. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "grubenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *block = malloc(size + 1), value[256];
	int rc, tries = 0;

	if (!block)
		return 0;
	memcpy(block, data, size);
	while ((rc = grubenv_unset(block, size, "next_entry")) == 1)
		if (++tries > (int)size)
			abort();
	if (rc == 0 && (grubenv_get(block, size, "next_entry", value, sizeof(value)) < 0 || value[0]))
		abort();
	if (tries == 0 && memcmp(block, data, size) != 0)
		abort();
	free(block);
	return 0;
}
