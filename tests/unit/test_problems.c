/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e2fsck's problem log, and what it comes to in plain words. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "problems.h"

static struct problems read_log(const char *text)
{
	char path[] = "/tmp/problems.XXXXXX";
	struct problems p = { .n = 0 };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	problems_read(&p, path);
	unlink(path);
	return p;
}

static void assert_says(const char *log, bool would, bool loses, const char *expected)
{
	struct problems p = read_log(log);
	char text[512];

	assert_string_equal(problems_text(&p, would, text, sizeof(text)), expected);
	assert_int_equal(problems_lose_data(&p), loses);
}

static void plain_words(void **state)
{
	(void)state;
	assert_says("", false, false, "");
	assert_says("no log at all\n\n<problem\n<total code=\"x\n", false, false, "");
	assert_says("<problem code=\"0x050005\" answer=\"1\" fixed=\"1\" blk=\"7\"/>\n"
		    "<total code=\"0x050005\" count=\"300\" fixed=\"300\"/>\n", false, false,
		    "300 corrections (300 in the counts and maps of free space); none of them takes data away");
	assert_says("<total code=\"0x020003\" count=\"2\" fixed=\"2\"/>\n", true, true,
		    "2 corrections would be needed (2 in directories); data may be lost: 2 names were removed or changed");
	assert_says("<problem code=\"0x040002\" answer=\"1\" fixed=\"1\" ino=\"12\"/>\n", false, false,
		    "1 correction (1 in link counts); none of them takes data away; 1 file went to lost+found");
	/* found, and left as it is */
	assert_says("<problem code=\"0x020003\" answer=\"0\"/>\n", false, false, "");
}

/* A run that sums up counts once, one that gave up by its lines. */
static void totals_and_lines(void **state)
{
	struct problems p = read_log("<problem code=\"0x040002\" answer=\"1\" fixed=\"1\" ino=\"12\"/>\n"
				     "<problem code=\"0x040002\" answer=\"0\" ino=\"13\"/>\n"
				     "<total code=\"0x040002\" count=\"2\" fixed=\"1\"/>\n");

	(void)state;
	assert_int_equal(p.n, 1);
	assert_int_equal(p.kinds[0].count, 2);
	assert_int_equal(p.kinds[0].fixed, 1);
	assert_int_equal(p.n_lost_found, 1);
	assert_int_equal(p.lost_found[0], 12);
	p = read_log("<problem code=\"0x050005\" answer=\"1\" fixed=\"1\"/>\n<problem code=\"0x050005\" answer=\"0\"/>\n");
	assert_int_equal(p.kinds[0].count, 2);
	assert_int_equal(p.kinds[0].fixed, 1);
}

static void assert_corrected(const char *log, bool corrected)
{
	struct problems p = read_log(log);

	assert_true(problems_corrected(&p) == corrected);
}

/* e2fsck ends with 0 where it has corrected something and then started over: a multi-mount protection with a
 * wrong checksum, fields of a journal that its version does not have. What it only found better ways for is none. */
static void corrected_with_exit_0(void **state)
{
	(void)state;
	assert_corrected("", false);
	assert_corrected("<total code=\"0x014006\" count=\"1\" fixed=\"0\"/>\n", false);
	assert_corrected("<total code=\"0x000047\" count=\"1\" fixed=\"1\"/>\n", true);
	assert_corrected("<total code=\"0x00002a\" count=\"1\" fixed=\"0\"/>\n", true);
}

/* More kinds, and more lost files, than there is room for. */
static void too_many(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct problems p;
	unsigned i;

	(void)state;
	for (i = 1; i < 500; i++)
		fprintf(f, "<problem code=\"0x%06x\" answer=\"1\" fixed=\"1\"/>\n"
			   "<problem code=\"0x030003\" answer=\"1\" fixed=\"1\" ino=\"%u\"/>\n", i, i);
	fclose(f);
	p = read_log(text);
	free(text);
	assert_int_equal(p.n, PROBLEMS_MAX);
	assert_int_equal(p.n_lost_found, 499);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_words),
		cmocka_unit_test(totals_and_lines),
		cmocka_unit_test(corrected_with_exit_0),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
