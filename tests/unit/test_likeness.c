/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link: -Wl,--wrap=look_fields */
/* What a device is called on which libblkid names nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fieldslook.h"
#include "knownas.h"
#include "likeness.h"
#include "tempdisk.h"

#define DISK (1u << 20)
#define MIB (1024 * 1024ULL)

static const struct {
	uint64_t at;
	const char *bytes;
	size_t n;
	const char *type; /* NULL: nothing */
} table[] = {
	{ 0, "QFI\xfb", 4, "qcow2" },
	{ 0, "KDMV", 4, "vmdk" },
	{ 0, "COWD", 4, "vmdk" },
	{ 0, "# Disk DescriptorFile", 21, "vmdk" },
	{ 64, "\x7f\x10\xda\xbe", 4, "vdi" },
	{ 0, "vhdxfile", 8, "vhdx" },
	{ 0, "conectix", 8, "vpc" },
	{ 512, "WEV\x82", 4, "bsd" },
	{ 64, "WEV\x82", 4, "bsd" },
	{ 128, "WEV\x82", 4, "bsd" },
	{ DISK - 512, "GEOM::ELI", 9, "geli" },
	{ 512, "QFI\xfb", 4, NULL },
	{ 0, "WEV\x82", 4, NULL },
	{ DISK - 1024, "GEOM::ELI", 9, NULL },
	{ 0, "QFI", 3, NULL },
};

static void marks(void **state)
{
	struct tempdisk d;
	const char *type;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		tempdisk_make(&d, DISK);
		tempdisk_put(&d, table[i].at, table[i].bytes, table[i].n);
		type = likeness_of(d.path, DISK);
		if (table[i].type) {
			assert_non_null(type);
			assert_string_equal(type, table[i].type);
			assert_non_null(known_as(type));
		} else {
			assert_null(type);
		}
		tempdisk_drop(&d);
	}
}

/* It is looked at no further than it goes. */
static void too_small(void **state)
{
	struct tempdisk d;

	(void)state;
	tempdisk_make(&d, 512);
	tempdisk_put(&d, 0, "QFI\xfb", 4);
	assert_null(likeness_of(d.path, 512));
	tempdisk_drop(&d);
	assert_null(likeness_of("/nowhere", DISK));
}

/* A superblock of which nothing but its marks is looked at: its magic number, size of blocks, and group. */
static void put_backup(const struct tempdisk *d, uint64_t at, unsigned char log_size, unsigned char group)
{
	tempdisk_put(d, at + 24, &log_size, 1);
	tempdisk_put(d, at + 56, "\x53\xef", 2);
	tempdisk_put(d, at + 90, &group, 1);
}

static void one_ext_backup(void **state)
{
	static const struct {
		uint64_t at, size;
		unsigned char log_size, group;
		uint64_t block; /* 0: it is none */
		unsigned block_size;
	} cases[] = {
		{ 8193 * 1024, 9 * MIB, 0, 1, 8193, 1024 },
		{ 24577 * 1024, 25 * MIB, 0, 3, 24577, 1024 },
		{ 16384 * 2048, 33 * MIB, 1, 1, 16384, 2048 },
		{ 32768ULL * 4096, 129 * MIB, 2, 1, 32768, 4096 },
		{ 32768ULL * 5 * 4096, 641 * MIB, 2, 5, 163840, 4096 },
		{ 8193 * 1024, 9 * MIB, 0, 0, 0, 0 },
		{ 8193 * 1024, 9 * MIB, 1, 1, 0, 0 },
		{ 8194 * 1024, 9 * MIB, 0, 1, 0, 0 },
		{ 32768ULL * 4096, 129 * MIB, 34, 1, 0, 0 },
	};
	struct tempdisk d;
	unsigned block_size;
	uint64_t block;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		tempdisk_make(&d, cases[i].size);
		put_backup(&d, cases[i].at, cases[i].log_size, cases[i].group);
		assert_int_equal(likeness_ext_backup(d.path, cases[i].size, &block, &block_size), cases[i].block != 0);
		if (cases[i].block) {
			assert_int_equal(block, cases[i].block);
			assert_int_equal(block_size, cases[i].block_size);
		}
		tempdisk_drop(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks),
		cmocka_unit_test(too_small),
		cmocka_unit_test(one_ext_backup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
