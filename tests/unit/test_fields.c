/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link: -Wl,--wrap=look_fields */
/* Numbers at fixed places of a device, and what drivers make of them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fieldslook.h"
#include "fstools.h"
#include "tempdisk.h"

#define BYTES (FIELDS_BLOCK * 2 + 512) /* as a disk may end: not with a whole block */
#define DIGITS "\x01\x02\x03\x04\x05\x06\x07\x88"

static void numbers(void **state)
{
	static const struct field f[] = {
		{ 5000, 8, false }, { 5000, 8, true }, { 5001, 2, false }, { 5001, 2, true }, { 5007, 1, false },
		{ BYTES - 4, 4, true },
	};
	static const uint64_t right[] = { 0x8807060504030201, 0x0102030405060788, 0x0302, 0x0203, 0x88, 0x05060788 };
	uint64_t value[ARRAY_SIZE(f)];
	struct tempdisk d;
	struct err e;
	int fd;

	(void)state;
	tempdisk_make(&d, BYTES);
	tempdisk_put(&d, 5000, DIGITS, 8);
	tempdisk_put(&d, BYTES - 8, DIGITS, 8);
	assert_int_equal(fields_read(d.fd, f, ARRAY_SIZE(f), value, &e), 0);
	assert_memory_equal(value, right, sizeof(right));
	/* past the cache only aligned reads go through */
	assert_int_equal(fsync(d.fd), 0);
	fd = open(d.path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	assert_true(fd >= 0);
	memset(value, 0, sizeof(value));
	assert_int_equal(fields_read(fd, f, ARRAY_SIZE(f), value, &e), 0);
	assert_memory_equal(value, right, sizeof(right));
	close(fd);
	tempdisk_drop(&d);
}

static void behind_the_end(void **state)
{
	static const struct field f[] = { { 0, 1, false }, { BYTES - 3, 4, false }, { UINT64_MAX, 1, false } };
	uint64_t value[ARRAY_SIZE(f)];
	struct tempdisk d;
	struct err e;

	(void)state;
	tempdisk_make(&d, BYTES);
	assert_int_equal(fields_read(d.fd, f, 2, value, &e), -EIO);
	assert_string_equal(e.word, "io-error");
	assert_string_equal(e.text, "read it at byte 8701: the device ends there");
	assert_true(fields_read(d.fd, f + 2, 1, value, &e) < 0);
	assert_string_equal(e.word, "io-error");
	tempdisk_drop(&d);
}

struct part {
	uint64_t at;
	const char *bytes;
	size_t n;
};

/* The error's code with which a tool refuses a disk that has these parts; "" where it does not. */
static void expect(const struct fs_tool *t, const struct part *part, size_t n, const char *word)
{
	struct node device = { .bytes = 1 << 20 }, fs = { .parents = { &device }, .n_parents = 1 };
	struct err e = { 0 };
	struct tempdisk d;
	size_t i;

	tempdisk_make(&d, device.bytes);
	memcpy(device.device, d.path, sizeof(d.path));
	for (i = 0; i < n; i++)
		tempdisk_put(&d, part[i].at, part[i].bytes, part[i].n);
	assert_int_equal(t->refuse(&fs, &e) < 0, word[0] != 0);
	assert_string_equal(e.word, word);
	tempdisk_drop(&d);
}

static void xfs(void **state)
{
	static const struct part log = { 48, "\0\0\0\0\0\0\0\4", 8 };
	static const struct part with_realtime[] = { log, { 16, "\0\0\0\0\0\0\1\0", 8 } };
	static const struct part small_sectors[] = { log, { 102, "\1\0", 2 } }, right[] = { log, { 102, "\2\0", 2 } };

	(void)state;
	expect(&xfs_tool, NULL, 0, "missing-device");
	expect(&xfs_tool, with_realtime, 2, "missing-device");
	expect(&xfs_tool, small_sectors, 2, "unsupported-feature");
	expect(&xfs_tool, right, 2, "");
}

static void f2fs(void **state)
{
	static const struct part first[] = { { 1024, "\x10\x20\xf5\xf2", 4 }, { 1024 + 2201, "/", 1 } };
	static const struct part second[] = { { 5120, "\x10\x20\xf5\xf2", 4 }, { 5120 + 2201, "/", 1 } };
	static const struct part mixed[] = { { 1024, "\x10\x20\xf5\xf2", 4 }, { 5120 + 2201, "/", 1 } };

	(void)state;
	expect(&f2fs_tool, first, 2, "missing-device");
	expect(&f2fs_tool, second, 2, "missing-device");
	expect(&f2fs_tool, mixed, 2, "");
}

static void exfat(void **state)
{
	struct tempdisk d;

	(void)state;
	tempdisk_make(&d, 1 << 20);
	tempdisk_put(&d, 106, "\xfd\xff", 2);
	assert_false(exfat_tool.is_pending(d.path));
	tempdisk_put(&d, 106, "\x02\x00", 2);
	assert_true(exfat_tool.is_pending(d.path));
	tempdisk_drop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers), cmocka_unit_test(behind_the_end), cmocka_unit_test(xfs),
		cmocka_unit_test(f2fs), cmocka_unit_test(exfat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
