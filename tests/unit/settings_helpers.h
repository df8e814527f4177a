/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading settings from memory, for the tests of settings. */
#ifndef GS_SETTINGS_HELPERS_H
#define GS_SETTINGS_HELPERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "settings.h"
#include "settings_parse.h"

#define ENDS "; the sweep runs read-only"

/* size bytes of sweep.conf under a kernel command line */
static inline void read_bytes(struct settings *s, const char *file, size_t size,
			      const char *cmdline)
{
	struct err e;

	assert_int_equal(settings_defaults(s, &e), 0);
	assert_int_equal(settings_parse_file(s, file, size, &e), 0);
	assert_int_equal(settings_parse_cmdline(s, cmdline, &e), 0);
}

static inline void read_text(struct settings *s, const char *file, const char *cmdline)
{
	read_bytes(s, file, strlen(file), cmdline);
}

/* The same where nothing may be wrong. */
static inline void read_good(struct settings *s, const char *file, const char *cmdline)
{
	read_text(s, file, cmdline);
	if (s->n_faults)
		fail_msg("unexpected: %s", s->faults[0].text);
}

/* Reading both finds this fault and no other, and nothing will be written. */
static inline void assert_only_fault(const char *file, const char *cmdline, const char *expected)
{
	struct settings s;

	read_text(&s, file, cmdline);
	if (s.n_faults != 1)
		fail_msg("%zu faults instead of: %s", s.n_faults, expected);
	assert_string_equal(s.faults[0].text, expected);
	assert_true(settings_mode(&s, NULL) <= MODE_CHECK);
	settings_free(&s);
}

#endif
