/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work in a sandbox that answers, and some that does not. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "boxtask.h"
#include "sandbox_profiles.h"
#include "tempdisk.h"

/* A number of the caller's, and the first bytes of its two descriptors. */
static int add(const void *arg, void *answer, struct err *e)
{
	char byte[BOXTASK_FDS_MAX], *text = answer;
	int i;

	for (i = 0; i < BOXTASK_FDS_MAX; i++)
		if (pread(BOXTASK_FD + i, &byte[i], 1, 0) != 1)
			return err_set(e, EBADF, "descriptor %d", BOXTASK_FD + i);
	snprintf(text, 16, "%c%c%d%d", byte[0], byte[1], *(const int *)arg, text[4]);
	return 0;
}

static int refuse(const void *arg, void *answer, struct err *e)
{
	(void)answer;
	return err_set_word(e, *(const int *)arg, "bad-\nword", "it says \033[2J");
}

static void answers(void **state)
{
	static const int number = 42, none = 100000;
	struct boxtask t = { .profile = &sandbox_look, .n_fds = 2, .seconds = 60, .name = "a test", .work = add, .arg = &number };
	struct tempdisk a, b;
	char answer[16];
	struct err e;

	(void)state;
	if (geteuid() != 0)
		skip();
	tempdisk_make(&a, 0);
	tempdisk_make(&b, 0);
	tempdisk_put(&a, 0, "a", 1);
	tempdisk_put(&b, 0, "b", 1);
	t.fds[0] = a.fd;
	t.fds[1] = b.fd;
	memset(answer, 7, sizeof(answer));
	assert_int_equal(boxtask_run(&t, answer, sizeof(answer), &e), 0);
	assert_string_equal(answer, "ab420");
	t.n_fds = 1;
	assert_int_equal(boxtask_run(&t, answer, sizeof(answer), &e), -EBADF);
	assert_string_equal(e.text, "descriptor 5");
	t.work = refuse;
	assert_int_equal(boxtask_run(&t, answer, sizeof(answer), &e), -42);
	assert_string_equal(e.text, "it says \\x1b[2J");
	assert_string_equal(e.word, "bad-\\x0aword");
	t.arg = &none;
	assert_int_equal(boxtask_run(&t, answer, sizeof(answer), &e), -EIO);
	tempdisk_drop(&a);
	tempdisk_drop(&b);
}

static int stay(const void *arg, void *answer, struct err *e)
{
	(void)arg;
	(void)answer;
	(void)e;
	while (pause())
		;
	return 0;
}

/* Lets go of the pipe, and stays. */
static int close_all(const void *arg, void *answer, struct err *e)
{
	int fd;

	for (fd = 0; fd < 16; fd++)
		close(fd);
	return stay(arg, answer, e);
}


static void no_answer(void **state)
{
	struct boxtask t = { .profile = &sandbox_look, .seconds = 1, .name = "a test", .work = stay, .arg = "" };
	time_t before = time(NULL);
	struct err e;
	char answer;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(boxtask_run(&t, &answer, 1, &e), -EIO);
	assert_string_equal(e.text, "a test broke off in its sandbox (it did not end in time)");
	assert_true(time(NULL) - before < 10);
	t.seconds = 3600;
	t.work = close_all;
	assert_int_equal(boxtask_run(&t, &answer, 1, &e), -EIO);
	assert_string_equal(e.text, "a test broke off in its sandbox (killed by signal 9)");
	assert_true(time(NULL) - before < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
