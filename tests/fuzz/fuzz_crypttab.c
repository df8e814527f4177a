/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a crypttab: what is taken has a name, a device and plain paths. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypttab.h"
#include "crypttab_parse.h"
#include "settings.h"
#include "settings_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path)
{
	if (path && (path[0] != '/' || strstr(path, "/../")))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crypttab t = { 0 };
	struct settings s;
	struct err e;
	size_t i;

	if (settings_defaults(&s, &e) < 0 ||
	    crypttab_parse(&t, "/etc/guestsweep", (const char *)data, size, &s, &e) < 0)
		abort();
	for (i = 0; i < t.n; i++) {
		if (!t.entry[i].name || crypttab_find(&t, t.entry[i].device, NULL) != &t.entry[i])
			abort();
		check_path(t.entry[i].key_file);
		check_path(t.entry[i].header);
	}
	if (s.n_faults && settings_mode(&s, NULL) > MODE_CHECK)
		abort();
	crypttab_free(&t);
	settings_free(&s);
	return 0;
}
