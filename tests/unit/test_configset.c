/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files are the configuration, and that its digest heeds every one of them. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "configset.h"
#include "file.h"

static char root[] = "/tmp/guestsweep-test.XXXXXX";
static const uint8_t salt[PLAN_SALT_SIZE] = { 1 };

static void put(const char *name, const char *text)
{
	char path[PATH_MAX], folder[PATH_MAX];
	struct err e;

	snprintf(path, sizeof(path), "%s%s", root, name);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	assert_int_equal(file_mkdirs(folder, &e), 0);
	unlink(path);
	assert_int_equal(file_write(path, text, strlen(text), &e), 0);
}

static int make_root(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	put("/etc/guestsweep/sweep.conf", "[sweep]\nmode = check\n");
	put("/etc/guestsweep/crypttab", "a vg/a keys/a\nb vg/b /root/b luks,header=/boot/h\n"
					"c vg/c c.key:LABEL=STICK\nd vg/d secret-d\n");
	put("/etc/guestsweep/keys/a", "key a");
	put("/etc/guestsweep/secret-d", "key d");
	put("/etc/guestsweep/host.key", "private");
	put("/etc/guestsweep/host.pub", "public");
	put("/etc/guestsweep/plan", "plan");
	put("/root/b", "key b");
	put("/root/other", "nobody's");
	put("/boot/h", "header");
	return 0;
}

static int drop_root(void **state)
{
	char command[PATH_MAX];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void listed(bool with_keys, const char *expected)
{
	char all[1024] = "";
	struct configset s;
	struct err e;
	size_t i;

	assert_int_equal(configset_list(&s, root, with_keys, &e), 0);
	for (i = 0; i < s.n; i++) {
		strcat(all, s.path[i]);
		strcat(all, "\n");
	}
	assert_string_equal(all, expected);
	configset_free(&s);
}

static void which_files(void **state)
{
	(void)state;
	listed(true, "/boot/h\n/etc/guestsweep/crypttab\n/etc/guestsweep/keys/a\n/etc/guestsweep/secret-d\n"
		     "/etc/guestsweep/sweep.conf\n/root/b\n");
	listed(false, "/boot/h\n/etc/guestsweep/crypttab\n/etc/guestsweep/sweep.conf\n");
}

static void digest(char *hex)
{
	struct configset s;
	struct err e;

	assert_int_equal(configset_list(&s, root, true, &e), 0);
	assert_int_equal(configset_digest(&s, root, salt, hex, &e), 0);
	configset_free(&s);
}

static void every_file_counts(void **state)
{
	static const char *const files[] = { "/etc/guestsweep/keys/a", "/root/b", "/boot/h",
					     "/etc/guestsweep/sweep.conf" };
	char before[65], after[65], path[PATH_MAX], *text;
	struct err e;
	size_t i;

	(void)state;
	digest(before);
	put("/etc/guestsweep/plan", "another");
	digest(after);
	assert_string_equal(before, after);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s%s", root, files[i]);
		assert_int_equal(file_read(path, 100, &text, NULL, &e), 0);
		put(files[i], "changed");
		digest(after);
		assert_string_not_equal(before, after);
		put(files[i], text);
		free(text);
	}
	digest(after);
	assert_string_equal(before, after);
	put("/etc/guestsweep/added", "");
	digest(after);
	assert_string_not_equal(before, after);
}

static void links_are_refused(void **state)
{
	char path[PATH_MAX];
	struct configset s;
	struct err e;

	(void)state;
	snprintf(path, sizeof(path), "%s/etc/guestsweep/link", root);
	assert_int_equal(symlink("/etc/shadow", path), 0);
	assert_int_equal(configset_list(&s, root, true, &e), -EINVAL);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_files),
		cmocka_unit_test(every_file_counts),
		cmocka_unit_test(links_are_refused),
	};

	return cmocka_run_group_tests(tests, make_root, drop_root);
}
