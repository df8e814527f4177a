/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors that grow in front, and text that no terminal obeys. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "err.h"
#include "log.h"

static void setting(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set_word(&e, ENOKEY, "no-key", "slot %d", 3), -ENOKEY);
	assert_int_equal(e.code, ENOKEY);
	assert_string_equal(e.word, "no-key");
	assert_string_equal(e.text, "slot 3");
	assert_int_equal(err_set(&e, EIO, "read %s", "x"), -EIO);
	assert_string_equal(e.word, "");
	assert_string_equal(e.text, "read x");
}

static void wrapping(void **state)
{
	struct err e;

	(void)state;
	err_set_word(&e, ENOKEY, "no-key", "no key slot opens");
	assert_int_equal(err_wrap(&e, "LUKS"), -ENOKEY);
	assert_int_equal(err_wrap(&e, "vg/%s", "lv"), -ENOKEY);
	assert_string_equal(e.text, "vg/lv: LUKS: no key slot opens");
	assert_string_equal(e.word, "no-key");
}

/* However long the parts, some of both is left and the end is there. */
static void wrapping_what_is_too_long(void **state)
{
	char x[2000], y[2000];
	struct err e;

	(void)state;
	memset(x, 'x', sizeof(x) - 1);
	memset(y, 'y', sizeof(y) - 1);
	x[sizeof(x) - 1] = y[sizeof(y) - 1] = 0;
	err_set(&e, EIO, "%s", x);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	err_wrap(&e, "%s", y);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_int_equal(e.text[0], 'y');
	assert_non_null(strstr(e.text, "y: x"));
	err_wrap(&e, "short");
	assert_int_equal(strncmp(e.text, "short: yy", 9), 0);
}

static const struct {
	const char *raw, *shown;
} texts[] = {
	{ "", "" },
	{ "plain ~", "plain ~" },
	{ "\x1b[2J\a\r\n\t\x7f", "\\x1b[2J\\x07\\x0d\\x0a\\x09\\x7f" },
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "\xc2\x9b" "1m", "\\xc2\\x9b1m" },               /* C1 control */
	{ "\xc0\xaf\xe0\x80\xaf", "\\xc0\\xaf\\xe0\\x80\\xaf" }, /* overlong */
	{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },             /* surrogate */
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },    /* above U+10FFFF */
	{ "\xe2\x82", "\\xe2\\x82" },                      /* cut */
	{ "\xff\xfe", "\\xff\\xfe" },
};

static void escaping(void **state)
{
	char shown[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_string_equal(escape_text(shown, sizeof(shown), texts[i].raw), texts[i].shown);
}

/* It never cuts inside of a character or an escape. */
static void escaping_into_little_room(void **state)
{
	char room[8];

	(void)state;
	assert_string_equal(escape_text(room, 1, "abc"), "");
	assert_string_equal(escape_text(room, 3, "abc"), "ab");
	assert_string_equal(escape_text(room, 4, "abc"), "abc");
	assert_string_equal(escape_text(room, 4, "a\xe2\x82\xac"), "a");
	assert_string_equal(escape_text(room, 5, "a\xe2\x82\xac"), "a\xe2\x82\xac");
	assert_string_equal(escape_text(room, 5, "a\n"), "a");
	assert_string_equal(escape_text(room, 6, "a\n"), "a\\x0a");
}

/* What log_line() writes to standard error for this text. */
static void logged(const char *text, char *got, size_t size)
{
	int saved = dup(STDERR_FILENO), p[2];
	ssize_t n;

	assert_int_equal(pipe(p), 0);
	dup2(p[1], STDERR_FILENO);
	log_line("%s", text);
	dup2(saved, STDERR_FILENO);
	close(p[1]);
	n = read(p[0], got, size - 1);
	assert_true(n >= 0);
	got[n] = 0;
	close(p[0]);
	close(saved);
}

static void logging(void **state)
{
	char got[4096], much[3000];

	(void)state;
	logged("a\nb", got, sizeof(got));
	assert_string_equal(got, "guestsweep: a\\x0ab\n");
	memset(much, '\n', sizeof(much) - 1);
	much[sizeof(much) - 1] = 0;
	logged(much, got, sizeof(got));
	assert_true(strlen(got) > 1000 && strlen(got) <= 1024);
	assert_string_equal(got + strlen(got) - 5, "\\x0a\n");
}

static void logging_keeps_errno(void **state)
{
	int saved = dup(STDERR_FILENO), code;

	(void)state;
	close(STDERR_FILENO);
	errno = E2BIG;
	log_line("nobody reads this");
	code = errno;
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_int_equal(code, E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting),
		cmocka_unit_test(wrapping),
		cmocka_unit_test(wrapping_what_is_too_long),
		cmocka_unit_test(escaping),
		cmocka_unit_test(escaping_into_little_room),
		cmocka_unit_test(logging),
		cmocka_unit_test(logging_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
