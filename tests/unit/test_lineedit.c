/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the keys do to a line that is typed unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "lineedit.h"

static void keys(void **state)
{
	static const struct {
		const char *typed, *line;
		enum line_end end;
	} cases[] = {
		{ "secret\r", "secret", LINE_DONE },
		{ "secret\n", "secret", LINE_DONE },
		{ "two words \r", "two words ", LINE_DONE },
		{ "sex\x7f" "cret\r", "secret", LINE_DONE },
		{ "\b\x7fsecret\r", "secret", LINE_DONE },
		{ "st\xc3\xbc\x7fr\r", "str", LINE_DONE },
		{ "\xe2\x82\xac\b\r", "", LINE_DONE },
		{ "wrong\x15secret\r", "secret", LINE_DONE },
		{ "wrong\x03secret\r", "secret", LINE_DONE },
		{ "a\x1b[Ab\r", "a[Ab", LINE_DONE },
		{ "\x04", "", LINE_GIVEN_UP },
		{ "a\x04z\r", "az", LINE_DONE },
		{ "half", "half", LINE_GOES_ON },
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[LINE_MAX_BYTES + 1] = "";
		struct line l = { .text = text };
		enum line_end end = LINE_GOES_ON;

		for (k = 0; end == LINE_GOES_ON && cases[i].typed[k]; k++)
			end = line_take(&l, (unsigned char)cases[i].typed[k]);
		assert_int_equal(end, cases[i].end);
		assert_int_equal(l.n, strlen(cases[i].line));
		assert_memory_equal(text, cases[i].line, l.n);
	}
}

static void is_bounded(void **state)
{
	char text[LINE_MAX_BYTES];
	struct line l = { .text = text };
	size_t i;

	(void)state;
	for (i = 0; i < LINE_MAX_BYTES; i++)
		assert_int_equal(line_take(&l, 'x'), LINE_GOES_ON);
	assert_false(l.is_too_long);
	assert_int_equal(line_take(&l, 'x'), LINE_GOES_ON);
	assert_true(l.is_too_long);
	assert_int_equal(l.n, LINE_MAX_BYTES);
	assert_int_equal(line_take(&l, 0x15), LINE_GOES_ON);
	assert_false(l.is_too_long);
	assert_int_equal(l.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys), cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
