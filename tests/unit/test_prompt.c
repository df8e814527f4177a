/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A passphrase asked for on two terminals at once. The consoles are pseudo-terminals. */
/* link: -Wl,--wrap=consoles_active */
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
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "consoles.h"
#include "prompt.h"

static int master[2];
static const char *typed[2]; /* what the persons at them type once they are asked */
static bool ended;

unsigned __wrap_consoles_active(char names[][CONSOLE_NAME_MAX], unsigned max);

unsigned __wrap_consoles_active(char names[][CONSOLE_NAME_MAX], unsigned max)
{
	unsigned i;

	for (i = 0; i < 2 && i < max; i++)
		snprintf(names[i], CONSOLE_NAME_MAX, "%s", ptsname(master[i]) + strlen("/dev/"));
	return i;
}

/* Asked before each wait: the question stands then. */
static bool type_now(void)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		if (typed[i])
			assert_int_equal(write(master[i], typed[i], strlen(typed[i])), strlen(typed[i]));
		typed[i] = NULL;
	}
	return ended;
}

static int sit(void **state)
{
	unsigned i;

	(void)state;
	ended = false;
	for (i = 0; i < 2; i++) {
		master[i] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (master[i] < 0 || grantpt(master[i]) < 0 || unlockpt(master[i]) < 0)
			return -1;
		fcntl(master[i], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

static int leave(void **state)
{
	(void)state;
	close(master[0]);
	close(master[1]);
	return 0;
}

/* What the terminal has shown. */
static void shows(int fd, const char *text)
{
	char buf[256];
	ssize_t n = read(fd, buf, sizeof(buf));

	assert_int_equal(n > 0 ? n : 0, strlen(text));
	assert_memory_equal(buf, text, strlen(text));
}

static void the_first_answer_wins(void **state)
{
	struct secret *answer;
	struct err e;

	(void)state;
	typed[0] = "only half";
	typed[1] = "correct horsf\x7f" "e\r";
	assert_int_equal(prompt_ask("passphrase?", 10, type_now, &answer, &e), 0);
	assert_int_equal(secret_size(answer), strlen("correct horse"));
	assert_memory_equal(secret_bytes(answer), "correct horse", strlen("correct horse"));
	secret_free(answer);
	shows(master[0], "");
	shows(master[1], "");
}

static void what_was_typed_before_does_not_count(void **state)
{
	int slave = open(ptsname(master[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct secret *answer;
	struct termios before, after;
	struct err e;

	(void)state;
	assert_int_equal(tcgetattr(slave, &before), 0);
	assert_int_equal(write(master[0], "mashed\r", 7), 7);
	typed[0] = "asked\r";
	assert_int_equal(prompt_ask("passphrase?", 10, type_now, &answer, &e), 0);
	assert_int_equal(secret_size(answer), 5);
	assert_memory_equal(secret_bytes(answer), "asked", 5);
	secret_free(answer);
	assert_int_equal(tcgetattr(slave, &after), 0);
	assert_int_equal(before.c_lflag, after.c_lflag);
	close(slave);
}

static void nobody_answers(void **state)
{
	struct secret *answer;
	struct err e;

	(void)state;
	typed[0] = "never ended";
	assert_int_equal(prompt_ask("passphrase?", 1, type_now, &answer, &e), -ETIMEDOUT);
	typed[0] = "\x04";
	assert_int_equal(prompt_ask("passphrase?", 10, type_now, &answer, &e), -ECANCELED);
	ended = true;
	assert_int_equal(prompt_ask("passphrase?", 10, type_now, &answer, &e), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_answer_wins, sit, leave),
		cmocka_unit_test_setup_teardown(what_was_typed_before_does_not_count, sit, leave),
		cmocka_unit_test_setup_teardown(nobody_answers, sit, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
