/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any file as a vdi image. */
#include <stddef.h>
#include <stdint.h>

#include "imagefuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];

	fuzz_image(memdisk_fill(data, size, path), IMAGE_VDI);
	return 0;
}
