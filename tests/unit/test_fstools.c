/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each checker's exit status and words mean: a line per row of every table, with the tools'
 * own words as they were measured. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fstools.h"

struct line {
	int exit;
	const char *said;
	enum fs_outcome outcome;
};

#define ALERT                                                                               \
	"        - zero log...\nALERT: The filesystem has valuable metadata changes in a log which is " \
	"being\nignored because the -n option was used.\n"
#define CUT_OFF "Info: checkpoint state = c4 :  nat_bits crc compacted_summary sudden-power-off\n"
#define UNMOUNTED "Info: checkpoint state = 1c5 :  trimmed nat_bits crc compacted_summary unmount\n"
#define CHECKED "Checking $MFT\n"

static const struct line xfs_look[] = {
	{ 0, "Phase 7 - verify link counts...\n", FS_CLEAN },
	{ 1, ALERT "sb_fdblocks 7, counted 65423\n", FS_DIRTY_LOG },
	{ 1, "Superblock has unknown compat/rocompat/incompat features (0x0/0x0/0x80000000).\n"
	     "Using a more recent xfs_repair is recommended.\nFound unsupported filesystem features.  Exiting now.\n",
	  FS_NEWER },
	{ 1, "\nFound unsupported filesystem features.  Exiting now.\n", FS_NEWER },
	{ 1, "xfs_repair: V1 inodes unsupported. Please try an older xfsprogs.\n", FS_NEWER },
	{ 1, "Phase 2\n\nfatal error -- couldn't allocate memory\n", FS_BROKEN },
	{ 1, "Primary superblock would have been modified.\nCannot proceed further in no_modify mode.\n", FS_UNSURE },
	{ 1, "sb_fdblocks 7, counted 65423\n", FS_DAMAGED },
	{ 1, "entry \"ALERT: The filesystem has valuable metadata changes in a log\" points to free inode\n", FS_DAMAGED },
	{ 2, "", FS_BROKEN },
};
static const struct line xfs_write[] = {
	{ 0, "done\n", FS_DONE },
	{ 4, "done\n", FS_DONE },
	{ 2, "\nERROR: The filesystem has valuable metadata changes in a log which needs to\nbe replayed.\n", FS_DIRTY_LOG },
	{ 2, "\nERROR: The log head and/or tail cannot be discovered.\n", FS_BY_HAND },
	{ 1, "Only one AG detected - cannot validate filesystem geometry.\nUse the -o force_geometry option to proceed.\n",
	  FS_BY_HAND },
	{ 1, "Sorry, could not find valid secondary superblock\n", FS_BROKEN },
};
static const struct line btrfs_look[] = {
	{ 0, "[1/8] checking log skipped (none written)\nfound 241664 bytes used, no error found\n", FS_CLEAN },
	{ 0, "[1/8] checking log\n[2/8] checking root items\n", FS_CLEAN },
	{ 0, "Opening filesystem to check...checksum verify failed on 30457856 wanted 0x7f found 0xf4\n", FS_BY_HAND },
	{ 0, "warning, device 2 is missing\nchecksum verify failed on 1\n", FS_PARTS_MISSING },
	{ 1, "warning, device 2 is missing\nERROR: cannot open file system\n", FS_PARTS_MISSING },
	{ 1, "couldn't open because of unsupported option features (0x10000).\n", FS_NEWER },
	{ 1, "found 241664 bytes used, error(s) found\n", FS_BY_HAND },
	{ 2, "", FS_BROKEN },
};
static const struct line fat_look[] = {
	{ 0, "/dev/x: 12 files, 34/8123 clusters\n", FS_CLEAN },
	{ 0, "fsck.fat 4.2\nThere are differences between boot sector and its backup.\n", FS_CLEAN },
	{ 1, "fsck.fat 4.2\nCurrently, only 1 or 2 FATs are supported, not 4.\n\n", FS_NEWER },
	{ 1, "Dirty bit is set. Fs was not properly unmounted and some data may be corrupt.\n", FS_DAMAGED },
	{ 2, "usage", FS_BROKEN },
	{ 6, "open: No such file or directory\n", FS_BROKEN },
};
static const struct line fat_write[] = {
	{ 0, "", FS_DONE },
	{ 1, "*** Filesystem was changed ***\n", FS_DONE },
	{ 2, "", FS_BROKEN },
	{ 6, "", FS_BROKEN },
};
static const struct line ntfs_look[] = {
	{ 0, "NTFS partition /dev/x was processed successfully.\n", FS_CLEAN },
	{ 1, "Volume is corrupt. You should run chkdsk.\n", FS_BY_HAND },
	{ 2, CHECKED "Unclean: the volume is marked dirty.\n", FS_BY_HAND },
	{ 2, CHECKED "Unclean: the journal is not empty.\n", FS_DIRTY_LOG },
	{ 3, CHECKED "Unclean: Windows is hibernated.\n", FS_HIBERNATED },
	{ 3, CHECKED "Unclean: the volume is marked dirty.\nUnclean: hiberfil.sys can't be read.\n", FS_HIBERNATED },
	{ 3, CHECKED "Unclean: Windows keeps metadata in its cache.\n", FS_HIBERNATED },
	{ 3, "words that got lost", FS_HIBERNATED },
	{ 4, "", FS_BROKEN },
};
static const struct line exfat_look[] = {
	{ 0, "/dev/x: clean. directories 4, files 18\n", FS_CLEAN },
	{ 1, "", FS_DAMAGED },
	{ 4, "/dev/x: corrupted. directories 4, files 10\n", FS_DAMAGED },
	{ 8, "Bad fs_name in boot sector, which does not describe a valid exfat filesystem\n", FS_BROKEN },
	{ 16, "Usage: fsck.exfat\n", FS_BROKEN },
};
static const struct line exfat_write[] = {
	{ 0, "", FS_DONE },  { 1, "", FS_DONE },	{ 4, "", FS_DONE },
	{ 8, "", FS_BROKEN }, { 16, "", FS_BROKEN },
};
static const struct line f2fs_look[] = {
	{ 0, UNMOUNTED "[FSCK] other corrupted bugs    [Ok..]\n", FS_CLEAN },
	{ 0, CUT_OFF "[FSCK] other corrupted bugs    [Ok..]\n", FS_CLEAN },
	{ 0, "Info: checkpoint state = d5 :  nat_bits crc fsck compacted_summary unmount\n", FS_DAMAGED },
	{ 0, "Info: checkpoint state = 8c5 :  quota_need_fsck crc compacted_summary unmount\n", FS_DAMAGED },
	{ 0, "\nInfo: fs errors: inconsistent_sit \n" UNMOUNTED, FS_DAMAGED },
	{ 0, "\nInfo: fs errors: inconsistent_sit \n" CUT_OFF, FS_BY_HAND },
	{ 0, "Info: checkpoint state = d4 :  crc fsck compacted_summary sudden-power-off\n", FS_BY_HAND },
	{ 1, UNMOUNTED, FS_DAMAGED },
	{ 1, CUT_OFF, FS_BY_HAND },
	{ 4, UNMOUNTED "NID[0xa] has [0x4d] more unreachable links\n", FS_DAMAGED },
	{ 4, CUT_OFF, FS_BY_HAND },
	{ 255, "[f2fs_do_mount:3637] Can't find valid checkpoint\n", FS_BY_HAND },
	{ 255, "[ASSERT] (main:1) res >= 0\n", FS_BROKEN },
	{ 8, "", FS_BROKEN },
};
static const struct line f2fs_write[] = {
	{ 0, "", FS_DONE },  { 1, "", FS_DONE },	{ 4, "", FS_DONE },
	{ 8, "", FS_BROKEN }, { 255, "", FS_BROKEN },
};

static size_t rows_of(const struct fs_row *table)
{
	size_t n = 0;

	while (table[n].exit != FS_TABLE_END)
		n++;
	return n;
}

/* Every line comes out as it stands there, and every row of the table is met by one. */
static void hold(const char *name, const struct fs_row *table, const struct line *lines, size_t n)
{
	bool met[32] = { false };
	size_t i;

	for (i = 0; i < n; i++) {
		const struct fs_row *row = fscheck_decode(table, lines[i].exit, lines[i].said, strlen(lines[i].said));

		if (row->outcome != lines[i].outcome)
			fail_msg("%s: %d with \"%s\" is %d", name, lines[i].exit, lines[i].said, row->outcome);
		if (row->exit != FS_TABLE_END)
			met[row - table] = true;
	}
	for (i = 0; i < rows_of(table); i++)
		if (!met[i])
			fail_msg("%s: no line for row %zu", name, i);
}

#define HOLD(table, lines) hold(#lines, table, lines, ARRAY_SIZE(lines))

static void each_row(void **state)
{
	(void)state;
	HOLD(xfs_tool.look_table, xfs_look);
	HOLD(xfs_tool.write_table, xfs_write);
	HOLD(btrfs_tool.look_table, btrfs_look);
	HOLD(fat_tool.look_table, fat_look);
	HOLD(fat_tool.write_table, fat_write);
	HOLD(ntfs_tool.look_table, ntfs_look);
	HOLD(exfat_tool.look_table, exfat_look);
	HOLD(exfat_tool.write_table, exfat_write);
	HOLD(f2fs_tool.look_table, f2fs_look);
	HOLD(f2fs_tool.write_table, f2fs_write);
}

static const struct fs_tool *const tools[] = { &xfs_tool, &btrfs_tool, &fat_tool, &ntfs_tool, &exfat_tool, &f2fs_tool };

/* Nothing but 0 is clean, and a status that no row names says nothing. */
static void no_other_is_clean(void **state)
{
	size_t i;
	int status;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(tools); i++) {
		for (status = 1; status < 256; status++)
			assert_int_not_equal(fscheck_decode(tools[i]->look_table, status, "", 0)->outcome, FS_CLEAN);
		assert_int_equal(fscheck_decode(tools[i]->look_table, 99, "", 0)->outcome, FS_BROKEN);
		assert_int_equal(fscheck_decode(tools[i]->look_table, FS_TABLE_END, "", 0)->outcome, FS_BROKEN);
	}
}

/* Words behind a NUL count too. */
static void words_behind_a_nul(void **state)
{
	static const char said[] = "name \0 of a file\nchecksum verify failed on 1\n";

	(void)state;
	assert_int_equal(fscheck_decode(btrfs_tool.look_table, 0, said, sizeof(said) - 1)->outcome, FS_BY_HAND);
}

/* No tool is told a word that destroys what a guest has written. */
static void no_dangerous_words(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(tools); i++)
		for (k = 0; k < FS_WORDS_MAX; k++) {
			const char *words[] = { tools[i]->look[k], tools[i]->preen[k], tools[i]->repair[k] };
			size_t w;

			for (w = 0; w < ARRAY_SIZE(words); w++)
				if (words[w])
					assert_false(strcmp(words[w], "-L") == 0 || strcmp(words[w], "--repair") == 0);
		}
	assert_null(btrfs_tool.preen[0]);
	assert_null(btrfs_tool.repair[0]);
	assert_null(ntfs_tool.preen[0]);
	assert_null(ntfs_tool.repair[0]);
	assert_null(xfs_tool.preen[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(no_other_is_clean),
		cmocka_unit_test(words_behind_a_nul),
		cmocka_unit_test(no_dangerous_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
