/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong, in one sentence that grows in front on the way up:
 * "lvg2/lvhd0: LUKS: no key slot opens with keys/hd0". The storage is fixed, so
 * that an error can be told when there is no memory left. A function either
 * returns an error or logs it, never both.
 */
#ifndef GS_ERR_H
#define GS_ERR_H

#include "attrs.h"

#define ERR_TEXT_MAX 512
#define ERR_WORD_MAX 32

struct err {
	int code;                 /* positive errno value, 0: nothing happened */
	char word[ERR_WORD_MAX];  /* the report's code for it ("no-key"), or "" */
	char text[ERR_TEXT_MAX];  /* one sentence, no newline, no final full stop */
};

/* Sets e to errno value code (> 0) and a sentence; word becomes "". Returns -code. */
int err_set(struct err *e, int code, const char *fmt, ...) printf_like(3, 4) nonnull_at(1, 3);

/* The same with one of the report's codes (CONTRACT section 5). Returns -code. */
int err_set_word(struct err *e, int code, const char *word, const char *fmt, ...)
	printf_like(4, 5) nonnull_at(1, 3, 4);

/* Puts "CONTEXT: " in front of e's text, shortening its end. Returns -e->code. */
int err_wrap(struct err *e, const char *fmt, ...) printf_like(2, 3) nonnull_at(1, 2);

#endif
