/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an exit status of e2fsck(8), and what it said, mean. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "e2fsck.h"

static enum e2fsck_outcome decode(int status, const char *said)
{
	struct err why = { 0 };

	return e2fsck_decode(status, said, strlen(said), true, &why);
}

static void each_status(void **state)
{
	static const char bad_magic[] = "e2fsck: Bad magic number in super-block while trying to open /dev/dm-1\n";
	static const struct {
		int status;
		enum e2fsck_outcome outcome;
	} rows[] = {
		{ 0, E2FSCK_CLEAN },
		{ 1, E2FSCK_CORRECTED },
		{ 2, E2FSCK_CORRECTED }, /* it wants a reboot, which follows anyway */
		{ 3, E2FSCK_CORRECTED },
		{ 4, E2FSCK_DAMAGED },
		{ 5, E2FSCK_DAMAGED },
		{ 6, E2FSCK_DAMAGED },
		{ 7, E2FSCK_DAMAGED },
		{ 8, E2FSCK_REFUSED },
		{ 9, E2FSCK_REFUSED },
		{ 12, E2FSCK_REFUSED },
		{ 15, E2FSCK_REFUSED },
		{ 16, E2FSCK_BROKEN }, /* usage */
		{ 17, E2FSCK_BROKEN },
		{ 32, E2FSCK_BROKEN }, /* cancelled */
		{ 33, E2FSCK_BROKEN },
		{ 127, E2FSCK_BROKEN }, /* could not be run */
		{ 128, E2FSCK_BROKEN }, /* a shared library, or 128 + a signal */
		{ 129, E2FSCK_BROKEN },
		{ 137, E2FSCK_BROKEN },
		{ 255, E2FSCK_BROKEN },
		{ -1, E2FSCK_BROKEN }, /* did not run */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (decode(rows[i].status, bad_magic) != rows[i].outcome)
			fail_msg("%d is %d", rows[i].status, decode(rows[i].status, bad_magic));
}

/* Only 0 is clean, and nothing above 15 says anything of the filesystem. */
static void no_other_is_clean(void **state)
{
	int status;

	(void)state;
	for (status = 1; status < 256; status++) {
		assert_int_not_equal(decode(status, ""), E2FSCK_CLEAN);
		if (status > 15)
			assert_int_equal(decode(status, ""), E2FSCK_BROKEN);
	}
}

/* Only words that name damage allow for -y after an operational error. */
static void an_operational_error(void **state)
{
	static const struct {
		const char *said;
		enum e2fsck_outcome outcome;
		const char *code; /* "": the run's own */
	} rows[] = {
		{ "", E2FSCK_BROKEN, "" },
		{ "e2fsck: aborted\n", E2FSCK_BROKEN, "" },
		{ "e2fsck: No such file or directory while trying to open /dev/dm-1\n", E2FSCK_BROKEN, "" },
		{ "e2fsck: Resource busy while trying to open /dev/dm-1\n", E2FSCK_BROKEN, "" },
		{ "Signal (11) SIGSEGV si_code=SEGV_MAPERR fault addr=(nil)\n", E2FSCK_BROKEN, "tool-failed" },
		{ "Signal (6) SIGABRT si_code=SI_TKILL\n", E2FSCK_BROKEN, "tool-failed" },
		/* it crashed on its way through backups */
		{ "e2fsck: Bad magic number in super-block while trying to open /dev/dm-1\n"
		  "Signal (11) SIGSEGV si_code=SEGV_MAPERR fault addr=(nil)\n", E2FSCK_BROKEN, "tool-failed" },
		{ "e2fsck: Memory allocation failed while trying to open /dev/dm-1\n", E2FSCK_BROKEN, "no-memory" },
		{ "e2fsck: Out of memory while trying to open /dev/dm-1\n", E2FSCK_BROKEN, "no-memory" },
		{ "/dev/dm-1 has unsupported feature(s): FEATURE_I30\ne2fsck: Get a newer version of e2fsck!\n",
		  E2FSCK_BROKEN, "unsupported-feature" },
		{ "/dev/dm-1: Can't find external journal\n", E2FSCK_BROKEN, "missing-device" },
		{ "/dev/dm-1: MMP: device currently active while checking MMP block\n", E2FSCK_IN_USE, "" },
		{ "e2fsck: The ext2 superblock is corrupt while trying to open /dev/dm-1\n", E2FSCK_REFUSED, "" },
		{ "e2fsck: Can't read a block bitmap while retrying to read bitmaps for var\n", E2FSCK_IO_ERROR, "io-error" },
		{ "/r/undo/012.e2undo: No space left on device while writing the undo file; nothing more is written\n",
		  E2FSCK_NO_UNDO, "no-undo" },
		/* of the report's disk, not of the guest's */
		{ "/r/undo/012.e2undo: I/O error while writing the undo file; nothing more is written\n",
		  E2FSCK_NO_UNDO, "no-undo" },
		{ "e2fsck: Undo file corrupt while trying to open /dev/dm-1\n", E2FSCK_NO_UNDO, "no-undo" },
		{ "e2fsck: Wrong undo file for this file system while trying to open /dev/dm-1\n", E2FSCK_NO_UNDO, "no-undo" },
	};
	struct err why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		memset(&why, 0, sizeof(why));
		if (e2fsck_decode(8, rows[i].said, strlen(rows[i].said), true, &why) != rows[i].outcome ||
		    strcmp(why.word, rows[i].code) != 0)
			fail_msg("\"%s\" is another outcome, or \"%s\"", rows[i].said, why.word);
	}
	/* nobody asked for an undo file */
	i--;
	assert_int_equal(e2fsck_decode(8, rows[i].said, strlen(rows[i].said), false, &why), E2FSCK_BROKEN);
}

/* What -n finds and yet ends with 0. */
static void what_a_verification_finds(void **state)
{
	static const struct {
		const char *said;
		bool some;
	} rows[] = {
		{ "Pass 5: Checking group summary information\nvar: 25/4096 files (4.0% non-contiguous)\n", false },
		{ "Free blocks count wrong (7, counted=6021).\nFix? no\n\nvar: 25/4096 files\n", true },
		{ "Free inodes count wrong (7, counted=60).\nFix? no\n", true },
		{ "Warning: skipping journal recovery because doing a read-only filesystem check.\n", true },
		{ "Inode 12 extent tree (at level 1) could be narrower.  Optimize? no\n", false },
		{ "Inode 12 extent tree (at level 1) could be shorter.  Optimize? no\n\nCreate? no\n", true },
		{ "? no", true },
		{ "", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (e2fsck_leaves_some(rows[i].said, strlen(rows[i].said)) != rows[i].some)
			fail_msg("\"%s\"", rows[i].said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_status),
		cmocka_unit_test(no_other_is_clean),
		cmocka_unit_test(an_operational_error),
		cmocka_unit_test(what_a_verification_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
