/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files, read and written whole. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "file.h"
#include "tempfolder.h"

static void write_text(const void *text, size_t size)
{
	struct err e;

	if (file_write_atomic(path, text, size, &e) < 0)
		fail_msg("%s", e.text);
}

static void assert_content(const char *expected)
{
	struct err e;
	size_t size;
	char *text;

	assert_int_equal(file_read(path, 1000, &text, &size, &e), 0);
	assert_int_equal(size, strlen(expected));
	assert_string_equal(text, expected);
	free(text);
}

static void writing_and_reading(void **state)
{
	struct stat st;

	(void)state;
	write_text("one\n", 4);
	assert_content("one\n");
	write_text("", 0);
	assert_content("");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	unlink(path);
}

static void bytes_of_any_kind_and_number(void **state)
{
	static char much[100001];
	struct err e;
	size_t size;
	char *text;

	(void)state;
	memset(much, 'x', sizeof(much));
	much[5] = 0;
	write_text(much, sizeof(much));
	assert_int_equal(file_read(path, sizeof(much), &text, &size, &e), 0);
	assert_int_equal(size, sizeof(much));
	assert_memory_equal(text, much, size);
	assert_int_equal(text[size], 0);
	free(text);
	assert_int_equal(file_read(path, sizeof(much) - 1, &text, NULL, &e), -EFBIG);
	assert_non_null(strstr(e.text, path));
	unlink(path);
}

static void what_cannot_be_read(void **state)
{
	struct err e;
	char *text;

	(void)state;
	assert_int_equal(file_read(path, 10, &text, NULL, &e), -ENOENT);
	assert_non_null(strstr(e.text, path));
	assert_int_equal(file_read(folder, 10, &text, NULL, &e), -EISDIR);
}

/* A write that fails leaves what was there, and no temporary file. */
static void what_cannot_be_written(void **state)
{
	char inside[sizeof(path) + 2], temporary[sizeof(path) + 4];
	struct err e;

	(void)state;
	snprintf(inside, sizeof(inside), "%s/x", path);
	assert_int_equal(file_write_atomic(inside, "a", 1, &e), -ENOENT);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(file_write_atomic(path, "a", 1, &e), -EISDIR);
	assert_non_null(strstr(e.text, path));
	assert_int_equal(rmdir(path), 0);
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	assert_int_equal(access(temporary, F_OK), -1);
}

static void folders(void **state)
{
	char deep[sizeof(path) + 8];
	struct err e;
	struct stat st;

	(void)state;
	snprintf(deep, sizeof(deep), "%s/a/b", path);
	assert_int_equal(file_mkdirs(deep, &e), 0);
	assert_int_equal(file_mkdirs(deep, &e), 0);
	assert_int_equal(stat(deep, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(rmdir(deep), 0);
	snprintf(deep, sizeof(deep), "%s/a", path);
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(file_mkdirs("/", &e), 0);

	write_text("", 0);
	assert_int_equal(file_mkdirs(deep, &e), -ENOTDIR);
	unlink(path);
}

static void assert_number(const char *text, int rc, uint64_t expected)
{
	uint64_t n = 1234;

	write_text(text, strlen(text));
	assert_int_equal(file_read_u64(path, &n), rc);
	if (rc == 0)
		assert_int_equal(n, expected);
	unlink(path);
}

static void numbers(void **state)
{
	uint64_t n;

	(void)state;
	assert_number("42\n", 0, 42);
	assert_number("0", 0, 0);
	assert_number("18446744073709551615\n", 0, UINT64_MAX);
	assert_number("", -EINVAL, 0);
	assert_number("\n", -EINVAL, 0);
	assert_number("x", -EINVAL, 0);
	assert_number("12x\n", -EINVAL, 0);
	assert_int_equal(file_read_u64(path, &n), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writing_and_reading),
		cmocka_unit_test(bytes_of_any_kind_and_number),
		cmocka_unit_test(what_cannot_be_read),
		cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(folders),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, tempfolder_make, tempfolder_drop);
}
