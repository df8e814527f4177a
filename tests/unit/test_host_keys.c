/* SPDX-License-Identifier: GPL-2.0-or-later */
/* preflight's keys, on real LUKS headers in files: which opens, which does not, and not a byte is written. And guests that
 * don't shut down: the wait for them has an end. */
/* link: -Wl,--wrap=nanosleep,--wrap=host_run */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootway.h"
#include "crypttab_parse.h"
#include "file.h"
#include "guests.h"
#include "host.h"
#include "plan.h"
#include "preflight.h"
#include "settings_parse.h"

#define VOLUME_SIZE (20 << 20)

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
int __wrap_host_run(const char *const argv[], unsigned timeout_s, char **out, struct err *e);

static char root[] = "/tmp/guestsweep-test.XXXXXX";
static int naps;

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)wanted;
	(void)left;
	naps++;
	return 0;
}

/* A libvirt with one guest, which is on and stays so. */
int __wrap_host_run(const char *const argv[], unsigned timeout_s, char **out, struct err *e)
{
	(void)timeout_s;
	(void)e;
	assert_string_equal(argv[0], "virsh");
	assert_string_not_equal(argv[3], "destroy");
	if (out)
		*out = strdup(strcmp(argv[3], "list") == 0 ? "stubborn\n\n" : "running\n\n");
	return 0;
}

static void put(const char *name, const char *text, mode_t mode)
{
	char path[PATH_MAX], folder[PATH_MAX];
	struct err e;

	snprintf(path, sizeof(path), "%s%s", root, name);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	assert_int_equal(file_mkdirs(folder, &e), 0);
	unlink(path);
	assert_int_equal(file_write(path, text, strlen(text), &e), 0);
	chmod(path, mode);
}

/* A LUKS volume whose passphrase is "secret". argon2_kib 0: by PBKDF2. */
static void make_volume(const char *name, const char *type, uint32_t argon2_kib)
{
	const struct crypt_pbkdf_type pbkdf = {
		.type = argon2_kib ? CRYPT_KDF_ARGON2ID : CRYPT_KDF_PBKDF2, .hash = "sha256",
		.iterations = argon2_kib ? 4 : 1000, .time_ms = 1, .max_memory_kb = argon2_kib,
		.parallel_threads = argon2_kib ? 1 : 0, .flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_device *cd;
	char path[PATH_MAX];

	put(name, "", 0600);
	snprintf(path, sizeof(path), "%s%s", root, name);
	assert_int_equal(truncate(path, VOLUME_SIZE), 0);
	assert_int_equal(crypt_init(&cd, path), 0);
	crypt_metadata_locking(NULL, 0);
	assert_int_equal(crypt_set_pbkdf_type(cd, &pbkdf), 0);
	assert_int_equal(crypt_format(cd, type, "aes", "xts-plain64", NULL, NULL, 32, NULL), 0);
	assert_int_equal(crypt_keyslot_add_by_volume_key(cd, CRYPT_ANY_SLOT, NULL, 0, "secret", 6), 0);
	crypt_free(cd);
	chmod(path, 0400);
}

static int make_root(void **state)
{
	(void)state;
	if (!mkdtemp(root) || setenv("GUESTSWEEP_ROOT", root, 1) < 0)
		return -1;
	put("/proc/meminfo", "MemTotal: 4000000 kB\nMemAvailable: 2000000 kB\n", 0644);
	put("/etc/guestsweep/keys/good", "secret", 0600);
	put("/etc/guestsweep/keys/wrong", "another", 0600);
	put("/etc/guestsweep/keys/empty", "", 0600);
	make_volume("/dev/vg/one", CRYPT_LUKS1, 0);
	make_volume("/dev/vg/two", CRYPT_LUKS2, 0);
	make_volume("/dev/vg/argon2", CRYPT_LUKS2, 32 << 10);
	put("/dev/vg/none", "no header", 0600);
	return 0;
}

static int drop_root(void **state)
{
	char command[PATH_MAX];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

/* Runs preflight's keys with a crypttab of one line. */
static void expect(const char *line, const struct bootway *way, enum item_state state, const char *part)
{
	struct preflight p = { 0 };
	char folder[PATH_MAX];
	struct err e;

	assert_int_equal(settings_defaults(&p.settings, &e), 0);
	assert_int_equal(crypttab_parse(&p.crypttab, host_path(folder, "%s", CONFIG_FOLDER_PATH), line,
					strlen(line), &p.settings, &e), 0);
	assert_int_equal(p.crypttab.n, 1);
	pre_keys(&p, way);
	assert_int_equal(p.n, 2);
	if (p.item[0].state != state || !strstr(p.item[0].text, part))
		fail_msg("%s: %s: %s", line, item_state_name(p.item[0].state), p.item[0].text);
	preflight_free(&p);
}

static void sum(const char *name, char *hex)
{
	char path[PATH_MAX], *text;
	size_t size;
	struct err e;

	assert_int_equal(file_read(host_path(path, "%s", name), VOLUME_SIZE, &text, &size, &e), 0);
	sha256_hex(text, size, hex);
	free(text);
}

static void which_key_opens(void **state)
{
	char one[65], two[65], after[65];

	(void)state;
	sum("/dev/vg/one", one);
	sum("/dev/vg/two", two);
	expect("a vg/one keys/good", &bootway_kexec, ITEM_OK, "keys/good opens it");
	expect("a vg/two keys/good", &bootway_kexec, ITEM_OK, "keys/good opens it");
	expect("a vg/two keys/good luks,key-slot=0", &bootway_kexec, ITEM_OK, "opens it");
	expect("a vg/two keys/good luks,key-slot=1", &bootway_kexec, ITEM_FAIL, "no key slot");
	expect("a vg/one keys/wrong", &bootway_kexec, ITEM_FAIL, "no key slot of it opens with");
	expect("a vg/two keys/wrong luks,nofail", &bootway_kexec, ITEM_WARN, "no key slot of it opens with");
	expect("a vg/one keys/empty", &bootway_kexec, ITEM_FAIL, "is empty");
	expect("a vg/one keys/none", &bootway_kexec, ITEM_FAIL, "No such file");
	expect("a vg/none keys/good", &bootway_kexec, ITEM_FAIL, "header can't be read");
	expect("a vg/one keys/good", &bootway_grub, ITEM_FAIL, "in the clear");
	expect("a vg/one none", &bootway_grub, ITEM_WARN, "typed");
	expect("a vg/one k:LABEL=STICK", &bootway_grub, ITEM_OK, "LABEL=STICK");
	sum("/dev/vg/one", after);
	assert_string_equal(one, after);
	sum("/dev/vg/two", after);
	assert_string_equal(two, after);
}

/* libcryptsetup would write the primary header anew, just for trying. */
static void a_damaged_header_stays_damaged(void **state)
{
	char path[PATH_MAX], before[65], after[65];
	int fd;

	(void)state;
	fd = open(host_path(path, "/dev/vg/two"), O_WRONLY);
	assert_int_equal(pwrite(fd, "\0\0\0\0\0\0", 6, 0), 6);
	close(fd);
	sum("/dev/vg/two", before);
	expect("a vg/two keys/good", &bootway_kexec, ITEM_OK, "opens it");
	expect("a vg/two keys/wrong", &bootway_kexec, ITEM_FAIL, "no key slot");
	sum("/dev/vg/two", after);
	assert_string_equal(before, after);
}

static void memory_for_argon2(void **state)
{
	static const char line[] = "a vg/argon2 keys/good";
	struct preflight p = { 0 };
	char folder[PATH_MAX];
	struct err e;

	(void)state;
	expect(line, &bootway_kexec, ITEM_OK, "opens it");
	put("/proc/meminfo", "MemTotal: 4000000 kB\nMemAvailable: 30000 kB\n", 0644);
	expect(line, &bootway_kexec, ITEM_WARN, "its key was not tried: that takes 32 MiB, 29 MiB are available now");
	put("/proc/meminfo", "MemTotal: 540000 kB\nMemAvailable: 400000 kB\n", 0644);
	assert_int_equal(settings_defaults(&p.settings, &e), 0);
	assert_int_equal(crypttab_parse(&p.crypttab, host_path(folder, "%s", CONFIG_FOLDER_PATH), line,
					strlen(line), &p.settings, &e), 0);
	pre_keys(&p, &bootway_kexec);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.item[1].state, ITEM_FAIL);
	assert_non_null(strstr(p.item[1].text, "Argon2 needs 32 MiB, this machine has 527 MiB"));
	preflight_free(&p);
}

static void a_guest_that_stays_on(void **state)
{
	struct settings s = { 0 };
	struct err e;

	(void)state;
	put("/usr/bin/virsh", "", 0755);
	assert_int_equal(guests_shut_down(&s, &e), -ETIME);
	assert_string_equal(e.text, "guest stubborn is still on 300 s after it was asked to shut down");
	assert_int_equal(naps, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_key_opens),
		cmocka_unit_test(a_damaged_header_stays_damaged),
		cmocka_unit_test(memory_for_argon2),
		cmocka_unit_test(a_guest_that_stays_on),
	};

	return cmocka_run_group_tests(tests, make_root, drop_root);
}
