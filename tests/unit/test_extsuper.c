/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Superblocks as mke2fs makes them, changed by hand, destroyed, and none at all. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/types.h>
#include <ext2fs/ext2_fs.h>

#include "extsuper.h"
#include "tempdisk.h"

#define MIB (1024 * 1024ULL)
#define UUID_TEXT "12345678-9abc-def0-1234-56789abcdef0"

static void make(struct tempdisk *d, uint64_t bytes, const char *options)
{
	char command[512];

	tempdisk_make(d, bytes);
	snprintf(command, sizeof(command),
		 "MKE2FS_DEVICE_SECTSIZE=512 /sbin/mke2fs -q -F -U " UUID_TEXT " %s %s", options, d->path);
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void edit(const struct tempdisk *d, uint64_t offset, void (*change)(struct ext2_super_block *))
{
	struct ext2_super_block sb;

	tempdisk_get(d, offset, &sb, sizeof(sb));
	change(&sb);
	tempdisk_put(d, offset, &sb, sizeof(sb));
}

static struct extsuper read_super(const struct tempdisk *d)
{
	struct extsuper s;
	struct err e = { 0 };

	if (extsuper_read(d->path, &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

/* Reads it once more after a change to a fresh filesystem. */
static struct extsuper changed(void (*change)(struct ext2_super_block *))
{
	struct tempdisk d;
	struct extsuper s;

	make(&d, 8 * MIB, "-t ext4 -b 1024");
	edit(&d, 1024, change);
	s = read_super(&d);
	tempdisk_drop(&d);
	return s;
}

static void as_mke2fs_makes_them(void **state)
{
	static const struct {
		const char *options, *type;
		unsigned block_size;
	} rows[] = {
		{ "-t ext4 -b 1024", "ext4", 1024 },
		{ "-t ext4 -b 4096 -O 64bit,metadata_csum", "ext4", 4096 },
		{ "-t ext4 -b 2048 -O ^64bit,^metadata_csum", "ext4", 2048 },
		{ "-t ext3 -b 1024", "ext3", 1024 },
		{ "-t ext2 -b 4096", "ext2", 4096 },
		{ "-t ext2 -b 1024 -r 0", "ext2", 1024 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tempdisk d;
		struct extsuper s;

		make(&d, 16 * MIB, rows[i].options);
		s = read_super(&d);
		assert_string_equal(s.type, rows[i].type);
		assert_int_equal(s.block_size, rows[i].block_size);
		assert_int_equal(s.bytes, 16 * MIB);
		assert_string_equal(s.unsupported, "");
		assert_string_equal(s.journal_uuid, "");
		assert_false(s.is_pending || s.mmp_at);
		assert_true(s.facts.known);
		assert_string_equal(s.facts.state, "clean");
		assert_int_equal(s.facts.mount_count, 0);
		assert_true(s.undo_room > 100 * 1024 && s.undo_room < 16 * MIB);
		tempdisk_drop(&d);
	}
}

static void other_facts(struct ext2_super_block *sb)
{
	sb->s_mnt_count = 65535;
	sb->s_max_mnt_count = -1;
	sb->s_lastcheck = 0x80000000;
	sb->s_lastcheck_hi = 1;
	sb->s_checkinterval = 15552000;
	sb->s_state = EXT2_ERROR_FS;
}

static void facts_of_the_superblock(void **state)
{
	struct extsuper s = changed(other_facts);

	(void)state;
	assert_int_equal(s.facts.mount_count, 65535);
	assert_int_equal(s.facts.max_mount_count, -1);
	assert_true(s.facts.last_check == 0x180000000LL);
	assert_int_equal(s.facts.check_interval, 15552000);
	assert_string_equal(s.facts.state, "not clean with errors");
	assert_true(s.is_pending);
}

static void recover(struct ext2_super_block *sb)
{
	sb->s_feature_incompat |= EXT3_FEATURE_INCOMPAT_RECOVER;
}

static void orphan(struct ext2_super_block *sb)
{
	sb->s_last_orphan = 12;
}

static void orphan_file(struct ext2_super_block *sb)
{
	sb->s_feature_ro_compat |= EXT4_FEATURE_RO_COMPAT_ORPHAN_PRESENT;
}

static void errors(struct ext2_super_block *sb)
{
	sb->s_state |= EXT2_ERROR_FS;
}

static void mounted(struct ext2_super_block *sb)
{
	sb->s_state &= (uint16_t)~EXT2_VALID_FS;
}

static void what_is_pending(void **state)
{
	struct extsuper s = changed(mounted);

	(void)state;
	assert_true(changed(recover).is_pending);
	assert_true(changed(orphan).is_pending);
	assert_true(changed(orphan_file).is_pending);
	assert_true(changed(errors).is_pending);
	assert_string_equal(s.facts.state, "not clean");
}

static void unknown_bits(struct ext2_super_block *sb)
{
	sb->s_feature_compat |= 1u << 31;
	sb->s_feature_incompat |= 1u << 21;
	sb->s_feature_ro_compat |= 1u << 29 | 1u << 30;
}

static void all_bits(struct ext2_super_block *sb)
{
	sb->s_feature_compat = sb->s_feature_incompat = sb->s_feature_ro_compat = ~0u;
}

static void features_that_nobody_knows(void **state)
{
	struct extsuper s = changed(unknown_bits);

	(void)state;
	assert_string_equal(s.unsupported, "FEATURE_C31 FEATURE_I21 FEATURE_R29 FEATURE_R30");
	s = changed(all_bits); /* more than there is room to name */
	assert_int_equal(strlen(s.unsupported), sizeof(s.unsupported) - 1);
}

static void external_journal(struct ext2_super_block *sb)
{
	sb->s_feature_compat |= EXT3_FEATURE_COMPAT_HAS_JOURNAL;
	sb->s_journal_inum = 0;
	memset(sb->s_journal_uuid, 0xab, sizeof(sb->s_journal_uuid));
}

static void a_journal_elsewhere(void **state)
{
	struct extsuper s = changed(external_journal);

	(void)state;
	assert_string_equal(s.journal_uuid, "abababab-abab-abab-abab-abababababab");
}

static void senseless_block_size(struct ext2_super_block *sb)
{
	sb->s_log_block_size = 7;
}

static void largest_block_size(struct ext2_super_block *sb)
{
	sb->s_log_block_size = 6;
}

static void shift_beyond_the_word(struct ext2_super_block *sb)
{
	sb->s_log_block_size = 0xffffffff;
}

static void no_blocks(struct ext2_super_block *sb)
{
	sb->s_blocks_count = 0;
}

static void no_magic(struct ext2_super_block *sb)
{
	sb->s_magic = 0;
}

static void no_group_size(struct ext2_super_block *sb)
{
	sb->s_blocks_per_group = 0;
}

/* As many that their bytes do not fit into 64 bits, and come out small. */
static void too_many_blocks(struct ext2_super_block *sb)
{
	sb->s_feature_incompat |= EXT4_FEATURE_INCOMPAT_64BIT;
	sb->s_blocks_count_hi = 1u << 22;
	sb->s_log_block_size = 0;
}

static void high_half_without_the_feature(struct ext2_super_block *sb)
{
	sb->s_feature_incompat &= ~(uint32_t)EXT4_FEATURE_INCOMPAT_64BIT;
	sb->s_blocks_count_hi = 1;
}

static void hostile_geometry(void **state)
{
	(void)state;
	assert_int_equal(changed(senseless_block_size).block_size, 0);
	assert_int_equal(changed(senseless_block_size).bytes, 0);
	assert_int_equal(changed(largest_block_size).block_size, 65536);
	assert_int_equal(changed(shift_beyond_the_word).block_size, 0);
	assert_int_equal(changed(no_blocks).bytes, 0);
	assert_int_equal(changed(no_magic).block_size, 0);
	assert_int_equal(changed(no_group_size).block_size, 1024);
	assert_true(changed(too_many_blocks).bytes > 1ULL << 62);
	assert_int_equal(changed(high_half_without_the_feature).bytes, 8 * MIB);
}

static void too_short_for_one(void **state)
{
	struct tempdisk d;
	struct extsuper s;
	struct err e = { 0 };

	(void)state;
	tempdisk_make(&d, 2047);
	assert_int_equal(extsuper_read(d.path, &s, &e), -EIO);
	assert_string_equal(e.word, "io-error");
	tempdisk_drop(&d);
	assert_int_equal(extsuper_read("/nonexistent", &s, &e), -ENOENT);
}

/* ---- multi-mount protection ---- */

static uint64_t mmp_at;

static void find_mmp(struct ext2_super_block *sb)
{
	mmp_at = sb->s_mmp_block * 1024;
}

static void far_mmp(struct ext2_super_block *sb)
{
	sb->s_mmp_block = UINT64_MAX / 2;
}

static void an_e2fsck_elsewhere(void **state)
{
	struct mmp_struct mmp;
	struct tempdisk d;

	(void)state;
	make(&d, 8 * MIB, "-t ext4 -b 1024 -O mmp");
	assert_int_equal(read_super(&d).mmp_seq, EXT4_MMP_SEQ_CLEAN);
	assert_int_equal(read_super(&d).mmp_wait_s, 11);
	assert_string_equal(read_super(&d).unsupported, "");
	edit(&d, 1024, find_mmp);
	assert_int_equal(read_super(&d).mmp_at, mmp_at);
	tempdisk_get(&d, mmp_at, &mmp, sizeof(mmp));
	mmp.mmp_seq = EXT4_MMP_SEQ_FSCK;
	tempdisk_put(&d, mmp_at, &mmp, sizeof(mmp));
	assert_int_equal(read_super(&d).mmp_seq, EXT4_MMP_SEQ_FSCK);
	mmp.mmp_check_interval = 100;
	tempdisk_put(&d, mmp_at, &mmp, sizeof(mmp));
	assert_int_equal(read_super(&d).mmp_wait_s, 160);
	mmp.mmp_magic = 0;
	tempdisk_put(&d, mmp_at, &mmp, sizeof(mmp));
	assert_int_equal(read_super(&d).mmp_at, 0);
	edit(&d, 1024, far_mmp);
	assert_int_equal(read_super(&d).mmp_at, 0);
	tempdisk_drop(&d);
}

/* ---- backups ---- */

static bool find(const struct tempdisk *d, uint64_t bytes, struct extsuper_backup *b, struct extsuper *s)
{
	memset(b, 0, sizeof(*b));
	memset(s, 0, sizeof(*s));
	return extsuper_find_backup(d->path, bytes, b, s);
}

static void zero(const struct tempdisk *d, uint64_t offset)
{
	static const char nothing[1024];

	tempdisk_put(d, offset, nothing, sizeof(nothing));
}

static void the_primary_is_gone(void **state)
{
	static const struct {
		unsigned block_size;
		uint64_t bytes, block;
	} rows[] = { { 1024, 40 * MIB, 8193 }, { 2048, 200 * MIB, 16384 }, { 4096, 520 * MIB, 32768 } };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct extsuper_backup b;
		struct tempdisk d;
		struct extsuper s;
		char options[64];

		snprintf(options, sizeof(options), "-t ext4 -b %u -E lazy_itable_init=1", rows[i].block_size);
		make(&d, rows[i].bytes, options);
		zero(&d, 1024);
		assert_true(find(&d, rows[i].bytes, &b, &s));
		assert_int_equal(b.block, rows[i].block);
		assert_int_equal(b.block_size, rows[i].block_size);
		assert_string_equal(b.uuid, UUID_TEXT);
		assert_string_equal(s.type, "ext4");
		assert_int_equal(s.bytes, rows[i].bytes);
		/* the device was cut off: nothing to go by */
		assert_false(find(&d, rows[i].bytes / 2, &b, &s));
		/* the first backup is gone as well: the next two will do */
		zero(&d, rows[i].block * rows[i].block_size);
		if (find(&d, rows[i].bytes, &b, &s))
			assert_int_equal(b.block, (rows[i].block_size == 1024) + rows[i].block_size * 8ULL * 3);
		tempdisk_drop(&d);
	}
}

static void other_uuid(struct ext2_super_block *sb)
{
	sb->s_uuid[0] ^= 1;
}

static void other_group(struct ext2_super_block *sb)
{
	sb->s_block_group_nr = 0;
}

static void one_backup_is_no_proof(void **state)
{
	const uint64_t first = 8193 * 1024, second = (8192 * 3 + 1) * 1024;
	struct extsuper_backup b;
	struct tempdisk d;
	struct extsuper s;

	(void)state;
	make(&d, 30 * MIB, "-t ext4 -b 1024"); /* backups in groups 1 and 3 only */
	assert_true(find(&d, 30 * MIB, &b, &s));
	edit(&d, second, other_uuid);
	assert_false(find(&d, 30 * MIB, &b, &s));
	edit(&d, second, other_uuid);
	assert_true(find(&d, 30 * MIB, &b, &s));
	edit(&d, second, other_group); /* a copy that stands somewhere by chance */
	assert_false(find(&d, 30 * MIB, &b, &s));
	zero(&d, second);
	assert_false(find(&d, 30 * MIB, &b, &s));
	zero(&d, first);
	assert_false(find(&d, 30 * MIB, &b, &s));
	tempdisk_drop(&d);
}

static void backup_of_too_many_blocks(void **state)
{
	struct extsuper_backup b;
	struct tempdisk d;
	struct extsuper s;

	(void)state;
	make(&d, 30 * MIB, "-t ext4 -b 1024");
	edit(&d, 8193 * 1024, too_many_blocks);
	edit(&d, (8192 * 3 + 1) * 1024, too_many_blocks);
	assert_false(find(&d, 30 * MIB, &b, &s));
	tempdisk_drop(&d);
}

static void random_data(void **state)
{
	static uint32_t noise[MIB / 4];
	struct extsuper_backup b;
	struct tempdisk d;
	struct extsuper s;
	uint32_t seed = 1;
	size_t i, k;

	(void)state;
	tempdisk_make(&d, 40 * MIB);
	assert_false(find(&d, 40 * MIB, &b, &s)); /* zeros */
	for (k = 0; k < 40; k++) {
		for (i = 0; i < ARRAY_SIZE(noise); i++)
			noise[i] = seed = seed * 1664525u + 1013904223u;
		tempdisk_put(&d, k * MIB, noise, sizeof(noise));
	}
	assert_false(find(&d, 40 * MIB, &b, &s));
	assert_false(find(&d, 0, &b, &s));
	assert_false(find(&d, UINT64_MAX, &b, &s)); /* longer than it is */
	tempdisk_drop(&d);
	assert_false(find(&d, 40 * MIB, &b, &s)); /* no such file */
}

/* Noted anew, and nothing else: the superblock's checksum is right where it has one. */
static void last_mounted(void **state)
{
	static const char *const options[] = { "-t ext4 -b 4096 -O metadata_csum", "-t ext4 -b 1024 -O ^metadata_csum",
					       "-t ext2 -b 1024 -r 0" };
	char folder[LAST_MOUNTED_SIZE], longest[LAST_MOUNTED_SIZE], command[128];
	static unsigned char before[8 * MIB], after[8 * MIB];
	struct tempdisk d;
	struct err e;
	size_t i, at;

	(void)state;
	memset(longest, 'l', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		make(&d, 8 * MIB, options[i]);
		tempdisk_get(&d, 0, before, sizeof(before));
		assert_int_equal(extsuper_set_last_mounted(d.path, longest, &e), 0);
		assert_int_equal(extsuper_last_mounted(d.path, folder, &e), 0);
		assert_string_equal(folder, longest);
		assert_int_equal(extsuper_set_last_mounted(d.path, "/srv", &e), 0);
		assert_int_equal(extsuper_last_mounted(d.path, folder, &e), 0);
		assert_string_equal(folder, "/srv");
		snprintf(command, sizeof(command), "/sbin/e2fsck -f -n %s > /dev/null 2>&1", d.path);
		assert_int_equal(system(command), 0);
		assert_int_equal(extsuper_set_last_mounted(d.path, "", &e), 0);
		tempdisk_get(&d, 0, after, sizeof(after));
		for (at = 0; at < sizeof(after) && after[at] == before[at]; at++)
			;
		if (at < sizeof(after))
			fail_msg("%s: byte %zu is another", options[i], at);
		tempdisk_drop(&d);
	}
}

static void nothing_mounted_there(void **state)
{
	static unsigned char zeros[4096], now[4096];
	struct tempdisk d;
	struct err e;

	(void)state;
	tempdisk_make(&d, sizeof(zeros));
	assert_int_equal(extsuper_set_last_mounted(d.path, "/srv", &e), -EIO);
	assert_string_equal(e.word, "io-error");
	tempdisk_get(&d, 0, now, sizeof(now));
	assert_memory_equal(now, zeros, sizeof(now));
	tempdisk_drop(&d);
	assert_int_equal(extsuper_set_last_mounted("/nowhere", "/srv", &e), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_mke2fs_makes_them),
		cmocka_unit_test(facts_of_the_superblock),
		cmocka_unit_test(what_is_pending),
		cmocka_unit_test(features_that_nobody_knows),
		cmocka_unit_test(a_journal_elsewhere),
		cmocka_unit_test(hostile_geometry),
		cmocka_unit_test(too_short_for_one),
		cmocka_unit_test(an_e2fsck_elsewhere),
		cmocka_unit_test(the_primary_is_gone),
		cmocka_unit_test(one_backup_is_no_proof),
		cmocka_unit_test(backup_of_too_many_blocks),
		cmocka_unit_test(random_data),
		cmocka_unit_test(last_mounted),
		cmocka_unit_test(nothing_mounted_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
