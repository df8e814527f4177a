/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any file as a vmdk image, and as an extent of one. */
#include <stddef.h>
#include <stdint.h>

#include "imagefuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_extent x = { EXTENT_SPARSE, NULL, 4 << 20, 0 };
	struct err e = { 0 };
	struct image_file f;
	char path[64];
	int rc;

	f = (struct image_file){ memdisk_fill(data, size, path), MEMDISK_BYTES };
	fuzz_image(f.fd, IMAGE_VMDK);
	rc = vmdk_extent_check(&f, &x, &e);
	if (rc != -e.code)
		abort();
	return 0;
}
