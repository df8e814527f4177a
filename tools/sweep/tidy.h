/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the reader (reader.h) answers may be any bytes: makes fields of it fit to be read. */
#ifndef GS_TIDY_H
#define GS_TIDY_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define TIDY_TEXT_MAX 256

/* Text of size bytes with its NUL: it ends. */
static inline void tidy_raw(char *text, size_t size)
{
	text[size - 1] = 0;
}

/* The same of TIDY_TEXT_MAX bytes at most, escaped once more: it may be anything. */
static inline void tidy(char *text, size_t size)
{
	char copy[TIDY_TEXT_MAX];

	text[size - 1] = 0;
	snprintf(copy, sizeof(copy), "%s", text);
	escape_text(text, size, copy);
}

#define TIDY(field) tidy(field, sizeof(field))

/* Any byte may stand where a bool is to. */
static inline void tidy_bool(bool *b)
{
	unsigned char byte;

	memcpy(&byte, b, 1);
	*b = byte != 0;
}

#endif
