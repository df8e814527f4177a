/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A boot option for the firmware, byte for byte as the UEFI specification has it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "efioption.h"

static const struct efi_place place = {
	.partition = 1, .start = 2048, .size = 0x100000, .guid = "12345678-9abc-def0-1122-334455667788",
	.file = "\\a",
};

static void byte_for_byte(void **state)
{
	static const uint8_t expected[] = {
		1, 0, 0, 0,             /* active */
		42 + 10 + 4, 0,         /* the device path's length */
		'g', 0, 's', 0, 0, 0,
		4, 1, 42, 0,            /* hard drive */
		1, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0,
		0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
		2, 2,
		4, 4, 10, 0, '\\', 0, 'a', 0, 0, 0, /* file */
		0x7f, 0xff, 4, 0,       /* end */
		'x', 0, 0, 0,           /* arguments */
	};
	uint8_t option[EFI_OPTION_MAX];
	struct err e;
	size_t size;

	(void)state;
	assert_int_equal(efioption_make("gs", &place, "x", option, &size, &e), 0);
	assert_int_equal(size, sizeof(expected));
	assert_memory_equal(option, expected, size);
	assert_true(efioption_is(option, size, "gs"));
	assert_false(efioption_is(option, size, "g"));
	assert_false(efioption_is(option, size, "gs2"));
	assert_false(efioption_is(option, 9, "gs"));
	assert_false(efioption_is(option, 0, ""));
}

static void what_can_t_be(void **state)
{
	uint8_t option[EFI_OPTION_MAX];
	struct efi_place at = place;
	char arguments[2000] = "";
	struct err e;
	size_t size;

	(void)state;
	at.guid[0] = 0;
	assert_int_equal(efioption_make("gs", &at, "x", option, &size, &e), -EINVAL);
	memset(arguments, 'x', sizeof(arguments) - 1);
	assert_int_equal(efioption_make("gs", &place, arguments, option, &size, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(byte_for_byte),
		cmocka_unit_test(what_can_t_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
