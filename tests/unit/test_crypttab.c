/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crypttab: what is read, what is refused and how, and which entry opens what. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypttab.h"
#include "crypttab_parse.h"
#include "settings_parse.h"

#define ENDS "; the sweep runs read-only"
#define DIR_NAME "/etc/guestsweep"

static void read_bytes(struct crypttab *t, struct settings *s, const char *text, size_t size)
{
	struct err e;

	*t = (struct crypttab){ 0 };
	assert_int_equal(settings_defaults(s, &e), 0);
	assert_int_equal(crypttab_parse(t, DIR_NAME, text, size, s, &e), 0);
}

static void read_good(struct crypttab *t, const char *text)
{
	struct settings s;

	read_bytes(t, &s, text, strlen(text));
	if (s.n_faults)
		fail_msg("unexpected: %s", s.faults[0].text);
	assert_int_equal(s.mode, MODE_PREEN);
	settings_free(&s);
}

static void an_admins_file(void **state)
{
	const struct crypttab_entry *c;
	struct crypttab t;

	(void)state;
	read_good(&t, "# name device key options\r\n"
		      "\n"
		      "  # indented\n"
		      "imap\tvolgrp4/lvimap_hd0  keys/imap  luks,discard,key-slot=3,tries=1\r\n"
		      "web /dev/volgrp4/lvweb none luks,timeout=90s,readonly,nofail\n"
		      "db UUID=0D1E-f2\n"
		      "mail /dev/mapper/vg--a-lv--b - keyfile-size=64,keyfile-offset=512\n"
		      "md /dev/md/0 /root/k header=headers/md,timeout=2m,tries=0\n"
		      "apart vg/lv /root/k header=/dev/mapper/vg-header");
	assert_int_equal(t.n, 6);
	c = &t.entry[0];
	assert_string_equal(c->name, "imap");
	assert_string_equal(c->device, "volgrp4/lvimap_hd0");
	assert_string_equal(c->key_file, DIR_NAME "/keys/imap");
	assert_null(c->key_device);
	assert_null(c->header);
	assert_true(c->discard);
	assert_false(c->readonly || c->nofail);
	assert_int_equal(c->key_slot, 3);
	assert_int_equal(c->tries, 1);
	assert_int_equal(c->line, 4);
	c = &t.entry[1];
	assert_string_equal(c->device, "volgrp4/lvweb");
	assert_null(c->key_file);
	assert_int_equal(c->timeout_s, 90);
	assert_true(c->readonly && c->nofail && !c->discard);
	c = &t.entry[2];
	assert_string_equal(c->device, "UUID=0D1E-f2");
	assert_null(c->key_file);
	assert_int_equal(c->key_slot, -1);
	assert_int_equal(c->tries, 3);
	assert_int_equal(c->timeout_s, 300);
	assert_int_equal(c->keyfile_size, 0);
	c = &t.entry[3];
	assert_string_equal(c->device, "vg-a/lv-b");
	assert_null(c->key_file);
	assert_int_equal(c->keyfile_size, 64);
	assert_int_equal(c->keyfile_offset, 512);
	c = &t.entry[4];
	assert_string_equal(c->device, "/dev/md/0");
	assert_string_equal(c->key_file, "/root/k");
	assert_string_equal(c->header, DIR_NAME "/headers/md");
	assert_null(c->header_device);
	assert_int_equal(c->timeout_s, 120);
	assert_int_equal(c->tries, 0);
	c = &t.entry[5];
	assert_string_equal(c->header_device, "vg/header");
	assert_null(c->header);
	crypttab_free(&t);
}

static void keys_on_a_stick(void **state)
{
	struct crypttab t;

	(void)state;
	read_good(&t, "a v/a /keys/a:LABEL=STICK\nb v/b keys/b:UUID=12-34\nc v/c /k:x=1");
	assert_string_equal(t.entry[0].key_file, "/keys/a");
	assert_string_equal(t.entry[0].key_device, "LABEL=STICK");
	assert_string_equal(t.entry[1].key_file, "/keys/b");
	assert_string_equal(t.entry[1].key_device, "UUID=12-34");
	assert_string_equal(t.entry[2].key_file, "/k:x=1");
	assert_null(t.entry[2].key_device);
	crypttab_free(&t);
}

static void vaults(void **state)
{
	struct crypttab t;

	(void)state;
	read_good(&t, "web lvg2/web /web:/dev/mapper/vault\nvault lvg0/vault none\n"
		      "crm lvg2/crm /keys/crm:/dev/mapper/small\nsmall /vault.luks:LABEL=STICK none\n"
		      "db lvg2/db /db:/dev/mapper/packed\npacked /etc/guestsweep/packed.luks -");
	assert_int_equal(t.n, 6);
	assert_string_equal(t.entry[0].key_file, "/web");
	assert_string_equal(t.entry[0].key_device, "/dev/mapper/vault");
	assert_null(t.entry[1].file);
	assert_string_equal(t.entry[3].file, "/vault.luks");
	assert_string_equal(t.entry[3].file_device, "LABEL=STICK");
	assert_string_equal(t.entry[5].file, "/etc/guestsweep/packed.luks");
	assert_null(t.entry[5].file_device);
	crypttab_free(&t);
}

static void options_without_meaning_here(void **state)
{
	struct crypttab t;

	(void)state;
	read_good(&t, "a v/a none luks,noauto,noearly,tries=5,initramfs,x-systemd.device-timeout=0,"
		      "x-initrd.attach,_netdev,nofail,discard,read-only,no-read-workqueue,"
		      "no-write-workqueue,same-cpu-crypt,submit-from-crypt-cpus,loud,quiet,");
	assert_int_equal(t.n, 1);
	assert_int_equal(t.entry[0].tries, 5);
	assert_true(t.entry[0].readonly);
	crypttab_free(&t);
}

static const struct {
	const char *text, *fault;
} bad[] = {
	{ "a", "1: the line has no device; it takes NAME DEVICE KEYFILE OPTIONS" },
	{ "a v/a none luks x", "1: the line has more than four fields; it takes NAME DEVICE KEYFILE "
			       "OPTIONS" },
	{ "a/b v/a", "1: a volume's name has no \"/\", unlike \"a/b\"" },
	{ "a sda2", "1: \"sda2\" is neither VG/LV nor /dev/NAME" },
	{ "a LABEL=x", "1: \"LABEL=x\" is neither VG/LV, /dev/NAME nor UUID=" },
	{ "a UUID=", "1: \"\" is not a UUID" },
	{ "a UUID=../x", "1: \"../x\" is not a UUID" },
	{ "a /dev/../sda", "1: \"/dev/../sda\" is not the path of a device" },
	{ "\n\na v/a ../key", "3: key file: \"../key\" is not the path of a file (without \"..\")" },
	{ "a v/a keys/../../x", "1: key file: \"keys/../../x\" is not the path of a file (without "
				"\"..\")" },
	{ "a v/a /", "1: key file: \"/\" is not the path of a file (without \"..\")" },
	{ "a v/a /../k:LABEL=x", "1: key file: \"/../k\" is not the path of a file (without \"..\")" },
	{ "a v/a /k:LABEL=", "1: key file: \"LABEL=\" names no filesystem" },
	{ "a v/a /k:/dev/mapper/v", "1: key file: no line opens \"/dev/mapper/v\" with a key of its own" },
	{ "a v/a /k:/dev/mapper/", "1: key file: \"/dev/mapper/\" names no filesystem" },
	{ "a v/a /k:/dev/mapper/a", "1: key file: no line opens \"/dev/mapper/a\" with a key of its own" },
	{ "a /x/a none", "1: \"/x/a\" is a file, and no line has its key file in there" },
	{ "a /x/../a none", "1: \"/x/../a\" is not the path of a file (without \"..\")" },
	{ "a v/a none header=../h", "1: header: \"../h\" is not the path of a file (without \"..\")" },
	{ "a v/a none header", "1: header: there is no such option" },
	{ "a v/a none lukz", "1: lukz: there is no such option" },
	{ "a v/a none discard=no", "1: discard: there is no such option with a value" },
	{ "a v/a none tries", "1: tries: there is no such option" },
	{ "a v/a none tries=x", "1: tries: \"x\" is not a number from 0 to 1000" },
	{ "a v/a none key-slot=32", "1: key-slot: \"32\" is not a number from 0 to 31" },
	{ "a v/a none key-slot=", "1: key-slot: \"\" is not a number from 0 to 31" },
	{ "a v/a none keyfile-size=0", "1: keyfile-size: \"0\" is not a number from 1 to 8388608" },
	{ "a v/a none keyfile-offset=-1",
	  "1: keyfile-offset: \"-1\" is not a number from 0 to 9223372036854775807" },
	{ "a v/a none timeout=1x", "1: timeout: \"1x\" is not a time from 0s to 86400s, like 90s, 45m, "
				   "4h or 1h30m" },
	{ "a v/a none luks,keyscript=/bin/x",
	  "1: keyscript: no scripts are run here, name a key file instead" },
	{ "a v/a /dev/urandom swap", "1: swap: only LUKS volumes are opened here" },
	{ "a v/a none tmp=ext4", "1: tmp: only LUKS volumes are opened here" },
	{ "a v/a none plain", "1: plain: only LUKS volumes are opened here" },
	{ "a v/a none tcrypt", "1: tcrypt: only LUKS volumes are opened here" },
	{ "a v/a none bitlk", "1: bitlk: only LUKS volumes are opened here" },
	{ "a v/a none \x1b[1m", "1: \\x1b[1m: there is no such option" },
};

/* A faulty line is left out and named; the others stand. */
static void faults(void **state)
{
	char text[200], expected[ERR_TEXT_MAX];
	struct settings s;
	struct crypttab t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "%s\ngood good/good\n", bad[i].text);
		snprintf(expected, sizeof(expected), "crypttab:%s" ENDS, bad[i].fault);
		read_bytes(&t, &s, text, strlen(text));
		if (s.n_faults != 1)
			fail_msg("%zu faults instead of: %s", s.n_faults, expected);
		assert_string_equal(s.faults[0].text, expected);
		assert_int_equal(settings_mode(&s, NULL), MODE_CHECK);
		assert_int_equal(t.n, 1);
		assert_string_equal(t.entry[0].name, "good");
		crypttab_free(&t);
		settings_free(&s);
	}
}

static void assert_second_refused(const char *text, size_t size, const char *expected)
{
	struct settings s;
	struct crypttab t;

	read_bytes(&t, &s, text, size);
	assert_int_equal(t.n, 1);
	assert_int_equal(s.n_faults, 1);
	assert_string_equal(s.faults[0].text, expected);
	crypttab_free(&t);
	settings_free(&s);
}

static void volumes_that_stand_twice(void **state)
{
	static const char same_name[] = "a v/a\n\na v/b\n", same_device[] = "a v/a\nb /dev/v/a\n",
			  same_uuid[] = "a UUID=ab\nb /dev/disk/by-uuid/AB\n",
			  nul[] = "a v/a\nb v/b\0none";

	(void)state;
	assert_second_refused(same_name, strlen(same_name),
			      "crypttab:3: \"a\" stands in line 1 already" ENDS);
	assert_second_refused(same_device, strlen(same_device),
			      "crypttab:2: \"v/a\" stands in line 1 already" ENDS);
	assert_second_refused(same_uuid, strlen(same_uuid),
			      "crypttab:2: \"UUID=AB\" stands in line 1 already" ENDS);
	assert_second_refused(nul, sizeof(nul) - 1,
			      "crypttab:2: there is a NUL byte in the line" ENDS);
}

static void finding(void **state)
{
	struct crypttab t;

	(void)state;
	read_good(&t, "a UUID=abCD-01\nb v/b\nc /dev/sda2\n");
	assert_ptr_equal(crypttab_find(&t, "v/b", NULL), &t.entry[1]);
	assert_ptr_equal(crypttab_find(&t, "/dev/sda2", "x"), &t.entry[2]);
	assert_ptr_equal(crypttab_find(&t, NULL, "ABcd-01"), &t.entry[0]);
	assert_ptr_equal(crypttab_find(&t, "v/b", "abcd-01"), &t.entry[1]); /* the name first */
	assert_ptr_equal(crypttab_find(&t, "v/x", "abcd-01"), &t.entry[0]);
	assert_null(crypttab_find(&t, "v/B", "abcd"));
	assert_null(crypttab_find(&t, NULL, NULL));
	crypttab_free(&t);
}

static void from_a_folder(void **state)
{
	char dir[] = "/tmp/test_crypttab.XXXXXX", path[100];
	struct settings s;
	struct crypttab t;
	struct err e;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(settings_defaults(&s, &e), 0);
	assert_int_equal(crypttab_load(&t, dir, &s, &e), 0);
	assert_int_equal(t.n, 0);

	snprintf(path, sizeof(path), "%s/crypttab", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("a v/a keys/a\n", f);
	fclose(f);
	assert_int_equal(crypttab_load(&t, dir, &s, &e), 0);
	assert_int_equal(t.n, 1);
	snprintf(path, sizeof(path), "%s/keys/a", dir);
	assert_string_equal(t.entry[0].key_file, path);
	assert_int_equal(s.n_faults, 0);
	crypttab_free(&t);

	snprintf(path, sizeof(path), "%s/crypttab", dir);
	unlink(path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(crypttab_load(&t, dir, &s, &e), 0);
	assert_int_equal(t.n, 0);
	assert_int_equal(s.n_faults, 1);
	assert_non_null(strstr(s.faults[0].text, "crypttab: "));
	rmdir(path);
	rmdir(dir);
	settings_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_admins_file),
		cmocka_unit_test(keys_on_a_stick),
		cmocka_unit_test(vaults),
		cmocka_unit_test(options_without_meaning_here),
		cmocka_unit_test(faults),
		cmocka_unit_test(volumes_that_stand_twice),
		cmocka_unit_test(finding),
		cmocka_unit_test(from_a_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
