/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRUB's environment block: one name taken out, everything else stays, and so does its size. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "file.h"
#include "grubenv.h"
#include "tempfolder.h"

#define SIZE 1024
#define HEAD "# GRUB Environment Block\n"

static void fill(char *block, const char *lines)
{
	memset(block, '#', SIZE);
	memcpy(block, HEAD, strlen(HEAD));
	memcpy(block + strlen(HEAD), lines, strlen(lines));
}

static void one_name_is_taken_out(void **state)
{
	char block[SIZE], expected[SIZE];

	(void)state;
	fill(block, "saved_entry=0\nnext_entry=guestsweep>armed\nnext_entry_too=1\n");
	fill(expected, "saved_entry=0\nnext_entry_too=1\n");
	assert_int_equal(grubenv_unset(block, SIZE, "next_entry"), 1);
	assert_memory_equal(block, expected, SIZE);
	assert_int_equal(grubenv_unset(block, SIZE, "next_entry"), 0);
	assert_memory_equal(block, expected, SIZE);
}

static void values_are_read(void **state)
{
	char block[SIZE], value[32];

	(void)state;
	fill(block, "a=b\\\\c\\\nd=e\nd=f\nempty=\n");
	assert_int_equal(grubenv_get(block, SIZE, "a", value, sizeof(value)), 0);
	assert_string_equal(value, "b\\c\nd=e");
	assert_int_equal(grubenv_get(block, SIZE, "d", value, sizeof(value)), 0);
	assert_string_equal(value, "f");
	assert_int_equal(grubenv_get(block, SIZE, "empty", value, sizeof(value)), 0);
	assert_string_equal(value, "");
	assert_int_equal(grubenv_get(block, SIZE, "none", value, sizeof(value)), 0);
	assert_string_equal(value, "");
	assert_int_equal(grubenv_get(block, SIZE, "a", value, 4), -ENAMETOOLONG);
}

static void no_block_is_refused(void **state)
{
	char block[SIZE] = "# GRUB", value[4];

	(void)state;
	assert_int_equal(grubenv_unset(block, SIZE, "a"), -EINVAL);
	assert_int_equal(grubenv_unset(block, 0, "a"), -EINVAL);
	assert_int_equal(grubenv_get(block, SIZE, "a", value, sizeof(value)), -EINVAL);
}

static void in_a_file(void **state)
{
	char block[SIZE], expected[SIZE], *text;
	size_t size;
	struct err e;

	(void)state;
	fill(block, "next_entry=x\nb=1\n");
	fill(expected, "b=1\n");
	assert_int_equal(file_write(path, block, SIZE, &e), 0);
	assert_int_equal(grubenv_unset_in_file(path, "next_entry", &e), 1);
	assert_int_equal(file_read(path, SIZE, &text, &size, &e), 0);
	assert_int_equal(size, SIZE);
	assert_memory_equal(text, expected, SIZE);
	free(text);
	assert_int_equal(grubenv_unset_in_file(path, "next_entry", &e), 0);
	unlink(path);
	assert_int_equal(grubenv_unset_in_file(path, "next_entry", &e), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_name_is_taken_out),
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(no_block_is_refused),
		cmocka_unit_test(in_a_file),
	};

	return cmocka_run_group_tests(tests, tempfolder_make, tempfolder_drop);
}
