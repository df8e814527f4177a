/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secrets: locked, kept out of core dumps, wiped; read from files in full or not at all. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "attrs.h"
#include "secret.h"

static char path[] = "/tmp/test_secret.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || write(fd, "0123456789", 10) != 10 || close(fd) < 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void assert_reads(uint64_t offset, size_t size, const char *expected)
{
	struct err e;
	struct secret *s = secret_from_file(path, offset, size, &e);

	assert_non_null(s);
	assert_int_equal(secret_size(s), strlen(expected));
	assert_memory_equal(secret_bytes(s), expected, strlen(expected));
	secret_free(s);
}

static void assert_refuses(const char *file, uint64_t offset, size_t size, int code)
{
	struct err e = { 0 };

	assert_null(secret_from_file(file, offset, size, &e));
	assert_int_equal(e.code, code);
	assert_non_null(strstr(e.text, file));
}

static void a_file_that_is_too_short(void **state)
{
	struct err e;

	(void)state;
	assert_null(secret_from_file(path, 8, 3, &e));
	assert_non_null(strstr(e.text, " has 10 bytes, too few for its offset and size"));
}

static void key_files(void **state)
{
	(void)state;
	assert_reads(0, 0, "0123456789");
	assert_reads(3, 0, "3456789");
	assert_reads(0, 4, "0123");
	assert_reads(8, 2, "89");
	assert_refuses(path, 0, 11, ERANGE);
	assert_refuses(path, 8, 3, ERANGE);
	assert_refuses(path, 10, 0, ERANGE);
	assert_refuses(path, UINT64_MAX, 1, ERANGE);
	assert_refuses(path, UINT64_MAX, SIZE_MAX, ERANGE);
}

static void files_that_are_no_keys(void **state)
{
	char other[sizeof(path) + 2];

	(void)state;
	snprintf(other, sizeof(other), "%s.x", path);
	assert_refuses(other, 0, 0, ENOENT);
	assert_refuses("/tmp", 0, 0, EINVAL);
	assert_refuses("/dev/zero", 0, 16, EINVAL);
	assert_int_equal(mkfifo(other, 0600), 0);
	assert_refuses(other, 0, 0, EINVAL); /* and doesn't wait for a writer */
	unlink(other);
	assert_int_equal(symlink(path, other), 0);
	assert_refuses(other, 0, 0, ELOOP);
	unlink(other);
	assert_int_equal(fclose(fopen(other, "w")), 0);
	assert_refuses(other, 0, 0, EINVAL);
	assert_int_equal(truncate(other, SECRET_FILE_MAX + 1), 0);
	assert_refuses(other, 0, 0, ERANGE);
	assert_refuses(other, 0, SECRET_FILE_MAX + 1, ERANGE);
	unlink(other);
}

/* Whether the mapping that holds p has this word among its flags; proc(5), smaps. */
static bool has_flag(const void *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	bool inside = false, found = false;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= (unsigned long)p && (unsigned long)p < to;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	fclose(f);
	return found;
}

static void memory_is_locked_and_not_dumped(void **state)
{
	struct err e;
	struct secret *s = secret_new(100, &e);

	(void)state;
	assert_non_null(s);
	assert_int_equal(secret_size(s), 100);
	assert_int_equal(secret_bytes(s)[0] | secret_bytes(s)[99], 0);
	assert_true(has_flag(secret_bytes(s), " lo"));
	assert_true(has_flag(secret_bytes(s), " dd"));
	secret_free(s);
	secret_free(NULL);
}

static bool is_mapped(const void *p)
{
	unsigned long from, to;
	char line[512];
	bool found = false;
	FILE *f = fopen("/proc/self/maps", "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && from <= (unsigned long)p && (unsigned long)p < to)
			found = true;
	fclose(f);
	return found;
}

/* A child leaves two, side by side or not, and then all; its parent still has them. */
static void left_by_a_child(void **state)
{
	struct err e;
	struct secret *one = secret_new(5000, &e), *next = secret_new(8, &e), *other = secret_new(100, &e);
	const char *bytes[] = { secret_bytes(one), secret_bytes(next), secret_bytes(other) };
	int status;
	pid_t pid;

	(void)state;
	memset(secret_bytes(one), 7, 5000);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct secret *left[] = { one, NULL, next };

		secret_leave(left, 0);
		secret_leave(left, ARRAY_SIZE(left));
		if (is_mapped(bytes[0]) || is_mapped(bytes[0] + 4999) || is_mapped(bytes[1]) || !is_mapped(bytes[2]))
			_exit(1);
		secret_leave_behind();
		secret_free(one);
		secret_free(next);
		secret_free(other);
		_exit(is_mapped(bytes[2]) ? 2 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(bytes[0][0] + bytes[0][4999], 14);
	secret_free(one);
	secret_free(next);
	secret_free(other);
}

/* More than there is, or than may be locked, is an error. In a child, since
 * privileges and the limit don't come back. */
static void no_memory(void **state)
{
	struct err e = { 0 };
	int status;
	pid_t pid;

	(void)state;
	assert_null(secret_new(SIZE_MAX, &e));
	assert_int_equal(e.code, ENOMEM);
	assert_null(secret_new(SIZE_MAX / 4, &e));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit none = { 0, 0 };

		if (setrlimit(RLIMIT_MEMLOCK, &none) < 0 || (getuid() == 0 && setuid(65534) < 0))
			_exit(2);
		_exit(secret_new(100, &e) != NULL || e.code != ENOMEM);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_files),
		cmocka_unit_test(a_file_that_is_too_short),
		cmocka_unit_test(files_that_are_no_keys),
		cmocka_unit_test(memory_is_locked_and_not_dumped),
		cmocka_unit_test(left_by_a_child),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
