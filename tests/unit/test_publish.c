/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A report filesystem that takes no more at any one of the writes: "last" names a report that is
 * whole, the old one or the new one, and the caller learns which. */
/* link: -Wl,--wrap=open64 -Wl,--wrap=write -Wl,--wrap=fsync -Wl,--wrap=syncfs -Wl,--wrap=rename -Wl,--wrap=mounts_unmount */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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
#include "publish.h"
#include "results.h"

static char folder[] = "/tmp/guestsweep-test.XXXXXX";
static unsigned fail_at; /* the how many-th call from now; 0: none */
static int fail_with;

static bool is_failing(void)
{
	if (!fail_at || --fail_at)
		return false;
	errno = fail_with;
	return true;
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return is_failing() ? -1 : __real_open64(path, flags, mode);
}

/* A full filesystem takes a part before it takes nothing. */
ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	if (!is_failing())
		return __real_write(fd, data, size);
	if (__real_write(fd, data, size / 2) < 0)
		fail_msg("the test's own disk is full");
	errno = fail_with;
	return -1;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	return is_failing() ? -1 : __real_fsync(fd);
}

int __wrap_syncfs(int fd);
int __wrap_syncfs(int fd)
{
	(void)fd;
	return is_failing() ? -1 : 0;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
	return is_failing() ? -1 : __real_rename(from, to);
}

int __wrap_mounts_unmount(const struct mounted *m, struct err *e);
int __wrap_mounts_unmount(const struct mounted *m, struct err *e)
{
	(void)m;
	(void)e;
	return 0;
}

static void in_folder(const char *command)
{
	char line[300];

	snprintf(line, sizeof(line), "cd %s && %s", folder, command);
	assert_int_equal(system(line), 0);
}

static struct place new_place(void)
{
	struct place p = { .ready = true, .run = "20261121T080000Z" };

	in_folder("rm -rf .2* [2l]* && mkdir -p 20261101T080000Z .20261121T080000Z.new/log .20261121T080000Z.new/undo && "
		  "echo '{}' >20261101T080000Z/report.json && echo 20261101T080000Z >last");
	snprintf(p.folder, sizeof(p.folder), "%s", folder);
	snprintf(p.work, sizeof(p.work), "%.60s/.20261121T080000Z.new", folder);
	return p;
}

/* Whether "last" names the new report. What it names is there, and whole. */
static bool names_new(void)
{
	char path[200], *text;
	struct stat st;
	struct err e;
	bool new;

	snprintf(path, sizeof(path), "%s/last", folder);
	assert_int_equal(file_read(path, 100, &text, NULL, &e), 0);
	new = strcmp(text, "20261121T080000Z\n") == 0;
	assert_true(new || strcmp(text, "20261101T080000Z\n") == 0);
	text[strcspn(text, "\n")] = 0;
	snprintf(path, sizeof(path), "%s/%s/report.json", folder, text);
	free(text);
	assert_int_equal(stat(path, &st), 0);
	if (new)
		assert_true(st.st_size > 100);
	return new;
}

static void fails_at_each_step(int error)
{
	const struct sweep_facts f = { .version = "1", .mode = MODE_CHECK };
	json_object *report;
	struct results r;
	unsigned step;
	int rc = -1;

	assert_int_equal(results_init(&r), 0);
	report = results_report(&r, &f);
	for (step = 1; rc < 0 && step < 100; step++) {
		struct place p = new_place();
		struct err e = { 0 };

		fail_at = step;
		fail_with = error;
		rc = publish_finish(&p, report, &e);
		if (rc < 0)
			assert_true(e.text[0]);
		if (rc == 0)
			assert_true(fail_at > 0); /* no failure is passed over */
		fail_at = 0;
		assert_false(p.ready);
		if (rc == 0)
			assert_true(names_new());
		else
			names_new();
	}
	assert_true(step > 8 && step < 100);
	json_object_put(report);
	results_free(&r);
}

static void full_at_each_write(void **state)
{
	(void)state;
	fails_at_each_step(ENOSPC);
}

static void read_only_at_each_write(void **state)
{
	(void)state;
	fails_at_each_step(EROFS);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	(void)state;
	in_folder("rm -rf .2* [2l]*");
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_at_each_write),
		cmocka_unit_test(read_only_at_each_write),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
