/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line that is typed without being shown: what the keys do to it. */
#ifndef GS_LINEEDIT_H
#define GS_LINEEDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"

/* More than the 512 that cryptsetup takes from a terminal (cryptsetup(8), NOTES ON PASSPHRASE PROCESSING). */
#define LINE_MAX_BYTES 1024

enum line_end { LINE_GOES_ON, LINE_DONE, LINE_GIVEN_UP };

struct line {
	char *text;  /* LINE_MAX_BYTES */
	size_t n;
	bool is_too_long; /* bytes were lost */
};

/* Takes one byte from the keyboard: Enter ends the line, Backspace and Delete erase a character of
 * UTF-8, Ctrl-U and Ctrl-C the whole line, Ctrl-D on an empty line gives up; other control characters are
 * ignored. */
enum line_end line_take(struct line *l, unsigned char key) nonnull_all;

#endif
