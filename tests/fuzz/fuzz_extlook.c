/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any disk as an ext filesystem whose folders are looked through. The folders' reader is libext2fs. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "extlook.h"
#include "memdisk.h"
#include "settings_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings settings;
	struct err e = { 0 };
	char path[64];
	int rc;

	if (!settings.images.n && settings_defaults(&settings, &e) < 0)
		abort();
	memdisk_fill(data, size, path);
	rc = extlook_has_image(path, &settings.images, &e);
	if (rc > 1 || (rc < 0 && rc != -e.code))
		abort();
	return 0;
}
