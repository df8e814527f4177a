/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Partition tables, whole, damaged and forged. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "partitions.h"
#include "tempdisk.h"

#define MIB (1024 * 1024ULL)
#define PATIENCE_S 20

static void put16(unsigned char *p, uint16_t v)
{
	p[0] = (unsigned char)v;
	p[1] = (unsigned char)(v >> 8);
}

static void put32(unsigned char *p, uint32_t v)
{
	put16(p, (uint16_t)v);
	put16(p + 2, (uint16_t)(v >> 16));
}

static void put64(unsigned char *p, uint64_t v)
{
	put32(p, (uint32_t)v);
	put32(p + 4, (uint32_t)(v >> 32));
}

/* ---- MBR: entry i of the table in sector at, counted in sectors of unit bytes ---- */

static void mbr(const struct tempdisk *d, unsigned unit, uint64_t at, int i, unsigned char type,
		uint32_t start, uint32_t sectors)
{
	unsigned char entry[16] = { [4] = type };

	put32(entry + 8, start);
	put32(entry + 12, sectors);
	tempdisk_put(d, at * unit + 446 + 16 * (uint64_t)i, entry, sizeof(entry));
	tempdisk_put(d, at * unit + 510, "\x55\xaa", 2);
	tempdisk_put(d, 440, "\x78\x56\x34\x12", 4);
}

/* ---- GPT ---- */

struct gpt_entry {
	uint64_t first, last;
	const char *name;
};

static uint32_t crc32_of(const unsigned char *p, size_t n)
{
	uint32_t crc = ~0u;
	int i;

	while (n--) {
		crc ^= *p++;
		for (i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void gpt_header(const struct tempdisk *d, unsigned unit, uint64_t lba, uint64_t other,
		       uint64_t entries_at, uint64_t last_usable, uint32_t n, uint32_t entries_crc)
{
	unsigned char h[92] = "EFI PART\0\0\1";

	put32(h + 12, sizeof(h));
	put64(h + 24, lba);
	put64(h + 32, other);
	put64(h + 40, 64);
	put64(h + 48, last_usable);
	memset(h + 56, 0x11, 16);
	put64(h + 72, entries_at);
	put32(h + 80, n);
	put32(h + 84, 128);
	put32(h + 88, entries_crc);
	put32(h + 16, crc32_of(h, sizeof(h)));
	tempdisk_put(d, lba * unit, h, sizeof(h));
}

/* Writes protective MBR, both headers and both lists of n entries. */
static void gpt(const struct tempdisk *d, unsigned unit, uint64_t bytes, const struct gpt_entry *e,
		uint32_t n)
{
	uint64_t last = bytes / unit - 1, room = ((uint64_t)n * 128 + unit - 1) / unit, i, k;
	unsigned char *list = calloc(n, 128);
	uint32_t crc;

	for (i = 0; i < n; i++) {
		unsigned char *p = list + i * 128;

		if (!e[i].last)
			continue;
		memset(p, 0xaa, 16);
		memset(p + 16, (int)i + 1, 16);
		put64(p + 32, e[i].first);
		put64(p + 40, e[i].last);
		for (k = 0; e[i].name && e[i].name[k]; k++)
			p[56 + 2 * k] = (unsigned char)e[i].name[k];
	}
	crc = crc32_of(list, n * 128);
	tempdisk_put(d, 2 * unit, list, n * 128);
	tempdisk_put(d, (last - room) * unit, list, n * 128);
	gpt_header(d, unit, 1, last, 2, last - room - 1, n, crc);
	gpt_header(d, unit, last, 1, last - room, last - room - 1, n, crc);
	mbr(d, unit, 0, 0, 0xee, 1, (uint32_t)last);
	free(list);
}

/* ---- what is read ---- */

static int read_rc(const struct tempdisk *d, unsigned unit, struct partitions *t, struct err *e)
{
	int rc;

	alarm(PATIENCE_S); /* a table that makes it loop kills the test */
	rc = partitions_read(d->fd, unit, t, e);
	alarm(0);
	return rc;
}

static struct partitions read_table(const struct tempdisk *d, unsigned unit)
{
	struct partitions t;
	struct err e = { 0 };

	if (read_rc(d, unit, &t, &e) < 0)
		fail_msg("%s", e.text);
	return t;
}

/* "dos: 1 2048+4096 0x83, 2 ..."; sectors of 512 bytes; flags: c(ontainer) o(verlaps) b(eyond). */
static const char *describe(const struct partitions *t)
{
	static char text[4096];
	size_t i, used = (size_t)snprintf(text, sizeof(text), "%s:", t->scheme);

	for (i = 0; i < t->n && used < sizeof(text); i++) {
		const struct partition *p = &t->p[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s %d %llu+%llu%s%s%s%s",
					 i ? "," : "", p->number, (unsigned long long)p->start / 512,
					 (unsigned long long)p->bytes / 512,
					 p->is_container || p->overlaps || !p->fits ? " " : "",
					 p->is_container ? "c" : "", p->overlaps ? "o" : "",
					 p->fits ? "" : "b");
	}
	return text;
}

static void expect(const struct tempdisk *d, unsigned unit, const char *text, size_t plausible)
{
	struct partitions t = read_table(d, unit);

	assert_string_equal(describe(&t), text);
	assert_int_equal(t.left_out, 0);
	assert_int_equal(partitions_plausible(&t), plausible);
	partitions_free(&t);
	assert_int_equal(t.n, 0);
}

static void expect_backup(const struct tempdisk *d, unsigned unit, bool is_backup)
{
	struct partitions t = read_table(d, unit);

	assert_int_equal(t.is_backup, is_backup);
	partitions_free(&t);
}

static void sfdisk(const struct tempdisk *d, const char *script)
{
	char command[1024];

	snprintf(command, sizeof(command), "printf '%s' | /usr/sbin/sfdisk -q --no-reread --wipe never %s",
		 script, d->path);
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void an_mbr_of_sfdisk(void **state)
{
	struct partitions t;
	struct tempdisk d;

	(void)state;
	tempdisk_make(&d, 64 * MIB);
	sfdisk(&d, "label: dos\\nlabel-id: 0xdeadbeef\\nstart=2048, size=4096, type=83\\n"
		   "start=8192, size=40960, type=5\\n start=63488, size=2048, type=8e\\n\\n"
		   "start=10240, size=2048, type=82\\n start=14336, size=2048, type=83\\n");
	t = read_table(&d, 512);
	assert_string_equal(describe(&t), "dos: 1 2048+4096, 2 8192+40960 c, 3 63488+2048, "
					  "5 10240+2048, 6 14336+2048");
	assert_string_equal(t.uuid, "deadbeef");
	assert_string_equal(t.p[0].type, "0x83");
	assert_string_equal(t.p[0].uuid, "deadbeef-01");
	assert_string_equal(t.p[0].label, "");
	assert_string_equal(t.p[1].type, "0x05");
	assert_string_equal(t.p[2].type, "0x8e");
	assert_string_equal(t.p[4].uuid, "deadbeef-06");
	assert_int_equal(t.p[0].start, 2048 * 512);
	assert_int_equal(t.p[0].bytes, 4096 * 512);
	assert_int_equal(partitions_plausible(&t), 4);
	partitions_free(&t);
	tempdisk_drop(&d);
}

static void a_gpt_of_sfdisk(void **state)
{
	struct partitions t;
	struct tempdisk d;

	(void)state;
	tempdisk_make(&d, 64 * MIB);
	sfdisk(&d, "label: gpt\\nlabel-id: 12345678-1234-1234-1234-123456789ABC\\n"
		   "start=2048, size=4096, name=\"first one\", "
		   "uuid=AAAAAAAA-1234-1234-1234-123456789ABC\\nstart=8192, size=2048, type=swap\\n");
	t = read_table(&d, 512);
	assert_string_equal(describe(&t), "gpt: 1 2048+4096, 2 8192+2048");
	assert_string_equal(t.uuid, "12345678-1234-1234-1234-123456789abc");
	assert_string_equal(t.p[0].label, "first one");
	assert_string_equal(t.p[0].uuid, "aaaaaaaa-1234-1234-1234-123456789abc");
	assert_string_equal(t.p[0].type, "0fc63daf-8483-4772-8e79-3d69d8477de4");
	assert_string_equal(t.p[1].type, "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f");
	assert_string_equal(t.p[1].label, "");
	assert_int_equal(partitions_plausible(&t), 2);
	partitions_free(&t);
	tempdisk_drop(&d);
}

static const struct gpt_entry usual[4] = { { 2048, 4095, "a\x1b\x07" }, { 0, 0, NULL },
					   { 4096, 8191, NULL }, { 8192, 9000, NULL } };
#define USUAL "gpt: 1 2048+2048, 3 4096+4096, 4 8192+809"

static void a_gpt_with_a_hole_and_a_hostile_label(void **state)
{
	struct partitions t;
	struct tempdisk d;

	(void)state;
	tempdisk_make(&d, 16 * MIB);
	gpt(&d, 512, 16 * MIB, usual, 4);
	t = read_table(&d, 512);
	assert_string_equal(describe(&t), USUAL);
	assert_string_equal(t.p[0].label, "a\\x1b\\x07");
	partitions_free(&t);
	tempdisk_drop(&d);
}

static void a_damaged_gpt(void **state)
{
	static const char nothing[4096];
	struct tempdisk d;

	(void)state;
	tempdisk_make(&d, 16 * MIB);
	gpt(&d, 512, 16 * MIB, usual, 4);
	tempdisk_put(&d, 0, nothing, 512); /* no protective MBR */
	expect(&d, 512, USUAL, 3);
	expect_backup(&d, 512, false);
	tempdisk_put(&d, 512, nothing, 512); /* nor a primary header: the backup is there */
	expect(&d, 512, USUAL, 3);
	expect_backup(&d, 512, true);
	tempdisk_put(&d, 1024, nothing, 512); /* nor its entries */
	expect(&d, 512, USUAL, 3);
	tempdisk_put(&d, 16 * MIB - 512, "X", 1); /* and now the backup's magic */
	expect(&d, 512, ":", 0);
	tempdisk_drop(&d);
}

static void a_gpt_with_a_wrong_checksum(void **state)
{
	struct tempdisk d;

	(void)state;
	tempdisk_make(&d, 16 * MIB);
	gpt(&d, 512, 16 * MIB, usual, 4);
	tempdisk_put(&d, 1024 + 32, "\x01", 1); /* in the primary's list: the backup's counts */
	expect(&d, 512, USUAL, 3);
	expect_backup(&d, 512, true);
	tempdisk_put(&d, 16 * MIB - 1024 + 32, "\x01", 1); /* in the backup's, too */
	expect(&d, 512, ":", 0);
	tempdisk_drop(&d);
}

static void tables_in_large_sectors(void **state)
{
	static const struct gpt_entry entries[2] = { { 64, 127, NULL }, { 128, 255, NULL } };
	struct tempdisk d;

	(void)state;
	tempdisk_make(&d, 16 * MIB);
	gpt(&d, 4096, 16 * MIB, entries, 2);
	expect(&d, 4096, "gpt: 1 512+512, 2 1024+1024", 2);
	expect_backup(&d, 4096, false);
	expect(&d, 512, ":", 0); /* a protective MBR and no GPT is no table */
	tempdisk_drop(&d);
	tempdisk_make(&d, 16 * MIB);
	mbr(&d, 4096, 0, 0, 0x83, 256, 512);
	mbr(&d, 4096, 0, 1, 0x05, 1024, 1024);
	mbr(&d, 4096, 1024, 0, 0x83, 16, 64);
	expect(&d, 4096, "dos: 1 2048+4096, 2 8192+8192 c, 5 8320+512", 2);
	tempdisk_drop(&d);
}

static void no_table(void **state)
{
	struct tempdisk d;

	(void)state;
	tempdisk_make(&d, 16 * MIB);
	expect(&d, 512, ":", 0);
	expect(&d, 4096, ":", 0);
	tempdisk_drop(&d);
	tempdisk_make(&d, 100); /* shorter than a sector */
	expect(&d, 512, ":", 0);
	tempdisk_drop(&d);
}

static void an_empty_table(void **state)
{
	struct tempdisk d;

	(void)state;
	tempdisk_make(&d, 16 * MIB);
	sfdisk(&d, "label: gpt\\n");
	expect(&d, 512, "gpt:", 0);
	tempdisk_drop(&d);
	tempdisk_make(&d, 16 * MIB);
	sfdisk(&d, "label: dos\\n");
	expect(&d, 512, "dos:", 0);
	tempdisk_drop(&d);
}

/* One partition that can't be spoils the whole: such a table is no table. */
static void implausible(void **state)
{
	struct tempdisk d;

	(void)state;
	tempdisk_make(&d, 16 * MIB); /* 32768 sectors */
	mbr(&d, 512, 0, 0, 0x83, 2048, 4096);
	mbr(&d, 512, 0, 1, 0x83, 6143, 1024);
	expect(&d, 512, "dos: 1 2048+4096 o, 2 6143+1024 o", 0);
	mbr(&d, 512, 0, 1, 0x83, 6144, 1024); /* side by side */
	expect(&d, 512, "dos: 1 2048+4096, 2 6144+1024", 2);
	mbr(&d, 512, 0, 2, 0x83, 32000, 768); /* to the very end */
	expect(&d, 512, "dos: 1 2048+4096, 2 6144+1024, 3 32000+768", 3);
	mbr(&d, 512, 0, 2, 0x83, 32000, 769);
	expect(&d, 512, "dos: 1 2048+4096, 2 6144+1024, 3 32000+769 b", 0);
	mbr(&d, 512, 0, 2, 0x83, 32768, 1);
	expect(&d, 512, "dos: 1 2048+4096, 2 6144+1024, 3 32768+1 b", 0);
	mbr(&d, 512, 0, 2, 0x83, 0xffffffff, 0xffffffff);
	expect(&d, 512, "dos: 1 2048+4096, 2 6144+1024, 3 4294967295+4294967295 b", 0);
	mbr(&d, 512, 0, 2, 0x83, 3000, 10); /* one inside another */
	expect(&d, 512, "dos: 1 2048+4096 o, 2 6144+1024, 3 3000+10 o", 0);
	mbr(&d, 512, 0, 0, 0x83, 0, 32768); /* the whole disk once more, its table in it */
	mbr(&d, 512, 0, 1, 0, 0, 0);
	mbr(&d, 512, 0, 2, 0, 0, 0);
	expect(&d, 512, "dos: 1 0+32768 b", 0);
	tempdisk_drop(&d);
}

static void entries_of_a_gpt_beyond_its_end(void **state)
{
	static const struct gpt_entry entries[3] = { { 2048, 4095, NULL }, { 20000, 40000, NULL },
						     { UINT64_MAX - 1, UINT64_MAX, NULL } };
	struct partitions t;
	struct tempdisk d;

	(void)state;
	tempdisk_make(&d, 16 * MIB);
	gpt(&d, 512, 16 * MIB, entries, 3);
	t = read_table(&d, 512);
	assert_int_equal(t.p[0].number, 1);
	assert_int_equal(t.n + t.left_out, 3);
	assert_int_equal(t.left_out, 2);
	for (size_t i = 0; i < t.n; i++)
		assert_true(!t.p[i].fits || t.p[i].start + t.p[i].bytes <= 16 * MIB);
	partitions_free(&t);
	tempdisk_drop(&d);
}

static void more_than_there_is_room_for(void **state)
{
	static struct gpt_entry entries[MAX_PARTITIONS + 44];
	struct partitions t;
	struct tempdisk d;
	struct err e = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(entries); i++)
		entries[i] = (struct gpt_entry){ 100 + i * 8, 100 + i * 8 + 7, "x" };
	tempdisk_make(&d, 16 * MIB);
	gpt(&d, 512, 16 * MIB, entries, ARRAY_SIZE(entries));
	assert_int_equal(read_rc(&d, 512, &t, &e), -E2BIG);
	assert_string_equal(e.word, "bad-table");
	assert_int_equal(t.n, 0);
	assert_null(t.p);
	tempdisk_drop(&d);
}

/* ---- the extended chain ---- */

static void a_chain_that_ends(struct tempdisk *d)
{
	tempdisk_make(d, 16 * MIB);
	mbr(d, 512, 0, 0, 0x05, 2048, 20480);
	mbr(d, 512, 2048, 0, 0x83, 64, 512);
	mbr(d, 512, 2048, 1, 0x05, 1024, 1024);
	mbr(d, 512, 3072, 0, 0x83, 64, 512);
}

static void logical_partitions(void **state)
{
	struct tempdisk d;

	(void)state;
	a_chain_that_ends(&d);
	expect(&d, 512, "dos: 1 2048+20480 c, 5 2112+512, 6 3136+512", 2);
	tempdisk_drop(&d);
}

static void a_chain_that_bites_its_tail(void **state)
{
	struct partitions t;
	struct tempdisk d;
	struct err e = { 0 };

	(void)state;
	a_chain_that_ends(&d);
	mbr(&d, 512, 3072, 1, 0x05, 0, 1024); /* to the first again */
	expect(&d, 512, "dos: 1 2048+20480 c, 5 2112+512, 6 3136+512", 2);
	mbr(&d, 512, 3072, 1, 0x05, 1024, 1024); /* to itself */
	expect(&d, 512, "dos: 1 2048+20480 c, 5 2112+512, 6 3136+512", 2);
	tempdisk_drop(&d);

	tempdisk_make(&d, 16 * MIB);
	mbr(&d, 512, 0, 0, 0x05, 2048, 20480);
	mbr(&d, 512, 2048, 1, 0x05, 0, 1024); /* nothing in it, to itself */
	expect(&d, 512, "dos: 1 2048+20480 c", 0);
	tempdisk_drop(&d);

	tempdisk_make(&d, 16 * MIB); /* the extended partition is the MBR itself */
	mbr(&d, 512, 0, 0, 0x05, 0, 32768);
	mbr(&d, 512, 0, 1, 0x83, 2048, 2048);
	if (read_rc(&d, 512, &t, &e) == 0)
		partitions_free(&t);
	tempdisk_drop(&d);
}

/* The chain goes on and on: it is bounded, by an error or by what is taken. */
static void a_chain_without_an_end(void **state)
{
	struct partitions t;
	struct tempdisk d;
	struct err e = { 0 };
	uint32_t i;

	(void)state;
	tempdisk_make(&d, 64 * MIB);
	mbr(&d, 512, 0, 0, 0x05, 2048, 100000);
	for (i = 0; i < 5000; i++) {
		mbr(&d, 512, 2048 + i * 8, 0, 0x83, 1, 4);
		mbr(&d, 512, 2048 + i * 8, 1, 0x05, (i + 1) * 8, 8);
	}
	if (read_rc(&d, 512, &t, &e) == 0) {
		assert_true(t.n <= MAX_PARTITIONS);
		partitions_free(&t);
	} else {
		assert_int_equal(e.code, E2BIG);
	}
	tempdisk_drop(&d);
}

static void a_device_that_can_not_be_read(void **state)
{
	struct partitions t;
	struct err e = { 0 };
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(partitions_read(fd, 512, &t, &e), -EIO);
	close(fd);
	assert_string_equal(e.word, "io-error");
	partitions_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_mbr_of_sfdisk),
		cmocka_unit_test(a_gpt_of_sfdisk),
		cmocka_unit_test(a_gpt_with_a_hole_and_a_hostile_label),
		cmocka_unit_test(a_damaged_gpt),
		cmocka_unit_test(a_gpt_with_a_wrong_checksum),
		cmocka_unit_test(tables_in_large_sectors),
		cmocka_unit_test(no_table),
		cmocka_unit_test(an_empty_table),
		cmocka_unit_test(implausible),
		cmocka_unit_test(entries_of_a_gpt_beyond_its_end),
		cmocka_unit_test(more_than_there_is_room_for),
		cmocka_unit_test(logical_partitions),
		cmocka_unit_test(a_chain_that_bites_its_tail),
		cmocka_unit_test(a_chain_without_an_end),
		cmocka_unit_test(a_device_that_can_not_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
