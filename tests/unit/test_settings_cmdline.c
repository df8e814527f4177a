/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel command line: its words, its keys, and what is wrong with them. */
#define _GNU_SOURCE
#include <stdio.h>

#include "settings_helpers.h"

static void command_line(void **state)
{
	struct settings s;

	(void)state;
	read_good(&s, "[sweep]\nmode=list\njobs=2\n[guest a]\ndisk=v/l\nmode=repair\nundo=off",
		  "BOOT_IMAGE=/vmlinuz quiet guestsweep.mode=preen\tguestsweep.after=kexec "
		  "guestsweep.deadline=1h30m guestsweep.jobs=auto guestsweep.settle=0 "
		  "guestsweep.report=UUID=1:/x guestsweep.only=a,/dev/v/m,sdb xguestsweep.y=1 "
		  "guestsweepmode=x guestsweep.mode=check -- guestsweep.mode=zzz\n");
	assert_int_equal(s.mode, MODE_CHECK);
	assert_int_equal(settings_mode(&s, "a"), MODE_CHECK);
	assert_int_equal(settings_undo(&s, "a"), UNDO_OFF);
	assert_int_equal(s.after, AFTER_KEXEC);
	assert_int_equal(s.deadline_s, 5400);
	assert_int_equal(s.jobs, 0);
	assert_int_equal(s.settle_s, 0);
	assert_string_equal(s.report_device, "UUID=1");
	assert_int_equal(s.only.n, 3);
	assert_string_equal(s.only.item[1], "v/m");
	assert_string_equal(s.only.item[2], "sdb");
	settings_free(&s);
}

static void command_line_quotes(void **state)
{
	struct settings s;

	(void)state;
	read_good(&s, "", "a=\"guestsweep.mode=list guestsweep.x\" guestsweep.only=\"my vm,b\" "
			  "\"guestsweep.report=LABEL=a b:/c d\" guestsweep.mode=\"list\"");
	assert_string_equal(s.only.item[0], "my vm");
	assert_string_equal(s.only.item[1], "b");
	assert_string_equal(s.report_device, "LABEL=a b");
	assert_string_equal(s.report_folder, "/c d");
	assert_int_equal(s.mode, MODE_LIST);
	settings_free(&s);
	/* unbalanced ones reach to the end, as in the kernel */
	read_good(&s, "", "guestsweep.only=\"a b guestsweep.mode=list");
	assert_string_equal(s.only.item[0], "a b guestsweep.mode=list");
	settings_free(&s);
	read_good(&s, "", "\"--\" guestsweep.x");
	settings_free(&s);
	read_good(&s, "", "\" \"\"\" = \"=\" =");
	settings_free(&s);
}

static const struct {
	const char *cmdline, *fault;
} bad_command_lines[] = {
	{ "guestsweep.mdoe=list", "\"guestsweep.mdoe\" is not known (mode, after, deadline, jobs, "
				  "report, undo, only, settle)" },
	{ "guestsweep.undo=off", "guestsweep.undo: \"off\" is not RUN or RUN:NODE, a report's folder or "
				 "\"last\", and a node's number in it" },
	{ "guestsweep.undo=../x:7", "guestsweep.undo: \"../x:7\" is not RUN or RUN:NODE, a report's folder or "
				    "\"last\", and a node's number in it" },
	{ "guestsweep.undo=last:", "guestsweep.undo: \"last:\" is not RUN or RUN:NODE, a report's folder or "
				   "\"last\", and a node's number in it" },
	{ "guestsweep.", "\"guestsweep.\" is not known (mode, after, deadline, jobs, report, undo, only, "
			 "settle)" },
	{ "guestsweep.mode", "guestsweep.mode: there is no value" },
	{ "guestsweep.only=", "guestsweep.only: there is no value" },
	{ "guestsweep.only=\"\"", "guestsweep.only: there is no value" },
	{ "guestsweep.only=a,,b", "guestsweep.only: there is an empty name between the commas" },
	{ "guestsweep.only=a/b/c", "guestsweep.only: \"a/b/c\" is neither VG/LV nor /dev/NAME" },
	{ "guestsweep.settle=601", "guestsweep.settle: \"601\" is not a number from 0 to 600" },
	{ "guestsweep.settle=5s", "guestsweep.settle: \"5s\" is not a number from 0 to 600" },
	{ "guestsweep.mode=Check guestsweep.mode=preen",
	  "guestsweep.mode: \"Check\" is not one of list, check, preen, repair" },
	{ "--=1 guestsweep.mode", "guestsweep.mode: there is no value" },
};

static void faults_in_the_command_line(void **state)
{
	char expected[ERR_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad_command_lines) / sizeof(bad_command_lines[0]); i++) {
		snprintf(expected, sizeof(expected), "kernel command line: %s" ENDS,
			 bad_command_lines[i].fault);
		assert_only_fault("", bad_command_lines[i].cmdline, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_line),
		cmocka_unit_test(command_line_quotes),
		cmocka_unit_test(faults_in_the_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
