/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decisions of PID 1 that need no machine: how the sweep ended, when the
 * disks are there, what is mounted from a disk, what the modules list says. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "modules.h"
#include "kernelfs.h"
#include "outcome.h"
#include "settle.h"

#define EXITED(status) ((status) << 8)
#define KILLED(signal) (signal)

static void outcomes(void **state)
{
	static const struct {
		enum ended ended;
		int status;
		const char *how; /* NULL: complete */
	} cases[] = {
		{ ENDED_ITSELF, EXITED(0), NULL },
		{ ENDED_DEADLINE, EXITED(0), NULL },
		{ ENDED_ASKED, EXITED(0), NULL },
		{ ENDED_ITSELF, EXITED(3), "ended early: exit status 3" },
		{ ENDED_ITSELF, EXITED(127), "ended early: exit status 127" },
		{ ENDED_ITSELF, KILLED(9), "ended early: killed by signal 9 (Killed)" },
		{ ENDED_ITSELF, KILLED(11) | 0x80,
		  "ended early: killed by signal 11 (Segmentation fault)" },
		{ ENDED_DEADLINE, KILLED(9),
		  "did not end at its deadline: killed by signal 9 (Killed)" },
		{ ENDED_SILENT, KILLED(15), "gave no sign of life: killed by signal 15 (Terminated)" },
		{ ENDED_STUCK, EXITED(0), "hangs in the kernel and can't be killed" },
		{ ENDED_NOT_STARTED, EXITED(0), "could not be started" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char how[160];

		assert_int_equal(outcome_is_complete(cases[i].ended, cases[i].status, how,
						     sizeof(how)),
				 !cases[i].how);
		assert_string_equal(how, cases[i].how ? cases[i].how : "");
	}
}

static void disks_settle(void **state)
{
	struct disk_signs none = { 0 }, one = { .disks = 1 };
	struct disk_signs usb = { .disks = 1, .usb = true };
	struct disk_signs coming = { .disks = 1, .coming = true };
	struct disk_signs only_usb = { .usb = true, .coming = true };

	(void)state;
	assert_int_equal(settle_quiet_ms(none), -1);
	assert_int_equal(settle_quiet_ms(only_usb), -1);
	assert_true(settle_quiet_ms(one) > 0);
	assert_true(settle_quiet_ms(usb) > settle_quiet_ms(one));
	assert_true(settle_quiet_ms(coming) > settle_quiet_ms(usb));
}

static void mounts_on_disks(void **state)
{
	static const struct {
		const char *line, *point; /* NULL: not on a disk */
	} cases[] = {
		{ "36 35 98:0 / /run/report rw,noatime master:1 - ext4 /dev/vdb rw\n", "/run/report" },
		{ "36 35 98:0 / /run/a\\040b\\011c rw - ext4 /dev/vdb rw", "/run/a b\tc" },
		{ "36 35 0:40 /sub /run/b rw shared:1 x:2 - btrfs /dev/mapper/x rw", "/run/b" },
		{ "22 1 0:5 / /dev rw,nosuid - devtmpfs devtmpfs rw", NULL },
		{ "1 1 0:2 / / rw - rootfs rootfs rw", NULL },
		{ "22 1 0:5 / /run rw,nosuid - tmpfs tmpfs rw,size=50%", NULL },
		{ "", NULL },
		{ " - ", NULL },
		{ "- -  /", NULL },
		{ "a b - ext4 /dev/x", NULL },
		{ "36 35 98:0 / - ext4 /dev/x", NULL },
		{ "36 35 98:0 / /p\\04 - ext4 /dev/x", "/p\\04" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[200];
		const char *point = NULL;

		snprintf(line, sizeof(line), "%s", cases[i].line);
		assert_int_equal(mount_is_storage(line, &point), cases[i].point != NULL);
		if (cases[i].point)
			assert_string_equal(point, cases[i].point);
	}
}

static void modules_list(void **state)
{
	static const struct {
		const char *line, *name, *options; /* name NULL: nothing there */
	} cases[] = {
		{ "dm_mod\n", "dm_mod", "" },
		{ "\t loop  \r\n", "loop", "" },
		{ "nbd max_part=0  nbds_max=4 # no scan\n", "nbd", "max_part=0  nbds_max=4" },
		{ "# nothing\n", NULL, NULL },
		{ "", NULL, NULL },
		{ "  \n", NULL, NULL },
		{ "raid1#x", "raid1", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[100], *name, *options;

		snprintf(line, sizeof(line), "%s", cases[i].line);
		assert_int_equal(modules_line(line, &name, &options), cases[i].name != NULL);
		if (cases[i].name) {
			assert_string_equal(name, cases[i].name);
			assert_string_equal(options, cases[i].options);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcomes),
		cmocka_unit_test(disks_settle),
		cmocka_unit_test(mounts_on_disks),
		cmocka_unit_test(modules_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
