/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which consoles there are, and what a console that takes nothing keeps. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "console.h"

static void lists(void **state)
{
	static const struct {
		const char *text;
		unsigned n;
		const char *first, *last;
	} cases[] = {
		{ "", 0, "", "" },
		{ "\n", 0, "", "" },
		{ "ttyS0\n", 1, "ttyS0", "ttyS0" },
		{ "tty0 ttyS0\n", 2, "tty0", "ttyS0" },
		{ "  tty0\tttyS0   tty0 hvc0", 3, "tty0", "hvc0" },
		{ "../sda tty0 ... a/b", 1, "tty0", "tty0" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ttyS1", 1, "ttyS1", "ttyS1" },
		{ "1 2 3 4 5 6 7 8 9", 4, "1", "4" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char names[4][CONSOLE_NAME_MAX];

		assert_int_equal(console_names(cases[i].text, names, 4), cases[i].n);
		if (cases[i].n) {
			assert_string_equal(names[0], cases[i].first);
			assert_string_equal(names[cases[i].n - 1], cases[i].last);
		}
	}
}

static void lists_of_the_command_line(void **state)
{
	char names[4][CONSOLE_NAME_MAX];
	static const char line[] = "quiet console=tty0 console=ttyS0,115200n8 xconsole=no console=null console= "
				   "console=ttyS1,9600 console=../sda\n";

	(void)state;
	assert_int_equal(console_names("ttyS0\n", names, 4), 1);
	assert_int_equal(console_words(line, names, 1, 4), 3);
	assert_string_equal(names[0], "ttyS0");
	assert_string_equal(names[1], "tty0");
	assert_string_equal(names[2], "ttyS1");
	assert_int_equal(console_words(line, names, 1, 2), 2);
	assert_int_equal(console_words("", names, 2, 4), 2);
	assert_int_equal(console_speed(line, "ttyS0"), 115200);
	assert_int_equal(console_speed(line, "ttyS1"), 9600);
	assert_int_equal(console_speed(line, "ttyS"), 0);
	assert_int_equal(console_speed(line, "tty0"), 0);
}

/* The buffer's content in order. */
static char *content(const struct console_out *o)
{
	char *s = malloc(o->used + 1);
	size_t i;

	assert_non_null(s);
	for (i = 0; i < o->used; i++)
		s[i] = o->ring[(o->start + i) % CONSOLE_BUFFER];
	s[o->used] = 0;
	return s;
}

static int fresh(void **state)
{
	*state = calloc(1, sizeof(struct console_out));
	return !*state;
}

static int gone(void **state)
{
	free(*state);
	return 0;
}

static void keeps_order(void **state)
{
	struct console_out *o = *state;
	char *s;

	console_add(o, "one\n", 4);
	console_add(o, "two\n", 4);
	s = content(o);
	assert_string_equal(s, "one\ntwo\n");
	assert_int_equal(o->dropped, 0);
	free(s);
}

static void drops_the_oldest_lines(void **state)
{
	struct console_out *o = *state;
	char line[100];
	unsigned long added = 0;
	char *s;
	int i;

	memset(line, 'x', sizeof(line));
	line[99] = '\n';
	for (i = 0; i < 10000; i++) {
		console_add(o, line, sizeof(line));
		added += sizeof(line);
		assert_true(o->used <= CONSOLE_BUFFER);
	}
	console_add(o, "the summary\n", 12);
	assert_int_equal(o->used + o->dropped, added + 12);
	assert_true(o->used > CONSOLE_BUFFER / 2);
	s = content(o);
	assert_memory_equal(s, line, sizeof(line));
	assert_string_equal(s + o->used - 12, "the summary\n");
	free(s);
}

static void trims_to_a_line(void **state)
{
	struct console_out *o = *state;
	char *s;

	console_add(o, "first\nsecond\nthird\n", 19);
	console_trim(o, 100);
	assert_int_equal(o->dropped, 0);
	console_trim(o, 10);
	s = content(o);
	assert_string_equal(s, "third\n");
	assert_int_equal(o->dropped, 13);
	free(s);
}

static void one_line_longer_than_all(void **state)
{
	struct console_out *o = *state;
	char x[4096];
	int i;

	memset(x, 'x', sizeof(x));
	for (i = 0; i < 100; i++)
		console_add(o, x, sizeof(x));
	console_add(o, "\nend\n", 5);
	assert_int_equal(o->used + o->dropped, 100 * sizeof(x) + 5);
	console_trim(o, 100);
	assert_int_equal(o->used, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(lists_of_the_command_line),
		cmocka_unit_test_setup_teardown(keeps_order, fresh, gone),
		cmocka_unit_test_setup_teardown(drops_the_oldest_lines, fresh, gone),
		cmocka_unit_test_setup_teardown(trims_to_a_line, fresh, gone),
		cmocka_unit_test_setup_teardown(one_line_longer_than_all, fresh, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
