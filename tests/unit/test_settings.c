/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sweep.conf: what is read, how what is wrong is said, and what follows from it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settings_helpers.h"

#define TEXT(s) (s), sizeof(s) - 1 /* with the NUL bytes inside */

static void defaults(void **state)
{
	struct settings s;

	(void)state;
	read_good(&s, "", "");
	assert_int_equal(s.mode, MODE_PREEN);
	assert_int_equal(s.after, AFTER_REBOOT);
	assert_int_equal(s.undo, UNDO_AUTO);
	assert_int_equal(s.deadline_s, 14400);
	assert_int_equal(s.jobs, 0);
	assert_int_equal(s.settle_s, 30);
	assert_string_equal(s.report_device, "LABEL=GSREPORT");
	assert_string_equal(s.report_folder, "/");
	assert_false(s.report_named);
	assert_int_equal(s.images.n, 6);
	assert_string_equal(s.images.item[5], "*.vhdx");
	assert_int_equal(s.ignore.n + s.only.n + s.n_guests, 0);
	settings_free(&s);
}

/* CONTRACT section 3, word for word. */
static const char contract[] =
	"[sweep]\n"
	"mode      = preen            ; list | check | preen | repair\n"
	"after     = reboot           ; reboot | poweroff | kexec | shell\n"
	"deadline  = 4h               ; for the whole sweep; then everything is torn down\n"
	"jobs      = auto             ; parallel checks\n"
	"report    = LABEL=GSREPORT:/ ; filesystem and folder for the reports\n"
	"undo      = auto             ; off | auto | required\n"
	"images    = *.qcow2 *.raw *.img *.vmdk *.vdi *.vhdx ; what counts as a disk image\n"
	"ignore    = lvg0/swap lvg0/scratch                  ; volumes to leave alone\n"
	"\n"
	"[guest imap]                 ; optional: names a guest's disks and overrides\n"
	"disk      = volgrp4/lvimap_hd0\n"
	"disk      = volssd10/kvmos:/os43.qcow2 qcow2      ; a file on a host volume\n"
	"mode      = check\n";

static void the_contracts_sample(void **state)
{
	struct settings s;
	const struct guest *g;

	(void)state;
	read_good(&s, contract, "");
	assert_int_equal(settings_mode(&s, NULL), MODE_PREEN);
	assert_true(s.report_named);
	assert_int_equal(s.ignore.n, 2);
	assert_true(words_have(&s.ignore, "lvg0/scratch"));
	assert_false(words_have(&s.ignore, "lvg0"));
	g = settings_guest(&s, "imap");
	assert_non_null(g);
	assert_null(settings_guest(&s, "ima"));
	assert_int_equal(settings_mode(&s, "imap"), MODE_CHECK);
	assert_int_equal(settings_mode(&s, "other"), MODE_PREEN);
	assert_int_equal(g->n_disks, 2);
	assert_string_equal(g->disks[0].volume, "volgrp4/lvimap_hd0");
	assert_null(g->disks[0].path);
	assert_string_equal(g->disks[1].volume, "volssd10/kvmos");
	assert_string_equal(g->disks[1].path, "/os43.qcow2");
	assert_string_equal(g->disks[1].format, "qcow2");
	settings_free(&s);
}

static void saved_guests(void **state)
{
	struct settings s;

	(void)state;
	read_good(&s, "[sweep]\nsaves = v/l:/ /dev/mapper/v-m:/a/b\n[guest a]\ndisk = v/a\nsaved = yes\n"
		  "[guest b]\ndisk = v/b\nsaved = no\n[guest c]\ndisk = v/c\n", "");
	assert_int_equal(s.saves.n, 2);
	assert_string_equal(s.saves.item[0], "v/l:/");
	assert_string_equal(s.saves.item[1], "v/m:/a/b");
	assert_true(settings_guest(&s, "a")->is_saved);
	assert_false(settings_guest(&s, "b")->is_saved);
	assert_false(settings_guest(&s, "c")->is_saved);
	settings_free(&s);
}

/* From an editor on Windows: BOM, CRLF, no newline at the end; indented lines. */
static void other_editors(void **state)
{
	struct settings s;

	(void)state;
	read_good(&s, "\xef\xbb\xbf[sweep]\r\nmode = list\r\n\r\n\t[guest a b]\r\n  disk=v/l\r\n"
		      "# note\r\n ; note\r\n  undo\t=\toff", "");
	assert_int_equal(s.mode, MODE_LIST);
	assert_int_equal(settings_undo(&s, "a b"), UNDO_OFF);
	assert_int_equal(settings_undo(&s, NULL), UNDO_AUTO);
	settings_free(&s);
}

static void line_numbers_with_crlf(void **state)
{
	(void)state;
	assert_only_fault("\xef\xbb\xbf[sweep]\r\n\r\nmdoe = list\r\n", "",
			  "sweep.conf:3: \"mdoe\" is not a key of [sweep] (mode, after, deadline, "
			  "jobs, report, undo, images, ignore, saves)" ENDS);
}

static const struct {
	const char *file, *fault;
} bad_files[] = {
	{ "mode = list", "sweep.conf:1: \"mode\" stands before the first section, [sweep] or "
			 "[guest NAME]" },
	{ "[sweep]\nmode = lst",
	  "sweep.conf:2: mode: \"lst\" is not one of list, check, preen, repair" },
	{ "[sweep]\nmode = list # x",
	  "sweep.conf:2: mode: \"list # x\" is not one of list, check, preen, repair" },
	{ "[sweep]\nafter = halt",
	  "sweep.conf:2: after: \"halt\" is not one of reboot, poweroff, kexec, shell" },
	{ "[sweep]\nundo = on", "sweep.conf:2: undo: \"on\" is not one of off, auto, required" },
	{ "[sweep]\nmode =", "sweep.conf:2: mode: there is no value" },
	{ "[sweep]\nmode = ; list", "sweep.conf:2: mode: there is no value" },
	{ "[sweep]\nmode", "sweep.conf:2: \"mode\" is neither KEY = VALUE nor a section" },
	{ "[sweep]\n= list", "sweep.conf:2: \"\" is not a key of [sweep] (mode, after, deadline, "
			     "jobs, report, undo, images, ignore, saves)" },
	{ "[sweep]\nonly = a", "sweep.conf:2: \"only\" is not a key of [sweep] (mode, after, "
			       "deadline, jobs, report, undo, images, ignore, saves)" },
	{ "[sweep]\nmode = list\nmode = list", "sweep.conf:3: \"mode\" stands twice in this section" },
	{ "\xef\xbb\xbf\xef\xbb\xbf[sweep]",
	  "sweep.conf:1: \"\\xef\\xbb\\xbf[sweep]\" is neither KEY = VALUE nor a section" },
	/* what others take for a continued line */
	{ "[sweep]\nignore = a/b\n  c/d", "sweep.conf:3: \"c/d\" is neither KEY = VALUE nor a section" },
	{ "[sweep]\nignore = a/b/c", "sweep.conf:2: ignore: \"a/b/c\" is neither VG/LV nor /dev/NAME" },
	{ "[sweep]\nignore = /dev/disk/by-id/x",
	  "sweep.conf:2: ignore: \"/dev/disk/by-id/x\" is neither VG/LV nor a disk like sdb" },
	{ "[sweep]\nsaves = v/l", "sweep.conf:2: saves: \"v/l\" is not VG/LV:/FOLDER (without \"..\")" },
	{ "[sweep]\nsaves = v/l:/a/../b",
	  "sweep.conf:2: saves: \"v/l:/a/../b\" is not VG/LV:/FOLDER (without \"..\")" },
	{ "[guest a]\ndisk = v/l\nsaved = 1", "sweep.conf:3: saved: \"1\" is not one of no, yes" },
	{ "[sweep]\nimages = *.img /a/*.raw",
	  "sweep.conf:2: images: \"/a/*.raw\" is a path; a pattern is for the file's name alone" },
	{ "[sweep]\njobs = 0", "sweep.conf:2: jobs: \"0\" is neither auto nor a number from 1 to 64" },
	{ "[sweep]\njobs = 65", "sweep.conf:2: jobs: \"65\" is neither auto nor a number from 1 to 64" },
	{ "[swep]\nmode = list", "sweep.conf:1: [swep] is neither [sweep] nor [guest NAME]" },
	{ "[]", "sweep.conf:1: [] is neither [sweep] nor [guest NAME]" },
	{ "[guest]", "sweep.conf:1: [guest] is neither [sweep] nor [guest NAME]" },
	{ "[guest ]", "sweep.conf:1: [guest] is neither [sweep] nor [guest NAME]" },
	{ "[guests a]", "sweep.conf:1: [guests a] is neither [sweep] nor [guest NAME]" },
	{ "[g a]", "sweep.conf:1: [g a] is neither [sweep] nor [guest NAME]" },
	{ "[sweep", "sweep.conf:1: \"[sweep\" is not a section like [sweep] or [guest NAME]" },
	{ "[sweep] mode = list",
	  "sweep.conf:1: \"[sweep] mode = list\" is not a section like [sweep] or [guest NAME]" },
	{ "[sweep]\n[sweep]\nmode = list", "sweep.conf:2: [sweep] stands twice" },
	{ "[guest a/b]", "sweep.conf:1: a guest's name has no \"/\" and no \",\", unlike \"a/b\"" },
	{ "[guest a,b]", "sweep.conf:1: a guest's name has no \"/\" and no \",\", unlike \"a,b\"" },
	{ "[guest a]\ndisk = v/l\n[guest a]\ndisk = v/m", "sweep.conf:3: [guest a] stands twice" },
	{ "\n[guest a]\nmode = list\n\n", "sweep.conf:2: [guest a] names no disk" },
	{ "[guest a]\n[guest b]\ndisk=v/l", "sweep.conf:1: [guest a] names no disk" },
	{ "[guest a]\ndisk = v/l\nafter = shell",
	  "sweep.conf:3: \"after\" is not a key of [guest a] (disk, mode, undo, saved, deadline)" },
	{ "[guest a]\ndisk = v/l\n[guest b]\ndisk = /dev/v/l\ndisk = v/m",
	  "sweep.conf:4: disk: \"/dev/v/l\" belongs to [guest a] already" },
	{ "[guest a]\ndisk = v/l:/i.raw\n[guest b]\ndisk = v/l\ndisk = v/m",
	  "sweep.conf:4: disk: \"v/l\" belongs to [guest a] already" },
	{ "[guest a]\ndisk = v/l\ndisk = v/l", "sweep.conf:3: disk: \"v/l\" belongs to [guest a] already" },
};

static void faults_in_the_file(void **state)
{
	char expected[ERR_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++) {
		snprintf(expected, sizeof(expected), "%s" ENDS, bad_files[i].fault);
		assert_only_fault(bad_files[i].file, "", expected);
	}
}

/* NUL bytes and lines beyond inih's buffer aren't cut silently. */
static void bytes_that_would_be_lost(void **state)
{
	static char line[100000] = "[sweep]\nignore = ";
	struct settings s;
	size_t used;

	(void)state;
	read_bytes(&s, TEXT("[sweep]\nmode = list\0repair\n"), "");
	assert_int_equal(s.n_faults, 1);
	assert_string_equal(s.faults[0].text, "sweep.conf:2: there is a NUL byte in the line" ENDS);
	settings_free(&s);

	for (used = strlen(line); used < sizeof(line) - 40; used += 4)
		memcpy(line + used, "v/l ", 4);
	strcpy(line + used, "\nmode = list\n");
	read_text(&s, line, "");
	assert_int_equal(s.n_faults, 1);
	assert_non_null(strstr(s.faults[0].text, "sweep.conf:2: the line is longer than "));
	assert_int_equal(s.mode, MODE_LIST);
	settings_free(&s);
}

/* Whatever else asks for writing, a fault forbids it; list stays list. */
static void a_fault_means_read_only(void **state)
{
	static const char file[] = "[guest a]\ndisk = v/a\nmode = repair\n"
				   "[guest b]\ndisk = v/b\nmode = list\n"
				   "[sweep]\nmdoe = check\nmode = repair\n";
	struct settings s;
	struct err e;

	(void)state;
	read_text(&s, file, "");
	assert_int_equal(settings_mode(&s, NULL), MODE_CHECK);
	assert_int_equal(settings_mode(&s, "a"), MODE_CHECK);
	assert_int_equal(settings_mode(&s, "b"), MODE_LIST);
	settings_free(&s);

	read_text(&s, file, "guestsweep.mode=repair");
	assert_int_equal(s.mode, MODE_CHECK);
	assert_int_equal(settings_mode(&s, "b"), MODE_CHECK);
	settings_free(&s);

	assert_int_equal(settings_defaults(&s, &e), 0);
	assert_int_equal(settings_parse_file(&s, file, strlen(file), &e), 0);
	assert_int_equal(s.mode, MODE_CHECK);
	settings_free(&s);

	/* the fault comes last, as those of a crypttab do */
	read_good(&s, "[guest a]\ndisk = v/a\nmode = repair\n", "guestsweep.after=shell");
	assert_int_equal(settings_mode(&s, "a"), MODE_REPAIR);
	settings_fault(&s, "crypttab:1", "nothing");
	assert_int_equal(settings_mode(&s, "a"), MODE_CHECK);
	assert_int_equal(settings_mode(&s, NULL), MODE_CHECK);
	assert_int_equal(s.after, AFTER_SHELL);
	settings_free(&s);
}

static void many_faults(void **state)
{
	char file[1000] = "[sweep]\n";
	struct settings s;
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		snprintf(file + strlen(file), 20, "x%d = 1\n", i);
	read_text(&s, file, "");
	assert_int_equal(s.n_faults, SETTINGS_MAX_FAULTS);
	assert_non_null(strstr(s.faults[14].text, "sweep.conf:16: \"x14\" "));
	assert_string_equal(s.faults[15].text, "and 5 more");
	settings_free(&s);
}

static void foreign_bytes_are_escaped(void **state)
{
	(void)state;
	assert_only_fault("[sweep]\nmode = \x1b[31m\xff\n", "",
			  "sweep.conf:2: mode: \"\\x1b[31m\\xff\" is not one of list, check, preen, "
			  "repair" ENDS);
}

static void two_files_on_one_volume(void **state)
{
	struct settings s;

	(void)state;
	read_good(&s, "[guest a]\ndisk = v/l:/a.raw\n[guest b]\ndisk = v/l:/b.raw", "");
	assert_int_equal(s.n_guests, 2);
	settings_free(&s);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void from_a_folder(void **state)
{
	char dir[] = "/tmp/test_settings.XXXXXX", path[100];
	struct settings s;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(settings_load(&s, dir, "", &e), 0);
	assert_int_equal(s.n_faults, 0);
	settings_free(&s);

	snprintf(path, sizeof(path), "%s/sweep.conf", dir);
	write_file(path, "[sweep]\nmode = list\n");
	assert_int_equal(settings_load(&s, dir, "guestsweep.jobs=3", &e), 0);
	assert_int_equal(s.mode, MODE_LIST);
	assert_int_equal(s.jobs, 3);
	settings_free(&s);

	unlink(path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(settings_load(&s, dir, "", &e), 0);
	assert_int_equal(s.n_faults, 1);
	assert_non_null(strstr(s.faults[0].text, "Is a directory" ENDS));
	assert_int_equal(s.mode, MODE_CHECK);
	settings_free(&s);
	rmdir(path);
	rmdir(dir);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(mode_name(MODE_PREEN), "preen");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(the_contracts_sample),
		cmocka_unit_test(saved_guests),
		cmocka_unit_test(other_editors),
		cmocka_unit_test(line_numbers_with_crlf),
		cmocka_unit_test(faults_in_the_file),
		cmocka_unit_test(bytes_that_would_be_lost),
		cmocka_unit_test(a_fault_means_read_only),
		cmocka_unit_test(many_faults),
		cmocka_unit_test(foreign_bytes_are_escaped),
		cmocka_unit_test(two_files_on_one_volume),
		cmocka_unit_test(from_a_folder),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
