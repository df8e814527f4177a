/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image's side of arming: which sweep has the host's leave, and that a token is good for one. */
/* link: -Wl,--wrap=hostwalk_find */
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

#include "armed.h"
#include "configset.h"
#include "file.h"
#include "grubenv.h"
#include "hostwalk.h"
#include "plan.h"

struct node *__wrap_hostwalk_find(struct walk *w, const char *spec, bool with_lvs, struct err *e);

static struct node boot = { .device = "/dev/boot" };

/* The only filesystem there is. */
struct node *__wrap_hostwalk_find(struct walk *w, const char *spec, bool with_lvs, struct err *e)
{
	(void)w;
	(void)with_lvs;
	if (strcmp(spec, "UUID=12-34") == 0)
		return &boot;
	err_set(e, ENODEV, "%s is on no disk of this host", spec);
	return NULL;
}

static char root[] = "/tmp/guestsweep-test.XXXXXX";
static char report[PATH_MAX];
static char plan[PLAN_MAX];
static struct secret *key;

static void put(const char *name, const void *bytes, size_t size)
{
	char path[PATH_MAX], folder[PATH_MAX];
	struct err e;

	snprintf(path, sizeof(path), "%s%s", root, name);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	assert_int_equal(file_mkdirs(folder, &e), 0);
	unlink(path);
	assert_int_equal(file_write(path, bytes, size, &e), 0);
}

static bool has(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", root, name);
	return access(path, F_OK) == 0;
}

static void take_away(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", root, name);
	unlink(path);
}

/* An installed image that was handed a configuration with its plan, and the same plan on the report filesystem. */
static int armed_host(void **state)
{
	static const uint8_t salt[PLAN_SALT_SIZE] = { 9 };
	uint8_t public_key[PLAN_KEY_SIZE];
	struct plan p = { .token = "00112233445566778899aabbccddeeff", .host = "00112233445566778899aabbccddeeff",
			  .way = "grub", .grubenv = "UUID=12-34:/grub/grubenv" };
	struct configset set;
	struct err e;

	(void)state;
	strcpy(root, "/tmp/guestsweep-test.XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(report, sizeof(report), "%s/report", root);
	put("/etc/guestsweep/sweep.conf", "[sweep]\n", 8);
	put("/etc/guestsweep/keys/a", "key", 3);
	assert_int_equal(configset_list(&set, root, true, &e), 0);
	assert_int_equal(configset_digest(&set, root, salt, p.config, &e), 0);
	configset_free(&set);
	memset(p.image, '0', 64);
	key = secret_new(PLAN_KEY_SIZE, &e);
	plan_public_key(key, public_key);
	assert_int_equal(plan_sign(&p, key, plan, &e), 0);
	put(PLAN_PATH, plan, strlen(plan));
	put(PLAN_SALT_PATH, salt, sizeof(salt));
	put(HOST_PUBLIC_PATH, public_key, sizeof(public_key));
	put("/report/" PLAN_FILE, plan, strlen(plan));
	return 0;
}

static int drop(void **state)
{
	char command[PATH_MAX];

	(void)state;
	secret_free(key);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

/* The sweep's own order; refused with these words, or allowed where they are NULL. */
static void sweep(const char *refused)
{
	struct err e = { 0 };

	(void)!armed_begin(root, &e);
	(void)!armed_take(report, &e);
	if (!refused) {
		assert_int_equal(armed_may_sweep(&e), 0);
		return;
	}
	assert_int_equal(armed_may_sweep(&e), -EPERM);
	assert_string_equal(e.word, "plan-refused");
	if (!strstr(e.text, refused))
		fail_msg("%s, not: %s", e.text, refused);
}

static void once_and_not_twice(void **state)
{
	(void)state;
	put("/report/" PLAN_REFUSED_FILE, "old\n", 4);
	sweep(NULL);
	assert_false(has("/report/" PLAN_FILE));
	assert_true(has("/report/" PLAN_USED_FILE));
	assert_false(has("/report/" PLAN_REFUSED_FILE));
	sweep("the plan's token was used already");
	assert_true(has("/report/" PLAN_REFUSED_FILE));
}

static void disarmed(void **state)
{
	(void)state;
	take_away("/report/" PLAN_FILE);
	sweep("the report filesystem has no such plan");
	put("/report/" PLAN_FILE, "another", 7);
	sweep("the report filesystem has no such plan");
	assert_true(has("/report/" PLAN_FILE));
}

static void without_a_report_filesystem(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(armed_begin(root, &e), 0);
	assert_int_equal(armed_may_sweep(&e), -EPERM);
	assert_non_null(strstr(e.text, "could not be struck off"));
}

static void changed_on_the_way(void **state)
{
	(void)state;
	put("/etc/guestsweep/keys/a", "yek", 3);
	sweep("the configuration is not the one that this host signed");
	put("/etc/guestsweep/keys/a", "key", 3);
	put("/etc/guestsweep/keys/b", "key", 3);
	sweep("the configuration is not the one that this host signed");
	take_away("/etc/guestsweep/keys/b");
	take_away(PLAN_SALT_PATH);
	sweep("the plan's salt is missing");
	assert_true(has("/report/" PLAN_FILE));
}

static void another_host_s_plan(void **state)
{
	static const uint8_t stranger[PLAN_KEY_SIZE] = { 4, 5, 6 };

	(void)state;
	put(HOST_PUBLIC_PATH, stranger, sizeof(stranger));
	sweep("the plan: this host has not signed it");
	put(PLAN_PATH, "x", 1);
	sweep("the plan: it is no plan of guestsweep's");
	put(HOST_PUBLIC_PATH, stranger, 5);
	sweep("public key in this image is damaged");
	take_away(HOST_PUBLIC_PATH);
	sweep("this image was not installed on a host");
	assert_true(has("/report/" PLAN_FILE));
}

static void a_stranger_s_configuration(void **state)
{
	(void)state;
	take_away(PLAN_PATH);
	take_away(PLAN_SALT_PATH);
	sweep("a configuration without a plan of this host's was handed over");
	assert_true(has("/report/" PLAN_REFUSED_FILE));
}

static void by_hand(void **state)
{
	(void)state;
	take_away(PLAN_PATH);
	take_away(PLAN_SALT_PATH);
	take_away(HOST_PUBLIC_PATH);
	sweep(NULL);
	assert_true(has("/report/" PLAN_FILE));
	assert_false(has("/report/" PLAN_REFUSED_FILE));
}

#define NEXT "# GRUB Environment Block\nsaved_entry=0\nnext_entry=guestsweep>guestsweep-armed\n####"

/* The report lies on the boot filesystem. */
static bool clears_grub(void)
{
	struct mounted m = { .device = "/dev/boot" };
	char path[PATH_MAX], value[64], *text;
	struct walk w = { 0 };
	struct err e;
	size_t size;
	int rc;

	snprintf(m.folder, sizeof(m.folder), "%s/report", root);
	put("/report/grub/grubenv", NEXT, strlen(NEXT));
	armed_clear_grub(&w, &m);
	snprintf(path, sizeof(path), "%s/report/grub/grubenv", root);
	assert_int_equal(file_read(path, GRUBENV_MAX, &text, &size, &e), 0);
	assert_int_equal(size, strlen(NEXT));
	rc = grubenv_get(text, size, "next_entry", value, sizeof(value));
	assert_int_equal(rc, 0);
	assert_non_null(strstr(text, "saved_entry=0\n"));
	free(text);
	return !value[0];
}

static void grub_s_choice_is_taken_back(void **state)
{
	static const uint8_t stranger[PLAN_KEY_SIZE] = { 4, 5, 6 };

	(void)state;
	sweep(NULL);
	assert_true(clears_grub());
	sweep("the plan's token was used already");
	assert_true(clears_grub());
	put(HOST_PUBLIC_PATH, stranger, sizeof(stranger));
	sweep("this host has not signed it");
	assert_false(clears_grub());
}

static void from_the_boot_menu(void **state)
{
	(void)state;
	take_away(PLAN_PATH);
	take_away(PLAN_SALT_PATH);
	take_away("/etc/guestsweep/sweep.conf");
	take_away("/etc/guestsweep/keys/a");
	sweep(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(once_and_not_twice, armed_host, drop),
		cmocka_unit_test_setup_teardown(disarmed, armed_host, drop),
		cmocka_unit_test_setup_teardown(without_a_report_filesystem, armed_host, drop),
		cmocka_unit_test_setup_teardown(changed_on_the_way, armed_host, drop),
		cmocka_unit_test_setup_teardown(another_host_s_plan, armed_host, drop),
		cmocka_unit_test_setup_teardown(a_stranger_s_configuration, armed_host, drop),
		cmocka_unit_test_setup_teardown(by_hand, armed_host, drop),
		cmocka_unit_test_setup_teardown(grub_s_choice_is_taken_back, armed_host, drop),
		cmocka_unit_test_setup_teardown(from_the_boot_menu, armed_host, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
