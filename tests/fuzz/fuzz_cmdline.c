/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as the kernel command line: faults at most, and with a fault nothing
 * may write. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"
#include "settings_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct settings s;
	struct err e;

	if (!text || settings_defaults(&s, &e) < 0 || settings_parse_cmdline(&s, text, &e) < 0)
		abort();
	if (s.n_faults && settings_mode(&s, NULL) > MODE_CHECK)
		abort();
	settings_free(&s);
	free(text);
	return 0;
}
