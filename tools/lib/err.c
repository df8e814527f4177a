/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int printf_like(4, 0)
set(struct err *e, int code, const char *word, const char *fmt, va_list ap)
{
	e->code = code;
	snprintf(e->word, sizeof(e->word), "%s", word);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	return -code;
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, code, "", fmt, ap);
	va_end(ap);
	return -code;
}

int err_set_word(struct err *e, int code, const char *word, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, code, word, fmt, ap);
	va_end(ap);
	return -code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char context[ERR_TEXT_MAX], old[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	memcpy(old, e->text, sizeof(old));
	snprintf(e->text, sizeof(e->text), "%.*s: %.*s", (int)sizeof(context) / 2 - 2, context,
		 (int)(sizeof(e->text) - 3 - strnlen(context, sizeof(context) / 2 - 2)), old);
	return -e->code;
}
