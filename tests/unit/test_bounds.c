/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a checker, a step and a guest may take. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>

#include <cmocka.h>

#include "bounds.h"
#include "settings_helpers.h"

#define HOUR 3600

static void a_checker(void **state)
{
	(void)state;
	assert_int_equal(bounds_check_s(0, 4 * HOUR), 120);
	assert_int_equal(bounds_check_s(10ull * 1000 * 1000 * 1000, 4 * HOUR), 120 + 2000);
	assert_int_equal(bounds_check_s(10ull * 1000 * 1000 * 1000, 60), 60);
	assert_int_equal(bounds_check_s(UINT64_MAX, 4 * HOUR), 4 * HOUR);
	assert_true(bounds_step_s(0) >= 600);
	assert_true(bounds_step_s(UINT64_MAX) > bounds_step_s(0));
}

static void a_guest(void **state)
{
	struct settings s;

	(void)state;
	read_good(&s, "[sweep]\ndeadline = 4h\n[guest a]\ndisk = v/a\ndeadline = 20m\n[guest b]\ndisk = v/b\n", "");
	assert_int_equal(bounds_scope_s(&s, "a", true), 20 * 60);
	assert_int_equal(bounds_scope_s(&s, "a", false), 20 * 60);
	assert_int_equal(bounds_scope_s(&s, "b", true), 2 * HOUR);
	assert_int_equal(bounds_scope_s(&s, "b", false), 4 * HOUR);
	s.deadline_s = 90;
	assert_int_equal(bounds_scope_s(&s, "b", true), 60);
	s.deadline_s = 20;
	assert_int_equal(bounds_scope_s(&s, "b", true), 20);
	settings_free(&s);
}

/* PID 1 ends a sweep that is as long as that beyond its deadline, but not before a minute and not after two. */
static void its_end(void **state)
{
	struct settings s;
	unsigned deadline, most;

	(void)state;
	read_good(&s, "", "");
	assert_int_equal(bounds_end_s(&s), 45);
	assert_int_equal(bounds_stuck_s(&s), 10);
	for (deadline = 1; deadline < 300; deadline++) {
		s.deadline_s = deadline;
		most = deadline < 60 ? 60 : deadline < 120 ? deadline : 120;
		assert_true(bounds_end_s(&s) >= 15);
		assert_true(bounds_stuck_s(&s) >= 1);
		/* what can't be closed is tried for some time, and the report is written */
		assert_true(bounds_end_s(&s) + bounds_stuck_s(&s) + 20 <= most);
	}
	settings_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_checker),
		cmocka_unit_test(a_guest),
		cmocka_unit_test(its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
