/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lineedit.h"

#include <string.h>

#define CTRL(key) ((key) & 0x1f)
#define BACKSPACE 0x08
#define DELETE 0x7f

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

static void erase_character(struct line *l)
{
	while (l->n && is_continuation(l->text[l->n - 1]))
		l->text[--l->n] = 0;
	if (l->n)
		l->text[--l->n] = 0;
}

static void erase_all(struct line *l)
{
	memset(l->text, 0, LINE_MAX_BYTES);
	l->n = 0;
	l->is_too_long = false;
}

enum line_end line_take(struct line *l, unsigned char key)
{
	switch (key) {
	case '\r':
	case '\n':
		return LINE_DONE;
	case BACKSPACE:
	case DELETE:
		erase_character(l);
		break;
	case CTRL('U'):
	case CTRL('C'):
		erase_all(l);
		break;
	case CTRL('D'):
		return l->n ? LINE_GOES_ON : LINE_GIVEN_UP;
	default:
		if (key < ' ')
			break;
		if (l->n < LINE_MAX_BYTES)
			l->text[l->n++] = (char)key;
		else
			l->is_too_long = true;
	}
	return LINE_GOES_ON;
}
