/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>

int usage_error(const struct command *c, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "guestsweep %s: ", c->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nusage: guestsweep %s %s\n", c->name, c->words);
	return USAGE;
}
