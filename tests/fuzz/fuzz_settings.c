/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as sweep.conf: faults at most, and with a fault nothing may write. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "settings.h"
#include "settings_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s;
	struct err e;
	size_t i;

	if (settings_defaults(&s, &e) < 0 ||
	    settings_parse_file(&s, (const char *)data, size, &e) < 0)
		abort();
	for (i = 0; i < s.n_guests; i++)
		if (s.n_faults && settings_mode(&s, s.guests[i].name) > MODE_CHECK)
			abort();
	if (s.n_faults && settings_mode(&s, NULL) > MODE_CHECK)
		abort();
	settings_free(&s);
	return 0;
}
