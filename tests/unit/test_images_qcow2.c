/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers of qcow2 images with one thing wrong in each. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imagebytes.h"

/* ---- qcow2: clusters of 64 KiB, refcount table in the second, L1 table in the third ---- */

static void make_qcow2(struct tempdisk *d)
{
	tempdisk_make(d, 4 * 64 * KIB);
	tempdisk_put(d, 0, "QFI\xfb", 4);
	put_be(d, 4, 4, 3);
	put_be(d, 20, 4, 16);
	put_be(d, 24, 8, 8 * MIB);
	put_be(d, 36, 4, 1);
	put_be(d, 40, 8, 128 * KIB);
	put_be(d, 48, 8, 64 * KIB);
	put_be(d, 56, 4, 1);
	put_be(d, 96, 4, 4);
	put_be(d, 100, 4, 104);
}

static void qcow2_geometry(void **state)
{
	static const struct change changes[] = {
		{ 4, 4, 3, "" },
		{ 4, 4, 2, "" },
		{ 4, 4, 1, "version 1 of qcow2 is not known" },
		{ 4, 4, 4, "version 4 of qcow2 is not known" },
		{ 20, 4, 8, "clusters of 2^8 bytes are not possible" },
		{ 20, 4, 22, "clusters of 2^22 bytes are not possible" },
		{ 20, 4, 0xffffffff, "clusters of 2^4294967295 bytes are not possible" },
		{ 24, 8, 1ULL << 63, "a disk of 9223372036854775808 bytes is not possible" },
		{ 24, 8, UINT64_MAX >> 1,
		  "an L1 table of 1 entries does not fit a disk of 9223372036854775807 bytes" },
		{ 24, 8, 513 * MIB, "an L1 table of 1 entries does not fit a disk of 537919488 bytes" },
		{ 24, 8, 512 * MIB, "" },
		{ 24, 8, 0, "" },
		{ 36, 4, 0, "an L1 table of 0 entries does not fit a disk of 8388608 bytes" },
		{ 36, 4, 0xffffffff, "an L1 table of 4294967295 entries does not fit a disk of 8388608 bytes" },
		{ 36, 4, 16385, "its L1 table lies outside the file" },
		{ 36, 4, 16384, "" },
		{ 40, 8, 128 * KIB + 512, "its L1 table lies outside the file" },
		{ 40, 8, 256 * KIB, "its L1 table lies outside the file" },
		{ 40, 8, UINT64_MAX << 16, "its L1 table lies outside the file" },
		{ 48, 8, UINT64_MAX << 16, "its refcount table lies outside the file" },
		{ 48, 8, 256 * KIB, "its refcount table lies outside the file" },
		{ 56, 4, 0, "its refcount table lies outside the file" },
		{ 56, 4, 4, "its refcount table lies outside the file" },
		{ 56, 4, 0xffffffff, "its refcount table lies outside the file" },
		{ 96, 4, 7, "refcounts of 2^7 bits are not possible" },
		{ 100, 4, 96, "a header of 96 bytes is not possible" },
		{ 100, 4, 108, "a header of 108 bytes is not possible" },
		{ 100, 4, 0xfffffff8, "a header of 4294967288 bytes is not possible" },
		{ 100, 0, 0, "it ends within its header" },
		{ 60 * KIB, 0, 0, "its L1 table lies outside the file" },
		{ 4, 0, 0, "it ends within its header" },
		{ 3, 0, 0, "its content is not qcow2, as its name says" },
		{ 0, 0, 0, "it is empty" },
	};

	(void)state;
	expect_changes(make_qcow2, IMAGE_QCOW2, true, NULL, changes, ARRAY_SIZE(changes));
}

static void qcow2_features(void **state)
{
	static const struct change changes[] = {
		{ 32, 4, 1, "the image itself is encrypted" },
		{ 32, 4, 2, "the image itself is encrypted" },
		{ 72, 8, 1, "" },
		{ 72, 8, 2, "" },
		{ 72, 8, 4, "it has its data in another file and doesn't say in which" },
		{ 72, 8, 8, "its header contradicts itself about how it is compressed" },
		{ 72, 8, 16, "" },
		{ 72, 8, 32, "it needs features that this version doesn't know: bit 5" },
		{ 72, 8, 1ULL << 63 | 64, "it needs features that this version doesn't know: bit 6, bit 63" },
		{ 80, 8, UINT64_MAX, "" },
		{ 88, 8, UINT64_MAX, "" },
	};
	struct image_facts facts;
	struct tempdisk d;
	struct err e;

	(void)state;
	expect_changes(make_qcow2, IMAGE_QCOW2, true, NULL, changes, ARRAY_SIZE(changes));
	make_qcow2(&d);
	put_be(&d, 72, 8, 2 | 8);
	put_be(&d, 88, 8, 1);
	put_be(&d, 100, 4, 112);
	put_be(&d, 104, 1, 1);
	assert_int_equal(facts_of(&d, IMAGE_QCOW2, &facts, &e), 0);
	assert_true(facts.is_corrupt && facts.needs_zstd && facts.changes_on_open && !facts.is_dirty);
	assert_int_equal(facts.bytes, 8 * MIB);
	facts_clear(&facts);
	put_be(&d, 104, 1, 2);
	expect(&d, IMAGE_QCOW2, "compression type 2 is not known");
	put_be(&d, 72, 8, 0);
	expect(&d, IMAGE_QCOW2, "its header contradicts itself about how it is compressed");
	tempdisk_drop(&d);
}

static uint64_t extension(const struct tempdisk *d, uint64_t at, uint32_t type, const char *data, uint32_t n)
{
	put_be(d, at, 4, type);
	put_be(d, at + 4, 4, n);
	if (data)
		tempdisk_put(d, at + 8, data, n);
	return at + 8 + (n + 7) / 8 * 8;
}

static void qcow2_feature_names(void **state)
{
	char names[3 * 48] = { 0 };
	struct tempdisk d;

	(void)state;
	make_qcow2(&d);
	put_be(&d, 72, 8, 7ULL << 40);
	names[1] = 40;
	memcpy(names + 2, "evil\x1b[2J\nbit", 13);
	names[48] = 1; /* a compatible one of that number */
	names[49] = 41;
	names[96 + 1] = 42;
	memset(names + 96 + 2, 'x', 46);
	extension(&d, 104, 0x6803f857, names, sizeof(names));
	expect(&d, IMAGE_QCOW2,
	       "it needs features that this version doesn't know: \"evil\\x1b[2J\\x0abit\", "
	       "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\", bit 41");
	tempdisk_drop(&d);
}

static void qcow2_extension_faults(void **state)
{
	struct tempdisk d;
	uint64_t at;

	(void)state;
	make_qcow2(&d);
	extension(&d, 104, 0x12345678, NULL, 0xfffffff8);
	expect(&d, IMAGE_QCOW2, "a header extension of 4294967288 bytes does not fit");
	extension(&d, 104, 0x12345678, NULL, 64 * KIB - 112);
	expect(&d, IMAGE_QCOW2, ""); /* to the very end of the cluster */
	extension(&d, 104, 0x12345678, NULL, 64 * KIB - 112 - 4);
	expect(&d, IMAGE_QCOW2, "");
	extension(&d, 104, 0xe2792aca, "0123456789abcdef", 16);
	expect(&d, IMAGE_QCOW2, "a name of 16 bytes in its header is not possible");
	extension(&d, 104, 0xe2792aca, "raw\0qcow2", 9);
	expect(&d, IMAGE_QCOW2, "a name in its header has a zero byte in it");
	at = extension(&d, 104, 0xe2792aca, "raw", 3);
	extension(&d, at, 0xe2792aca, "qcow2", 5);
	expect(&d, IMAGE_QCOW2, "it names the format of its backing file twice");
	at = extension(&d, 104, 0x44415441, "a", 1);
	extension(&d, at, 0x44415441, "b", 1);
	expect(&d, IMAGE_QCOW2, "it names its data file twice");
	extension(&d, 104, 0x44415441, NULL, 1024);
	expect(&d, IMAGE_QCOW2, "a name of 1024 bytes in its header is not possible");
	extension(&d, 104, 0x44415441, NULL, 0);
	expect(&d, IMAGE_QCOW2, "a name of 0 bytes in its header is not possible");
	tempdisk_drop(&d);
}

static void qcow2_backing_names(void **state)
{
	static const struct { uint64_t at; uint32_t n; const char *text; } names[] = {
		{ 1024, 1023, "the name of its backing file has a zero byte in it" },
		{ 1024, 1024, "the name of its backing file lies outside its header" },
		{ 1024, 0, "the name of its backing file is empty" },
		{ 72, 4, "the name of its backing file lies outside its header" },
		{ 64 * KIB - 3, 4, "the name of its backing file lies outside its header" },
		{ 64 * KIB + 1, 1, "the name of its backing file lies outside its header" },
		{ UINT64_MAX, 4, "the name of its backing file lies outside its header" },
	};
	struct image_facts facts;
	struct tempdisk d;
	struct err e;
	size_t i;

	(void)state;
	make_qcow2(&d);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		put_be(&d, 8, 8, names[i].at);
		put_be(&d, 16, 4, names[i].n);
		expect(&d, IMAGE_QCOW2, names[i].text);
	}
	put_be(&d, 8, 8, 2048);
	put_be(&d, 16, 4, 5);
	tempdisk_put(&d, 2048, "a.raw!", 6);
	extension(&d, 104, 0xe2792aca, "raw", 3);
	assert_int_equal(facts_of(&d, IMAGE_QCOW2, &facts, &e), 0);
	assert_string_equal(facts.backing_name, "a.raw");
	assert_string_equal(facts.backing_format, "raw");
	facts_clear(&facts);
	put_be(&d, 72, 8, 4);
	put_be(&d, 88, 8, 2);
	extension(&d, 120, 0x44415441, "b.raw", 5);
	expect(&d, IMAGE_QCOW2, "it has a raw data file and a backing file, which exclude each other");
	tempdisk_drop(&d);
}

static void qcow2_snapshot_table(void **state)
{
	struct image_facts facts;
	struct tempdisk d;
	struct err e;
	uint64_t at = 192 * KIB;

	(void)state;
	make_qcow2(&d);
	put_be(&d, 60, 4, 2);
	put_be(&d, 64, 8, at);
	put_be(&d, at + 12, 2, 1);
	put_be(&d, at + 14, 2, 3); /* 44, rounded to 48 */
	put_be(&d, at + 48 + 36, 4, 16);
	assert_int_equal(facts_of(&d, IMAGE_QCOW2, &facts, &e), 0);
	assert_int_equal(facts.snapshots, 2);
	assert_false(facts.has_vm_state);
	facts_clear(&facts);
	put_be(&d, at + 48 + 40, 8, 1ULL << 32); /* in 64 bits, behind a zero in 32 */
	assert_int_equal(facts_of(&d, IMAGE_QCOW2, &facts, &e), 0);
	assert_true(facts.has_vm_state);
	facts_clear(&facts);
	put_be(&d, at + 48 + 40, 8, 0);
	put_be(&d, at + 32, 4, 1);
	assert_int_equal(facts_of(&d, IMAGE_QCOW2, &facts, &e), 0);
	assert_true(facts.has_vm_state);
	facts_clear(&facts);
	put_be(&d, at + 48 + 36, 4, 0xffffffff);
	expect(&d, IMAGE_QCOW2,
	       "its snapshot 2 of 2: a snapshot with 4294967295 bytes of extra data is not possible");
	put_be(&d, 64, 8, 256 * KIB);
	expect(&d, IMAGE_QCOW2, "its snapshot 1 of 2: " OUTSIDE);
	put_be(&d, 64, 8, at + 8);
	expect(&d, IMAGE_QCOW2, "its table of snapshots lies outside the file");
	put_be(&d, 64, 8, at);
	put_be(&d, 60, 4, 65537);
	expect(&d, IMAGE_QCOW2, "65537 snapshots are not possible");
	tempdisk_drop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qcow2_geometry),
		cmocka_unit_test(qcow2_features),
		cmocka_unit_test(qcow2_feature_names),
		cmocka_unit_test(qcow2_extension_faults),
		cmocka_unit_test(qcow2_backing_names),
		cmocka_unit_test(qcow2_snapshot_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
