/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libblkid is given are the device's bytes. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "probebuf.h"
#include "tempdisk.h"

#define KIB 1024ull
#define DISK (2048 * KIB)
#define PAGE (4 * KIB)
#define HEAD (72 * KIB)
#define LONG_HEAD (384 * KIB)
#define TAIL (512 * KIB)

static unsigned char byte_at(uint64_t at)
{
	return (unsigned char)(at * 31 + at / 4096);
}

static void make(struct tempdisk *d, uint64_t bytes)
{
	unsigned char chunk[4096];
	uint64_t at, i;

	tempdisk_make(d, bytes);
	for (at = 0; at < bytes; at += sizeof(chunk)) {
		for (i = 0; i < sizeof(chunk); i++)
			chunk[i] = byte_at(at + i);
		tempdisk_put(d, at, chunk, sizeof(chunk));
	}
}

static void end(struct tempdisk *d)
{
	probebuf_empty();
	tempdisk_drop(d);
}

static void assert_here(uint64_t at, uint64_t n)
{
	const unsigned char *p = blkid_probe_held_bytes(at, n);
	uint64_t i;

	assert_non_null(p);
	for (i = 0; i < n; i++)
		assert_int_equal(p[i], byte_at(at + i));
}

static void a_device(void **state)
{
	struct tempdisk d;

	(void)state;
	make(&d, DISK);
	assert_null(blkid_probe_held_bytes(0, 512));
	probebuf_fill(d.fd, DISK, true);
	assert_here(0, HEAD);
	assert_here(HEAD - 1, 1);
	assert_null(blkid_probe_held_bytes(HEAD - 1, 2));
	assert_here(HEAD, PAGE);
	assert_here(DISK / 2 + 512, 512);
	assert_null(blkid_probe_held_bytes(DISK / 2, PAGE + 1));
	assert_null(blkid_probe_held_bytes(DISK / 2 + 512, PAGE));
	assert_here(DISK - TAIL, TAIL);
	assert_here(DISK - TAIL - 512, 512);
	assert_here(DISK - 512, 512);
	assert_null(blkid_probe_held_bytes(DISK - TAIL - 1, 2 * PAGE));
	probebuf_empty();
	assert_null(blkid_probe_held_bytes(0, 512));
	assert_null(blkid_probe_held_bytes(DISK - 512, 512));
	probebuf_fill(d.fd, DISK, false);
	assert_here(0, 512);
	assert_here(DISK - 512, 512);
	end(&d);
}

/* What has been handed out stays what it is. */
static void a_longer_head(void **state)
{
	struct tempdisk d;
	const unsigned char *early;

	(void)state;
	make(&d, DISK);
	probebuf_fill(d.fd, DISK, false);
	early = blkid_probe_held_bytes(PAGE, 512);
	assert_here(HEAD - 512, PAGE + 512);
	assert_here(0, 256 * KIB);
	assert_here(0, LONG_HEAD);
	assert_here(LONG_HEAD - PAGE, PAGE);
	assert_ptr_equal(blkid_probe_held_bytes(PAGE, 512), early);
	assert_null(blkid_probe_held_bytes(0, LONG_HEAD + 1));
	end(&d);
}

static void many_pages(void **state)
{
	struct tempdisk d;
	uint64_t at, held = 0;

	(void)state;
	make(&d, DISK);
	probebuf_fill(d.fd, DISK, true);
	for (at = LONG_HEAD; at < DISK - TAIL; at += PAGE)
		held += blkid_probe_held_bytes(at, 512) != NULL;
	assert_int_equal(held, 64);
	assert_here(LONG_HEAD, 512);
	end(&d);
}

static void small_ones(void **state)
{
	static const uint64_t sizes[] = { 4 * KIB, HEAD, HEAD + 4 * KIB, HEAD + TAIL, LONG_HEAD - 512 };
	struct tempdisk d;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		make(&d, sizes[i]);
		probebuf_fill(d.fd, sizes[i], true);
		assert_here(0, 4 * KIB);
		assert_here(sizes[i] - 512, 512);
		assert_here(0, sizes[i] < LONG_HEAD ? sizes[i] : LONG_HEAD);
		end(&d);
	}
}

/* Shorter than it says, as a device with a bad sector is: what can be read is there, the rest libblkid tries by itself. */
static void unreadable_ends(void **state)
{
	struct tempdisk d;

	(void)state;
	make(&d, DISK);
	probebuf_fill(d.fd, DISK + 512, true);
	assert_here(0, 512);
	assert_here(DISK - 512, 512);
	assert_null(blkid_probe_held_bytes(DISK, 512));
	end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device),
		cmocka_unit_test(a_longer_head),
		cmocka_unit_test(many_pages),
		cmocka_unit_test(small_ones),
		cmocka_unit_test(unreadable_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
