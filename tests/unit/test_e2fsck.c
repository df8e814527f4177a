/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an exit status of e2fsck(8) means. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2fsck.h"

static void each_status(void **state)
{
	static const struct {
		int status;
		enum e2fsck_outcome outcome;
	} rows[] = {
		{ 0, E2FSCK_CLEAN },
		{ 1, E2FSCK_CORRECTED },
		{ 2, E2FSCK_CORRECTED }, /* it wants a reboot, which follows anyway */
		{ 3, E2FSCK_CORRECTED },
		{ 4, E2FSCK_DAMAGED },
		{ 5, E2FSCK_DAMAGED },
		{ 6, E2FSCK_DAMAGED },
		{ 7, E2FSCK_DAMAGED },
		{ 8, E2FSCK_REFUSED },
		{ 9, E2FSCK_REFUSED },
		{ 12, E2FSCK_REFUSED },
		{ 15, E2FSCK_REFUSED },
		{ 16, E2FSCK_BROKEN }, /* usage */
		{ 17, E2FSCK_BROKEN },
		{ 32, E2FSCK_BROKEN }, /* cancelled */
		{ 33, E2FSCK_BROKEN },
		{ 127, E2FSCK_BROKEN }, /* could not be run */
		{ 128, E2FSCK_BROKEN }, /* a shared library, or 128 + a signal */
		{ 129, E2FSCK_BROKEN },
		{ 137, E2FSCK_BROKEN },
		{ 255, E2FSCK_BROKEN },
		{ -1, E2FSCK_BROKEN }, /* did not run */
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (e2fsck_decode(rows[i].status) != rows[i].outcome)
			fail_msg("%d is %d", rows[i].status, e2fsck_decode(rows[i].status));
}

/* Only 0 is clean, and nothing above 15 says anything of the filesystem. */
static void no_other_is_clean(void **state)
{
	int status;

	(void)state;
	for (status = 1; status < 256; status++) {
		assert_int_not_equal(e2fsck_decode(status), E2FSCK_CLEAN);
		assert_int_equal(e2fsck_decode(status) == E2FSCK_BROKEN, status > 15);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_status),
		cmocka_unit_test(no_other_is_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
