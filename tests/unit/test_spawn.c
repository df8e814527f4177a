/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting programs: how they ended, what they said, and what they don't get. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "file.h"
#include "spawn.h"
#include "tempfolder.h"

#define SH(script) ((const char *const[]){ "/bin/sh", "-c", (script), NULL })

static void run(const char *script, const struct spawn_options *o, struct spawn_result *r)
{
	struct err e;

	if (spawn_run(SH(script), o, r, &e) < 0)
		fail_msg("%s: %s", script, e.text);
}

/* Standard output of the script, which must end well; free it. */
static char *output_of(const char *script)
{
	char *out = NULL;
	struct spawn_options o = { .out = &out, .out_limit = 10000 };
	struct spawn_result r;

	run(script, &o, &r);
	assert_int_equal(r.how, SPAWN_EXITED);
	assert_int_equal(r.code, 0);
	assert_non_null(out);
	return out;
}

static void assert_outputs(const char *script, const char *expected)
{
	char *out = output_of(script);

	assert_string_equal(out, expected);
	free(out);
}

static void assert_describes(const struct spawn_result *r, const char *expected)
{
	char words[300];

	assert_string_equal(spawn_describe(r, words, sizeof(words)), expected);
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void exit_status(void **state)
{
	struct spawn_options o = { 0 };
	struct spawn_result r;

	(void)state;
	run("echo first; echo last words >&2; exit 3", &o, &r);
	assert_int_equal(r.how, SPAWN_EXITED);
	assert_int_equal(r.code, 3);
	assert_describes(&r, "exit status 3: last words");
	run("exit 0", &o, &r);
	assert_int_equal(r.code, 0);
	assert_describes(&r, "exit status 0");
}

static void a_signal_is_not_exit_0(void **state)
{
	struct spawn_options o = { 0 };
	struct spawn_result r;

	(void)state;
	run("kill -9 $$", &o, &r);
	assert_int_equal(r.how, SPAWN_SIGNALLED);
	assert_int_equal(r.code, SIGKILL);
	assert_describes(&r, "killed by signal 9");
}

static void timeout(void **state)
{
	struct spawn_options o = { .timeout_s = 1 };
	struct timespec start;
	struct spawn_result r;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &start);
	run("sleep 60; exit 0", &o, &r);
	assert_int_equal(r.how, SPAWN_TIMED_OUT);
	assert_true(seconds_since(&start) >= 1 && seconds_since(&start) < 8);
	assert_describes(&r, "it did not end in time");
}

static void timeout_of_a_program_that_ignores_it(void **state)
{
	struct spawn_options o = { .timeout_s = 1 };
	struct timespec start;
	struct spawn_result r;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &start);
	run("trap '' TERM; while :; do sleep 1; done", &o, &r);
	assert_int_equal(r.how, SPAWN_TIMED_OUT);
	assert_true(seconds_since(&start) >= 11 && seconds_since(&start) < 19);
}

static bool at_once(void)
{
	return true;
}

static void cancelling(void **state)
{
	struct spawn_options o = { .cancelled = at_once };
	struct timespec start;
	struct spawn_result r;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &start);
	run("sleep 60", &o, &r);
	assert_int_equal(r.how, SPAWN_TIMED_OUT);
	assert_true(seconds_since(&start) < 8);
}

/* A background process that keeps the pipes doesn't keep us. */
static void only_the_program_is_waited_for(void **state)
{
	struct spawn_options o = { 0 };
	struct timespec start;
	struct spawn_result r;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &start);
	run("sleep 6 & echo started >&2", &o, &r);
	assert_int_equal(r.how, SPAWN_EXITED);
	assert_string_equal(r.tail, "started");
	assert_true(seconds_since(&start) < 5);
}

static void programs_that_are_not_there(void **state)
{
	struct spawn_options o = { 0 };
	struct spawn_result r;
	struct err e;

	(void)state;
	assert_int_equal(spawn_run((const char *const[]){ "/nowhere/e2fsck", NULL }, &o, &r, &e),
			 -ENOENT);
	assert_non_null(strstr(e.text, "/nowhere/e2fsck"));
	assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0644)), 0);
	assert_int_equal(spawn_run((const char *const[]){ path, NULL }, &o, &r, &e), -EACCES);
	unlink(path);
}

static void output_as_a_string(void **state)
{
	char *out = NULL;
	struct spawn_options o = { .out = &out, .out_limit = 6 };
	struct spawn_result r;
	struct err e;

	(void)state;
	assert_outputs("printf 'a\\nb'; echo no >&2", "a\nb");
	assert_outputs(":", "");
	run("echo 12345; echo tail >&2", &o, &r);
	assert_string_equal(out, "12345\n");
	assert_string_equal(r.tail, "tail");
	free(out);
	out = NULL;
	assert_int_equal(spawn_run(SH("echo 123456"), &o, &r, &e), -EFBIG);
	assert_null(out);
}

/* More than a pipe holds, on both at once. */
static void much_output(void **state)
{
	char *out = NULL;
	struct spawn_options o = { .out = &out, .out_limit = 1 << 20 };
	struct spawn_result r;

	(void)state;
	run("head -c 300000 /dev/zero | tr '\\0' e >&2; head -c 300000 /dev/zero | tr '\\0' o", &o,
	    &r);
	assert_int_equal(strlen(out), 300000);
	assert_int_equal(strspn(r.tail, "e"), sizeof(r.tail) - 1);
	free(out);
}

/* It would never end by itself; its last line is still known. */
static void output_without_end(void **state)
{
	struct spawn_options o = { .output_max = 4 << 20, .timeout_s = 60 };
	struct spawn_result r;

	(void)state;
	run("trap 'echo the last' EXIT; trap 'exit 3' TERM; while :; do echo a line of many; done", &o, &r);
	assert_int_equal(r.how, SPAWN_FLOODED);
	assert_string_equal(r.tail, "the last");
	assert_describes(&r, "it wrote more than 4 MiB without coming to an end");
	o.output_max = 1 << 20;
	run("echo enough", &o, &r);
	assert_int_equal(r.how, SPAWN_EXITED);
	assert_string_equal(r.tail, "enough");
}

static void assert_log(const char *script, size_t limit, const char *expected)
{
	struct spawn_options o = { .log_path = path, .log_limit = limit };
	struct spawn_result r;
	struct err e;
	char *text;

	run(script, &o, &r);
	assert_int_equal(r.how, SPAWN_EXITED);
	assert_int_equal(file_read(path, 10000, &text, NULL, &e), 0);
	assert_string_equal(text, expected);
	free(text);
}

static void logs(void **state)
{
	static const char cut[] = "\n[guestsweep: output cut here, the limit is reached]\n";
	char expected[200];

	(void)state;
	assert_log("echo out; echo err >&2", 100, "out\nerr\n");
	assert_log("echo more", 100, "out\nerr\nmore\n");
	unlink(path);
	assert_log("printf 12345", 5, "12345");
	unlink(path);
	snprintf(expected, sizeof(expected), "12345%s", cut);
	assert_log("printf 123456; sleep 0.2; printf 7; head -c 200000 /dev/zero", 5, expected);
	unlink(path);
}

static void a_clean_environment(void **state)
{
	static const char *const more[] = { "GS_MINE=1", NULL };
	char *out = NULL;
	struct spawn_options o = { .out = &out, .out_limit = 1000, .env = more };
	struct spawn_result r;
	struct err e;

	(void)state;
	setenv("GS_SECRET", "x", 1);
	setenv("LD_PRELOAD", "", 1);
	assert_int_equal(spawn_run((const char *const[]){ "/usr/bin/env", NULL }, &o, &r, &e), 0);
	assert_string_equal(out, "PATH=/usr/sbin:/usr/bin\nLC_ALL=C\nHOME=/\nTZ=UTC0\nGS_MINE=1\n");
	free(out);
	unsetenv("GS_SECRET");
	unsetenv("LD_PRELOAD");
}

static void no_descriptors(void **state)
{
	int fd = open("/dev/zero", O_RDONLY), other;

	(void)state;
	for (other = fd + 1; other < 900; other++)
		assert_int_equal(dup2(fd, other), other);
	/* the last is what ls reads the folder with */
	assert_outputs("ls /proc/self/fd", "0\n1\n2\n3\n");
	assert_outputs("readlink /proc/self/fd/0", "/dev/null\n");
	for (other = fd; other < 900; other++)
		close(other);
}

/* PID 1 and the workers block signals; their children must not. */
static void no_blocked_signals(void **state)
{
	/* no shell: that has a mask of its own */
	const char *const grep[] = { "/bin/grep", "SigBlk", "/proc/self/status", NULL };
	char *out = NULL;
	struct spawn_options o = { .out = &out, .out_limit = 100 };
	struct spawn_result r;
	sigset_t all, old;
	struct err e;

	(void)state;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	assert_int_equal(spawn_run(grep, &o, &r, &e), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_string_equal(out, "SigBlk:\t0000000000000000\n");
	free(out);
}

static void the_tail_is_escaped(void **state)
{
	struct spawn_options o = { 0 };
	struct spawn_result r;

	(void)state;
	run("printf 'one\\n\\033[2Jtwo\\377\\n' >&2", &o, &r);
	assert_string_equal(r.tail, "\\x1b[2Jtwo\\xff");
}

/* Waits up to 5 s until the script has written its number to path. */
static pid_t number_in_file(void)
{
	struct err e;
	char *text;
	int i, n = 0;

	for (i = 0; i < 500 && n == 0; i++) {
		usleep(10000);
		if (file_read(path, 100, &text, NULL, &e) < 0)
			continue;
		n = atoi(text);
		free(text);
	}
	unlink(path);
	return n;
}

static void it_dies_with_its_parent(void **state)
{
	char script[100];
	int status;
	pid_t parent, child;

	(void)state;
	snprintf(script, sizeof(script), "echo $$ >%s; exec sleep 60", path);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	parent = fork();
	assert_true(parent >= 0);
	if (parent == 0) {
		struct spawn_options o = { 0 };
		struct spawn_result r;
		struct err e;

		_exit(spawn_run(SH(script), &o, &r, &e) != 0);
	}
	child = number_in_file();
	assert_true(child > 0);
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_status),
		cmocka_unit_test(a_signal_is_not_exit_0),
		cmocka_unit_test(timeout),
		cmocka_unit_test(timeout_of_a_program_that_ignores_it),
		cmocka_unit_test(cancelling),
		cmocka_unit_test(only_the_program_is_waited_for),
		cmocka_unit_test(programs_that_are_not_there),
		cmocka_unit_test(output_as_a_string),
		cmocka_unit_test(much_output),
		cmocka_unit_test(output_without_end),
		cmocka_unit_test(logs),
		cmocka_unit_test(a_clean_environment),
		cmocka_unit_test(no_descriptors),
		cmocka_unit_test(no_blocked_signals),
		cmocka_unit_test(the_tail_is_escaped),
		cmocka_unit_test(it_dies_with_its_parent),
	};

	return cmocka_run_group_tests(tests, tempfolder_make, tempfolder_drop);
}
