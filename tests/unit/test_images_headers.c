/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers of vdi, vhdx and vmdk images with one thing wrong in each; raw disks. */
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

/* ---- vdi: 8 blocks, two of them there ---- */

static void make_vdi(struct tempdisk *d)
{
	tempdisk_make(d, 1024 + 2 * MIB);
	put_le(d, 0x40, 4, 0xbeda107f);
	put_le(d, 0x44, 4, 0x00010001);
	put_le(d, 0x4c, 4, 1);
	put_le(d, 0x154, 4, 512);
	put_le(d, 0x158, 4, 1024);
	put_le(d, 0x168, 4, 512);
	put_le(d, 0x170, 8, 8 * MIB);
	put_le(d, 0x178, 4, MIB);
	put_le(d, 0x180, 4, 8);
	put_le(d, 0x184, 4, 2);
}

static void vdi_headers(void **state)
{
	static const struct change changes[] = {
		{ 0x4c, 4, 1, "" },
		{ 0x4c, 4, 2, "" },
		{ 0x4c, 4, 4, "vdi type 4 is not supported" },
		{ 0x44, 4, 0x10000, "vdi version 65536 is not supported" },
		{ 0x40, 4, 0, "its content is not vdi, as its name says" },
		{ 0x154, 4, 513, "its block map or data begins where it can't" },
		{ 0x154, 4, 0, "its block map or data begins where it can't" },
		{ 0x154, 4, 1024, "its block map lies outside the file or over the data" },
		{ 0x154, 4, 0xfffffe00, "its block map lies outside the file or over the data" },
		{ 0x158, 4, 512, "its block map lies outside the file or over the data" },
		{ 0x158, 4, 0xfffffe00, "it is shorter than the 2 blocks that it has by its header" },
		{ 0x168, 4, 4096, "sector size 4096 is not supported" },
		{ 0x170, 8, 8 * MIB + 1, "its 8 blocks do not fit a disk of 8388609 bytes" },
		{ 0x170, 8, 0, "its 8 blocks do not fit a disk of 0 bytes" },
		{ 0x178, 4, 4096, "block size 4096 is not supported" },
		{ 0x17c, 4, 8, "extra data per block 8 is not supported" },
		{ 0x180, 4, 0x40000000, "its 1073741824 blocks do not fit a disk of 8388608 bytes" },
		{ 0x180, 4, 0x3fffffff, "its block map lies outside the file or over the data" },
		{ 0x184, 4, 9, "its 8 blocks do not fit a disk of 8388608 bytes" },
		{ 0x184, 4, 3, "it is shorter than the 3 blocks that it has by its header" },
		{ 0x1a8, 1, 1, "it is the difference to a parent image, which QEMU can't follow in this format" },
		{ 0x1c7, 1, 1, "it is the difference to a parent image, which QEMU can't follow in this format" },
		{ 511, 0, 0, OUTSIDE },
	};

	(void)state;
	expect_changes(make_vdi, IMAGE_VDI, false, NULL, changes, ARRAY_SIZE(changes));
}

/* ---- vhdx: metadata at 2 MiB, block table at 3 MiB ---- */

static uint32_t crc32c(const unsigned char *p, size_t n)
{
	uint32_t crc = ~0u;
	int i;

	while (n--) {
		crc ^= *p++;
		for (i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void seal_at(const struct tempdisk *d, uint64_t at, size_t n)
{
	static unsigned char raw[64 * KIB];

	put_le(d, at + 4, 4, 0);
	tempdisk_get(d, at, raw, n);
	put_le(d, at + 4, 4, crc32c(raw, n));
}

static void seal_vhdx(const struct tempdisk *d)
{
	if (lseek(d->fd, 0, SEEK_END) < (off_t)(256 * KIB))
		return;
	seal_at(d, 64 * KIB, 4096);
	seal_at(d, 192 * KIB, 64 * KIB);
}

static void make_vhdx(struct tempdisk *d)
{
	static const char *const guids[] = {
		"\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b",
		"\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8",
		"\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f",
	};
	static const unsigned bytes[] = { 8, 8, 4 };
	uint64_t i, at = 192 * KIB;

	tempdisk_make(d, 4 * MIB);
	tempdisk_put(d, 0, "vhdxfile", 8);
	tempdisk_put(d, 64 * KIB, "head", 4);
	put_le(d, 64 * KIB + 66, 2, 1);
	put_le(d, 64 * KIB + 68, 4, MIB);
	put_le(d, 64 * KIB + 72, 8, MIB);
	tempdisk_put(d, at, "regi", 4);
	put_le(d, at + 8, 4, 2);
	tempdisk_put(d, at + 16, "\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08", 16);
	put_le(d, at + 32, 8, 3 * MIB);
	put_le(d, at + 40, 4, MIB);
	put_le(d, at + 44, 4, 1);
	tempdisk_put(d, at + 48, "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e", 16);
	put_le(d, at + 64, 8, 2 * MIB);
	put_le(d, at + 72, 4, MIB);
	put_le(d, at + 76, 4, 1);
	at = 2 * MIB;
	tempdisk_put(d, at, "metadata", 8);
	put_le(d, at + 10, 2, 3);
	for (i = 0; i < 3; i++) {
		tempdisk_put(d, at + 32 + 32 * i, guids[i], 16);
		put_le(d, at + 48 + 32 * i, 4, 64 * KIB + 8 * i);
		put_le(d, at + 52 + 32 * i, 4, bytes[i]);
	}
	put_le(d, at + 64 * KIB, 4, MIB);
	put_le(d, at + 64 * KIB + 8, 8, 64 * MIB);
	put_le(d, at + 64 * KIB + 16, 4, 512);
	seal_vhdx(d);
}

static void vhdx_headers(void **state)
{
	static const struct change changes[] = {
		{ 64 * KIB + 8, 8, 9, "" },
		{ 64 * KIB, 4, 0, "both of its headers are damaged" },
		{ 64 * KIB + 66, 2, 2, "version 2 of vhdx is not known" },
		{ 64 * KIB + 68, 4, 0xfff00000, "its log lies outside the file" },
		{ 64 * KIB + 72, 8, UINT64_MAX, "its log lies outside the file" },
		{ 192 * KIB, 4, 0, "its region table is damaged" },
		{ 192 * KIB + 8, 4, 2048, "a table of 2048 regions is not possible" },
		{ 192 * KIB + 8, 4, 1, "it lacks a block table or metadata" },
		{ 192 * KIB + 32, 8, MIB - 512, "its region table points to where nothing can be" },
		{ 192 * KIB + 32, 8, 4 * MIB, "its region table points to where nothing can be" },
		{ 192 * KIB + 32, 8, UINT64_MAX << 20, "its region table points to where nothing can be" },
		{ 192 * KIB + 40, 4, 0, "its region table points to where nothing can be" },
		{ 192 * KIB + 16, 1, 0,
		  "it needs features that this version doesn't know: region 2dc27700-f623-4200-9d64..." },
		{ 2 * MIB, 1, 0, "its metadata table is damaged" },
		{ 2 * MIB + 10, 2, 2048, "its metadata table is damaged" },
		{ 2 * MIB + 10, 2, 2, "its metadata doesn't say how large the disk is" },
		{ 2 * MIB + 48, 4, 8, "its metadata table points to where nothing can be" },
		{ 2 * MIB + 48, 4, MIB - 7, "its metadata table points to where nothing can be" },
		{ 2 * MIB + 52, 4, 7, "its metadata table points to where nothing can be" },
		{ 2 * MIB + 52, 4, 0xffffffff, "its metadata table points to where nothing can be" },
		{ 2 * MIB + 64 * KIB, 4, 512, "blocks of 512 bytes are not possible" },
		{ 2 * MIB + 64 * KIB, 4, 3 * MIB, "blocks of 3145728 bytes are not possible" },
		{ 2 * MIB + 64 * KIB + 4, 4, 2,
		  "it is the difference to a parent image, which QEMU can't follow in this format" },
		{ 2 * MIB + 64 * KIB + 8, 8, 0, "a disk of 0 bytes is not possible" },
		{ 2 * MIB + 64 * KIB + 8, 8, 513, "a disk of 513 bytes is not possible" },
		{ 2 * MIB + 64 * KIB + 8, 8, UINT64_MAX & ~511ULL, "a disk of 18446744073709551104 bytes is not possible" },
		{ 2 * MIB + 64 * KIB + 8, 8, 1ULL << 40,
		  "its block table is too small for a disk of 1099511627776 bytes" },
		{ 2 * MIB + 64 * KIB + 16, 4, 4096, "sectors of 4096 bytes are not supported" },
		{ 100 * KIB, 0, 0, OUTSIDE },
	};

	(void)state;
	expect_changes(make_vhdx, IMAGE_VHDX, false, seal_vhdx, changes, ARRAY_SIZE(changes));
}

static void vhdx_logs_and_second_headers(void **state)
{
	struct image_facts facts;
	unsigned char header[4096];
	struct tempdisk d;
	struct err e;

	(void)state;
	make_vhdx(&d);
	assert_int_equal(facts_of(&d, IMAGE_VHDX, &facts, &e), 0);
	assert_int_equal(facts.bytes, 64 * MIB);
	assert_false(facts.is_log_dirty);
	facts_clear(&facts);
	tempdisk_get(&d, 64 * KIB, header, sizeof(header));
	tempdisk_put(&d, 128 * KIB, header, sizeof(header));
	put_le(&d, 128 * KIB + 8, 8, 1); /* newer, with a log */
	put_le(&d, 128 * KIB + 48, 1, 1);
	seal_at(&d, 128 * KIB, 4096);
	assert_int_equal(facts_of(&d, IMAGE_VHDX, &facts, &e), 0);
	assert_true(facts.is_log_dirty);
	facts_clear(&facts);
	put_le(&d, 128 * KIB + 100, 1, 1); /* not intact any more */
	assert_int_equal(facts_of(&d, IMAGE_VHDX, &facts, &e), 0);
	assert_false(facts.is_log_dirty);
	facts_clear(&facts);
	tempdisk_drop(&d);
}

/* ---- vmdk in one file ---- */

#define TEXT_OF(type)                                                                              \
	"# Disk DescriptorFile\nversion=1\nCID=11111111\nparentCID=ffffffff\ncreateType=\"" type "\"\n"

static void make_vmdk(struct tempdisk *d)
{
	static const char text[] = TEXT_OF("monolithicSparse") "RW 1 RUBBISH \"/etc/shadow\"\n";

	tempdisk_make(d, MIB);
	tempdisk_put(d, 0, "KDMV", 4);
	put_le(d, 4, 4, 1);
	put_le(d, 8, 4, 3);
	put_le(d, 12, 8, 16384);
	put_le(d, 20, 8, 128);
	put_le(d, 28, 8, 1);
	put_le(d, 36, 8, 20);
	put_le(d, 44, 4, 512);
	put_le(d, 48, 8, 21);
	put_le(d, 56, 8, 26);
	put_le(d, 64, 8, 128);
	tempdisk_put(d, 512, text, sizeof(text));
}

static void vmdk_headers(void **state)
{
	static const struct change changes[] = {
		{ 4, 4, 2, "" },
		{ 4, 4, 0, "version 0 of vmdk is not known" },
		{ 4, 4, 4, "version 4 of vmdk is not known" },
		{ 12, 8, 0, "a disk of 0 sectors is not possible" },
		{ 12, 8, UINT64_MAX, "a disk of 18446744073709551615 sectors is not possible" },
		{ 12, 8, 1ULL << 53, "a grain directory of 137438953472 entries is not possible" },
		{ 20, 8, 0, "grains of 0 sectors are not possible" },
		{ 20, 8, 100, "grains of 100 sectors are not possible" },
		{ 20, 8, 1ULL << 32, "grains of 4294967296 sectors are not possible" },
		{ 28, 8, 2, "its descriptor lies where it can't be" },
		{ 28, 8, 0, "it is an extent that no descriptor names" },
		{ 36, 8, 0, "its descriptor lies where it can't be" },
		{ 36, 8, UINT64_MAX, "its descriptor lies where it can't be" },
		{ 44, 4, 0, "grain tables of 0 entries are not possible" },
		{ 44, 4, 513, "grain tables of 513 entries are not possible" },
		{ 48, 8, 2048, "its second grain directory lies outside the file" },
		{ 56, 8, 2048, "its grain directory lies outside the file" },
		{ 56, 8, UINT64_MAX - 1, "its grain directory lies outside the file" },
		{ 56, 8, UINT64_MAX, "it lacks the header at its end" },
		{ 64, 8, 4096, "it ends before its first grain" },
		{ 512, 1, 0, "it is an extent that no descriptor names" },
		{ 0, 4, 0x44574f43, "it is a sparse vmdk of ESX, which is not supported" },
		{ 0, 1, 'X', "its content is not vmdk, as its name says; if it is an extent, no descriptor names it" },
		{ 511, 0, 0, OUTSIDE },
	};
	static char full[20 * 512];
	struct image_facts facts;
	struct tempdisk d;
	struct err e;

	(void)state;
	expect_changes(make_vmdk, IMAGE_VMDK, false, NULL, changes, ARRAY_SIZE(changes));
	make_vmdk(&d);
	put_le(&d, 77, 2, 1);
	assert_int_equal(facts_of(&d, IMAGE_VMDK, &facts, &e), 0);
	assert_true(facts.is_read_only);
	assert_int_equal(facts.n_extents, 0);
	facts_clear(&facts);
	memset(full, '#', sizeof(full));
	tempdisk_put(&d, 512, full, sizeof(full));
	expect(&d, IMAGE_VMDK, "its descriptor has no end");
	tempdisk_drop(&d);
}

/* ---- raw disks ---- */

static void raw_disks_that_look_like_something(void **state)
{
	static const struct { const char *begin; size_t at, n; const char *text; } looks[] = {
		{ "QFI\xfb", 0, 4, "qcow2" }, { "KDMV", 0, 4, "vmdk" },	    { "COWD", 0, 4, "vmdk" },
		{ "# Disk DescriptorFile\n", 0, 22, "vmdk" },		    { "vhdxfile", 0, 8, "vhdx" },
		{ "\x7f\x10\xda\xbe", 64, 4, "vdi" },			    { "conectix", 0, 8, "vpc" },
		{ "QED\0", 0, 4, "qed" },
	};
	struct tempdisk d;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(looks); i++) {
		tempdisk_make(&d, 2 * MIB);
		expect(&d, IMAGE_RAW, "");
		tempdisk_put(&d, looks[i].at, looks[i].begin, looks[i].n);
		snprintf(text, sizeof(text), "its content is %s but its name says raw; name its format in "
					     "sweep.conf if that is right", looks[i].text);
		expect(&d, IMAGE_RAW, text);
		tempdisk_drop(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vdi_headers),
		cmocka_unit_test(vhdx_headers),
		cmocka_unit_test(vhdx_logs_and_second_headers),
		cmocka_unit_test(vmdk_headers),
		cmocka_unit_test(raw_disks_that_look_like_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
