/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How times, report places and guests' disks are written in sweep.conf. */
#define _GNU_SOURCE
#include <stdio.h>

#include "settings_helpers.h"

static void durations(void **state)
{
	static const struct { const char *text; unsigned seconds; } good[] = {
		{ "1", 1 }, { "90s", 90 }, { "45m", 2700 }, { "4h", 14400 }, { "7d", 604800 },
		{ "1h30m", 5400 }, { "1d2h3m4s", 93784 }, { "604800", 604800 }, { "0h5m", 300 },
	};
	static const char *const bad[] = { "0", "0s", "8d", "604801", "7d1s", "1h30", "30m1h", "1m1m",
					   "-1h", "1.5h", "h", "4 h", "4H", "1w",
					   "99999999999999999999", "18446744073709551617s" };
	struct settings s;
	char file[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(file, sizeof(file), "[sweep]\ndeadline = %s", good[i].text);
		read_good(&s, file, "");
		assert_int_equal(s.deadline_s, good[i].seconds);
		settings_free(&s);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(file, sizeof(file), "[sweep]\ndeadline = %s", bad[i]);
		read_text(&s, file, "");
		if (s.n_faults != 1 || s.deadline_s != 14400)
			fail_msg("deadline = %s gave %u s", bad[i], s.deadline_s);
		settings_free(&s);
	}
	assert_only_fault("[sweep]\ndeadline = 8d", "",
			  "sweep.conf:2: deadline: \"8d\" is not a time from 1s to 604800s, like 90s, "
			  "45m, 4h or 1h30m" ENDS);
}

static void reports(void **state)
{
	static const struct { const char *text, *device, *folder; } good[] = {
		{ "LABEL=X", "LABEL=X", "/" },
		{ "UUID=1-2:/a/b", "UUID=1-2", "/a/b" },
		{ "PARTUUID=1:/a/", "PARTUUID=1", "/a" },
		{ "/dev/disk/by-path/pci-0:00:1f:/logs", "/dev/disk/by-path/pci-0:00:1f", "/logs" },
		{ "LABEL=a:/b:/c", "LABEL=a:/b", "/c" },
		{ "LABEL=my disk:/my logs", "LABEL=my disk", "/my logs" },
	};
	static const char *const bad[] = { "none", "X:/", "LABEL=:/", "LABEL=X:/../a", "LABEL=X:/a/..",
					   "/dev/../etc:/", "/dev/", "/mnt", ":/", "LABEL=X:/a//b" };
	struct settings s;
	char file[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(file, sizeof(file), "[sweep]\nreport = %s", good[i].text);
		read_good(&s, file, "");
		assert_string_equal(s.report_device, good[i].device);
		assert_string_equal(s.report_folder, good[i].folder);
		settings_free(&s);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(file, sizeof(file), "[sweep]\nreport = %s", bad[i]);
		read_text(&s, file, "");
		if (s.n_faults != 1 || s.report_named)
			fail_msg("report = %s is taken", bad[i]);
		settings_free(&s);
	}
}

static void guest_disks(void **state)
{
	static const struct { const char *text, *volume, *path, *format; } good[] = {
		{ "v/l", "v/l", NULL, NULL },
		{ "/dev/v/l", "v/l", NULL, NULL },
		{ "/dev/mapper/v--g-l--v", "v-g/l-v", NULL, NULL },
		{ "/dev/mapper/a---b", "a-/b", NULL, NULL },
		{ "/dev/mapper/v-l-real", "/dev/mapper/v-l-real", NULL, NULL },
		{ "/dev/mapper/-x", "/dev/mapper/-x", NULL, NULL },
		{ "/dev/mapper/crypt", "/dev/mapper/crypt", NULL, NULL },
		{ "/dev/sdb", "/dev/sdb", NULL, NULL },
		{ "/dev/md/0", "/dev/md/0", NULL, NULL },
		{ "/dev/disk/by-id/x", "/dev/disk/by-id/x", NULL, NULL },
		{ "/dev/sdb1:/a.raw", "/dev/sdb1", "/a.raw", NULL },
		{ "v/l:/a b.img  raw", "v/l", "/a b.img", "raw" },
		{ "v/l:/d/x:/y\tvhdx", "v/l", "/d/x:/y", "vhdx" },
	};
	static const char *const bad[] = { "sdb", "v/l/m", "/v/l", "v/", "-v/l", "v/..", "v l/m",
					   "v/l raw", "v/l:", "v/l:/", "v/l:/a/../b", "v/l:/a qcow3",
					   "v/l:/a b.img", "v/l:a", "/dev/../v", "/dev/", ":/a",
					   "UUID=1" };
	struct settings s;
	char file[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct guest_disk *d;

		snprintf(file, sizeof(file), "[guest g]\ndisk = %s", good[i].text);
		read_good(&s, file, "");
		d = &s.guests[0].disks[0];
		assert_string_equal(d->volume, good[i].volume);
		assert_string_equal(d->path ? d->path : "-", good[i].path ? good[i].path : "-");
		assert_string_equal(d->format ? d->format : "-",
				    good[i].format ? good[i].format : "-");
		settings_free(&s);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(file, sizeof(file), "[guest g]\ndisk = %s\ndisk = other/one", bad[i]);
		read_text(&s, file, "");
		if (s.n_faults != 1 || s.guests[0].n_disks != 1)
			fail_msg("disk = %s is taken", bad[i]);
		settings_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(reports),
		cmocka_unit_test(guest_disks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
