/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What content_read() decides from what libblkid finds. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "content.h"
#include "tempdisk.h"

#define DISK (8u << 20)
#define LARGE (3ull << 30) /* a sparse file */

/* Signatures of two filesystems that lie apart. */
#define SQUASHFS "hsqs\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0"
#define VMFS_AT (2u << 20)
#define VMFS "\x5e\xf1\xab\x2f"

/* An active partition of 4096 sectors from sector 2048 on. */
#define GOOD_ENTRY "\x80\x01\x01\x00\x0b\xfe\x3f\x0c\x00\x08\x00\x00\x00\x10\x00\x00"

/* The first sector of a FAT16 of 8 MiB as mkfs.fat writes it, and the start of its FAT. */
static const unsigned char fat16[] = {
	0xeb, 0x3c, 0x90, 'm', 'k', 'f', 's', '.', 'f', 'a', 't', 0x00, 0x02, 0x04, 0x04, 0x00, 0x02, 0x00, 0x02, 0x00,
	0x40, 0xf8, 0x10, 0x00, 0x20, 0x00, 0x02, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x00, 0x29, 1, 2, 3, 4,
	'N', 'O', ' ', 'N', 'A', 'M', 'E', ' ', ' ', ' ', ' ', 'F', 'A', 'T', '1', '6', ' ', ' ', ' ',
};

static const unsigned char nothing[sizeof(fat16)];

static void look_at(const struct tempdisk *d, uint64_t bytes, struct node *n)
{
	struct err e;

	memset(n, 0, sizeof(*n));
	memcpy(n->device, d->path, sizeof(d->path));
	n->bytes = bytes;
	assert_int_equal(content_read(n, &e), 0);
}

static void look(const struct tempdisk *d, struct node *n)
{
	look_at(d, DISK, n);
}

static void one_filesystem(void **state)
{
	struct tempdisk d;
	struct node n;

	(void)state;
	tempdisk_make(&d, DISK);
	tempdisk_put(&d, 0, SQUASHFS, sizeof(SQUASHFS) - 1);
	look(&d, &n);
	assert_string_equal(n.content.type, "squashfs");
	assert_false(n.content.ambivalent);
	tempdisk_drop(&d);
}

/* Which of two it is nobody knows; that is no failed read. */
static void two_filesystems(void **state)
{
	struct tempdisk d;
	struct node n;

	(void)state;
	tempdisk_make(&d, DISK);
	tempdisk_put(&d, 0, SQUASHFS, sizeof(SQUASHFS) - 1);
	tempdisk_put(&d, VMFS_AT, VMFS, 4);
	look(&d, &n);
	assert_true(n.content.ambivalent);
	assert_string_equal(n.content.type, "");
	tempdisk_drop(&d);
}

/* A boot sector may hold bytes of code that are a good partition by chance. */
static void boot_code_like_a_table(void **state)
{
	struct tempdisk d;
	struct node n;

	(void)state;
	tempdisk_make(&d, DISK);
	tempdisk_put(&d, 0, fat16, sizeof(fat16));
	tempdisk_put(&d, 446, GOOD_ENTRY, 16);
	tempdisk_put(&d, 510, "\x55\xaa", 2);
	tempdisk_put(&d, 4 * 512, "\xf8\xff\xff\xff", 4);
	look(&d, &n);
	assert_string_equal(n.content.type, "vfat");
	assert_string_equal(n.content.table, "");
	assert_false(n.content.ambivalent);

	/* without the FAT it is a table */
	tempdisk_put(&d, 0, nothing, sizeof(nothing));
	look(&d, &n);
	assert_string_equal(n.content.type, "");
	assert_string_equal(n.content.table, "dos");
	assert_true(n.content.plausible_table);
	tempdisk_drop(&d);
}

/* A swap area's first page ends with its mark, whatever a page is; the header says version 1. */
/* What nothing else of it tells: a GPT that is gone but for what stands in front of it, LUKS1 while it is reencrypted. */
static void remains(void **state)
{
	static const struct {
		uint64_t at;
		const char *bytes;
		size_t n;
		bool protective, reencrypting;
	} table[] = {
		{ 0, "LUKS\xde\xad", 6, false, true },
		{ 0, "LUKS\xde\xae", 6, false, false },
		{ 450, "\xee", 1, true, false },
		{ 498, "\xee", 1, true, false },
		{ 514, "\xee", 1, false, false },
	};
	struct tempdisk d;
	struct node n;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		tempdisk_make(&d, DISK);
		tempdisk_put(&d, table[i].at, table[i].bytes, table[i].n);
		look(&d, &n);
		assert_false(n.content.protective_mbr);
		assert_int_equal(n.content.reencrypting, table[i].reencrypting);
		tempdisk_put(&d, 510, "\x55\xaa", 2);
		look(&d, &n);
		assert_int_equal(n.content.protective_mbr, table[i].protective);
		tempdisk_drop(&d);
	}
}

static void put_swap(const struct tempdisk *d, size_t page, const char *mark, size_t n)
{
	static const unsigned char header[8] = { 1, 0, 0, 0, 200 };

	tempdisk_put(d, 1024, header, sizeof(header));
	tempdisk_put(d, page - 10, mark, n);
}

static void suspended_systems(void **state)
{
	static const char *const marks[] = { "S1SUSPEND", "S2SUSPEND", "ULSUSPEND", "LINHIB0001" };
	struct tempdisk d;
	struct node n;
	size_t page, i;

	(void)state;
	for (page = 4096; page <= 65536; page *= 2) {
		tempdisk_make(&d, DISK);
		put_swap(&d, page, "SWAPSPACE2", 10);
		look(&d, &n);
		assert_string_equal(n.content.type, "swap");
		assert_false(n.content.suspended);
		for (i = 0; i < ARRAY_SIZE(marks); i++) {
			put_swap(&d, page, marks[i], strlen(marks[i]));
			look(&d, &n);
			assert_true(n.content.suspended);
		}
		tempdisk_drop(&d);
	}
}

/* TuxOnIce leaves swap's mark where it was; a mark for larger pages beside swap's own is two claims for
 * libblkid; one beside something else is none of a system that could be resumed, but nobody knows. */
static void suspended_beside_something(void **state)
{
	struct tempdisk d;
	struct node n;

	(void)state;
	tempdisk_make(&d, DISK);
	put_swap(&d, 4096, "SWAPSPACE2", 10);
	tempdisk_put(&d, 0, "\xed\xc3\x02\xe9\x98\x56\xe5\x0c", 8);
	look(&d, &n);
	assert_true(n.content.suspended);
	tempdisk_put(&d, 0, nothing, 8);
	look(&d, &n);
	assert_false(n.content.suspended);
	tempdisk_put(&d, 65526, "S1SUSPEND", 9);
	look(&d, &n);
	assert_true(n.content.suspended && n.content.ambivalent);
	tempdisk_drop(&d);

	tempdisk_make(&d, DISK);
	tempdisk_put(&d, 0, SQUASHFS, sizeof(SQUASHFS) - 1);
	tempdisk_put(&d, 8182, "ULSUSPEND", 9);
	look(&d, &n);
	assert_true(n.content.suspended && n.content.ambivalent);
	tempdisk_drop(&d);
}

/* A large disk of few data: the first partition, or an ext filesystem's first backup superblock for blocks
 * of 1, 2 and 4 KiB, is all that a wiped start leaves, and no sample hits it. */
static void wiped_start_of_a_large_disk(void **state)
{
	static const uint64_t left[] = { (1u << 20) + 1024, (8u << 20) + 1024, 32u << 20, 128u << 20 };
	struct tempdisk d;
	struct node n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		tempdisk_make(&d, LARGE);
		look_at(&d, LARGE, &n);
		assert_true(n.content.all_zero);
		tempdisk_put(&d, left[i] + 56, "\x53\xef", 2);
		look_at(&d, LARGE, &n);
		assert_false(n.content.all_zero);
		tempdisk_drop(&d);
	}
}

/* A partition of a few sectors may be empty, too. */
static void small_and_empty(void **state)
{
	static const uint64_t sizes[] = { 512, 4096, 65024, 65536 };
	struct tempdisk d;
	struct node n;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		tempdisk_make(&d, sizes[i]);
		look_at(&d, sizes[i], &n);
		assert_true(n.content.all_zero);
		tempdisk_put(&d, sizes[i] - 1, "x", 1);
		look_at(&d, sizes[i], &n);
		assert_false(n.content.all_zero);
		tempdisk_drop(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_filesystem),
		cmocka_unit_test(two_filesystems),
		cmocka_unit_test(suspended_systems),
		cmocka_unit_test(suspended_beside_something),
		cmocka_unit_test(boot_code_like_a_table),
		cmocka_unit_test(remains),
		cmocka_unit_test(wiped_start_of_a_large_disk),
		cmocka_unit_test(small_and_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
