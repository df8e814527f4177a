/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "crowd.h"

#define MOST 100

/* Of all processes: how often each thing was worked on, and by whom. */
static struct {
	unsigned times[MOST];
	pid_t by[MOST];
} *seen;

static bool work(size_t i, void *arg)
{
	const size_t *unwilling = arg;

	__atomic_add_fetch(&seen->times[i], 1, __ATOMIC_RELAXED);
	seen->by[i] = getpid();
	return i != *unwilling;
}

static void each_once(void **state)
{
	size_t none = MOST, i;

	(void)state;
	assert_true(crowd_do(MOST, work, &none));
	for (i = 0; i < MOST; i++) {
		assert_int_equal(seen->times[i], 1);
		assert_int_not_equal(seen->by[i], getpid());
	}
	assert_int_not_equal(seen->by[0], seen->by[1]);
}

/* The others have their turn all the same. */
static void one_that_fails(void **state)
{
	size_t unwilling = 0, i;

	(void)state;
	assert_false(crowd_do(MOST, work, &unwilling));
	for (i = 0; i < MOST; i++)
		assert_int_equal(seen->times[i], 1);
}

static void too_few(void **state)
{
	size_t none = MOST;

	(void)state;
	assert_false(crowd_do(2, work, &none));
	assert_int_equal(seen->times[0], 0);
	assert_false(crowd_do(0, work, &none));
}

static int begin(void **state)
{
	(void)state;
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return seen == MAP_FAILED;
}

static int end(void **state)
{
	(void)state;
	return munmap(seen, sizeof(*seen));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_once, begin, end),
		cmocka_unit_test_setup_teardown(one_that_fails, begin, end),
		cmocka_unit_test_setup_teardown(too_few, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
