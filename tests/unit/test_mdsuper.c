/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of md arrays: what their superblocks say, and which of them make an array. */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <asm/byteorder.h>
#include <linux/types.h>
#include <linux/raid/md_p.h>

#include "mdjudge.h"
#include "tempdisk.h"

#define SIZE (1 << 20)

static uint32_t checksum(const void *p, size_t size)
{
	const uint32_t *words = p;
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < size / 4; i++)
		sum += le32toh(words[i]);
	return htole32((uint32_t)((sum & 0xffffffff) + (sum >> 32)));
}

/* A member of a mirror of two: its place, which places it knows of, its count of changes. */
static void make_1(unsigned char sb_bytes[4096], uint64_t offset, unsigned role, unsigned seen,
		   uint64_t events)
{
	struct mdp_superblock_1 *sb = (void *)sb_bytes;
	unsigned i;

	memset(sb_bytes, 0, 4096);
	sb->magic = htole32(MD_SB_MAGIC);
	sb->major_version = htole32(1);
	memcpy(sb->set_uuid, "0123456789abcdef", 16);
	memcpy(sb->set_name, "host:data", 9);
	sb->level = htole32(1);
	sb->raid_disks = htole32(2);
	sb->super_offset = htole64(offset / 512);
	sb->events = htole64(events);
	sb->resync_offset = htole64(UINT64_MAX);
	sb->dev_number = htole32(role);
	sb->max_dev = htole32(4);
	for (i = 0; i < 4; i++)
		sb->dev_roles[i] = htole16(seen & 1u << i ? i : MD_DISK_ROLE_FAULTY);
	sb->sb_csum = checksum(sb, sizeof(*sb) + 8);
}

static void each_place(void **state)
{
	static const struct {
		const char *version;
		uint64_t offset;
	} places[] = { { "1.0", SIZE - 8192 }, { "1.1", 0 }, { "1.2", 4096 } };
	_Alignas(8) unsigned char sb[4096];
	struct tempdisk disk;
	struct mdsuper s;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		tempdisk_make(&disk, SIZE);
		make_1(sb, places[i].offset, 1, 3, 17);
		tempdisk_put(&disk, places[i].offset, sb, sizeof(sb));
		assert_int_equal(mdsuper_read(disk.path, SIZE, places[i].version, &s, &e), 0);
		assert_string_equal(s.uuid, "30313233-3435-3637-3839-616263646566");
		assert_string_equal(s.name, "host:data");
		assert_int_equal(s.level, 1);
		assert_int_equal(s.role, 1);
		assert_int_equal(s.events, 17);
		assert_true(s.sees[0] && s.sees[1] && !s.sees[2]);
		assert_false(s.is_dirty);
		tempdisk_put(&disk, places[i].offset + 100, "x", 1);
		assert_int_equal(mdsuper_read(disk.path, SIZE, places[i].version, &s, &e), -EINVAL);
		assert_string_equal(e.word, "bad-header");
		tempdisk_drop(&disk);
	}
}

static void the_old_format(void **state)
{
	static mdp_super_t sb;
	static const size_t places[] = { offsetof(mdp_super_t, events_lo), 4000, offsetof(mdp_super_t, sb_csum) };
	struct tempdisk disk;
	struct mdsuper s;
	struct err e;
	size_t i;

	(void)state;
	sb.md_magic = MD_SB_MAGIC;
	sb.minor_version = 90;
	sb.level = 5;
	sb.raid_disks = 3;
	sb.md_minor = 4;
	sb.events_lo = 9;
	sb.this_disk.raid_disk = 2;
	sb.this_disk.state = 1u << MD_DISK_SYNC | 1u << MD_DISK_ACTIVE;
	sb.disks[2] = sb.this_disk;
	sb.sb_csum = checksum(&sb, sizeof(sb));
	tempdisk_make(&disk, SIZE + 4096);
	tempdisk_put(&disk, SIZE - 65536, &sb, sizeof(sb));
	assert_int_equal(mdsuper_read(disk.path, SIZE + 4096, "0.90.0", &s, &e), 0);
	assert_int_equal(s.level, 5);
	assert_int_equal(s.role, 2);
	assert_int_equal(s.preferred_minor, 4);
	assert_int_equal(s.events, 9);
	assert_true(s.sees[2] && !s.sees[0]);
	assert_true(s.is_dirty);
	assert_int_equal(mdsuper_read(disk.path, 4096, "0.90.0", &s, &e), -EINVAL); /* too small */
	/* an old kernel's sum, which the kernel takes, too: it folds both to 16 bits */
	sb.sb_csum = (sb.sb_csum & 0xffff) + (sb.sb_csum >> 16);
	tempdisk_put(&disk, SIZE - 65536, &sb, sizeof(sb));
	assert_int_equal(mdsuper_read(disk.path, SIZE + 4096, "0.90.0", &s, &e), 0);
	/* one byte is wrong: in the count of changes, in what no field names, in the sum itself */
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		unsigned char *byte = (unsigned char *)&sb + places[i];

		*byte ^= 4;
		tempdisk_put(&disk, SIZE - 65536, &sb, sizeof(sb));
		assert_int_equal(mdsuper_read(disk.path, SIZE + 4096, "0.90.0", &s, &e), -EINVAL);
		assert_string_equal(e.word, "bad-header");
		*byte ^= 4;
	}
	tempdisk_drop(&disk);
}

/* ---- which members make an array ---- */

static struct node *member(unsigned role, unsigned seen, uint64_t events)
{
	struct node *n = calloc(1, sizeof(*n));
	struct mdsuper *s = calloc(1, sizeof(*s));

	assert_true(n && s);
	s->level = 1;
	s->raid_disks = 2;
	s->role = (int)role;
	s->events = events;
	s->sees[0] = seen & 1;
	s->sees[1] = seen & 2;
	n->state = s;
	return n;
}

static const char *judge(const struct node *const *same, size_t n, bool last_try)
{
	static struct node array;
	struct md_members a = { .n = 0 };

	memset(&array, 0, sizeof(array));
	md_collect(&a, same, n);
	md_judge(&array, &a, same, n, last_try);
	return array.code;
}

static void who_belongs_together(void **state)
{
	static const struct {
		unsigned seen0, events0, seen1, events1, role1;
		bool whole, last_try;
		const char *code;
	} rows[] = {
		{ 3, 9, 3, 9, 1, true, false, "" },
		{ 3, 9, 3, 8, 1, true, false, "" },               /* a power cut between two writes */
		{ 1, 9, 3, 7, 1, false, false, "missing-device" }, /* the second one is stale */
		{ 1, 9, 3, 7, 1, false, true, "" },               /* degraded */
		{ 1, 9, 2, 9, 1, true, true, "ambiguous" },       /* halves that went apart */
		{ 3, 9, 3, 9, 0, false, true, "ambiguous" },      /* a copy */
		{ 3, 9, 3, 9, 2, false, false, "missing-device" }, /* a place that the array has not */
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct node *a = member(0, rows[i].seen0, rows[i].events0);
		struct node *b = member(rows[i].role1, rows[i].seen1, rows[i].events1);
		const struct node *same[] = { a, b };

		assert_int_equal(is_md_whole(same, 2), rows[i].whole);
		assert_string_equal(judge(same, 2, rows[i].last_try), rows[i].code);
		free(a->state);
		free(b->state);
		free(a);
		free(b);
	}
}

/* What a member that is not there held is told by the parity, if that is right. */
static void parity_that_may_be_wrong(void **state)
{
	static const struct {
		int level;
		bool is_dirty, all;
		const char *code;
	} rows[] = {
		{ 5, true, false, "missing-device" }, { 6, true, false, "missing-device" },
		{ 5, false, false, "" }, { 5, true, true, "" }, { 1, true, false, "" }, { 10, true, false, "" },
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct node *n[3];

		for (k = 0; k < 3; k++) {
			struct mdsuper *s = (n[k] = member((unsigned)k, 3, 9))->state;

			s->level = rows[i].level;
			s->raid_disks = 3;
			s->sees[2] = true;
			s->is_dirty = rows[i].is_dirty;
		}
		assert_string_equal(judge((const struct node *const *)n, rows[i].all ? 3 : 2, true), rows[i].code);
		for (k = 0; k < 3; k++) {
			free(n[k]->state);
			free(n[k]);
		}
	}
}

static void names(void **state)
{
	static const struct {
		const char *in;
		int minor;
		const char *name;
	} rows[] = { { "host:0", 0, "md0" }, { "7", 0, "md7" }, { "host:data", 0, "md/data" }, { "", 3, "md3" } };
	struct mdsuper s = { .level = 10 };
	char name[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(s.name, sizeof(s.name), "%s", rows[i].in);
		s.preferred_minor = rows[i].minor;
		md_name(&s, name, sizeof(name));
		assert_string_equal(name, rows[i].name);
	}
	md_level_name(&s, name, sizeof(name));
	assert_string_equal(name, "raid10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_place),
		cmocka_unit_test(the_old_format),
		cmocka_unit_test(who_belongs_together),
		cmocka_unit_test(parity_that_may_be_wrong),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
