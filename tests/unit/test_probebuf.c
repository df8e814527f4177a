/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libblkid is given are the device's bytes, and nothing from outside of what it is to probe. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <blkid/blkid.h>

#include "attrs.h"
#include "probebuf.h"
#include "tempdisk.h"

#define KIB 1024ull
#define DISK (2048 * KIB)
#define HEAD (72 * KIB)
#define TAIL (512 * KIB)

const unsigned char *__wrap_blkid_probe_get_buffer(blkid_probe pr, uint64_t offset, uint64_t n);
const unsigned char *__real_blkid_probe_get_buffer(blkid_probe pr, uint64_t offset, uint64_t n);

static unsigned asked; /* libblkid's own */

const unsigned char *__real_blkid_probe_get_buffer(blkid_probe pr, uint64_t offset, uint64_t n)
{
	(void)pr;
	(void)offset;
	(void)n;
	asked++;
	return NULL;
}

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

/* A disk of so many bytes, and a probe of size bytes of it (0: to the end) from byte start on. */
static blkid_probe begin(struct tempdisk *d, uint64_t bytes, uint64_t start, uint64_t size)
{
	blkid_probe pr = blkid_new_probe();

	make(d, bytes);
	assert_int_equal(blkid_probe_set_device(pr, d->fd, (blkid_loff_t)start, (blkid_loff_t)size), 0);
	return pr;
}

static void end(struct tempdisk *d, blkid_probe pr)
{
	probebuf_empty();
	blkid_free_probe(pr);
	tempdisk_drop(d);
}

static void assert_here(blkid_probe pr, uint64_t offset, uint64_t n)
{
	uint64_t at = (uint64_t)blkid_probe_get_offset(pr) + offset, i;
	const unsigned char *p = __wrap_blkid_probe_get_buffer(pr, offset, n);

	assert_non_null(p);
	for (i = 0; i < n; i++)
		assert_int_equal(p[i], byte_at(at + i));
	assert_int_equal(asked, 0);
}

static void assert_elsewhere(blkid_probe pr, uint64_t offset, uint64_t n)
{
	assert_null(__wrap_blkid_probe_get_buffer(pr, offset, n));
	assert_int_equal(asked, 1);
	asked = 0;
}

static void a_device(void **state)
{
	struct tempdisk d;
	blkid_probe pr = begin(&d, DISK, 0, 0);

	(void)state;
	probebuf_fill(d.fd, DISK, true);
	assert_here(pr, 0, HEAD);
	assert_here(pr, HEAD - 1, 1);
	assert_elsewhere(pr, HEAD - 1, 2);
	assert_elsewhere(pr, HEAD, 1);
	assert_elsewhere(pr, DISK - TAIL - 1, 2);
	assert_here(pr, DISK - TAIL, TAIL);
	assert_here(pr, DISK - 512, 512);
	assert_elsewhere(pr, DISK - 1, 2);
	assert_elsewhere(pr, UINT64_MAX, 2);
	assert_elsewhere(pr, 2, UINT64_MAX);
	assert_elsewhere(pr, 0, 0);
	probebuf_empty();
	assert_elsewhere(pr, 0, 512);
	assert_elsewhere(pr, DISK - 512, 512);
	probebuf_fill(d.fd, DISK, false);
	assert_here(pr, 0, 512);
	assert_elsewhere(pr, DISK - 512, 512);
	end(&d, pr);
}

/* A partition's probe sees no more than the partition. */
static void a_part(void **state)
{
	struct tempdisk d;
	blkid_probe pr = begin(&d, DISK, 32 * KIB, 16 * KIB);

	(void)state;
	probebuf_fill(d.fd, DISK, true);
	assert_here(pr, 0, 16 * KIB);
	assert_elsewhere(pr, 0, 16 * KIB + 1);
	assert_elsewhere(pr, 16 * KIB, 1);
	end(&d, pr);
}

static void small_ones(void **state)
{
	static const uint64_t sizes[] = { 4 * KIB, HEAD, HEAD + 4 * KIB, HEAD + TAIL };
	struct tempdisk d;
	blkid_probe pr;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		pr = begin(&d, sizes[i], 0, 0);
		probebuf_fill(d.fd, sizes[i], true);
		assert_here(pr, 0, 4 * KIB);
		assert_here(pr, sizes[i] - 4 * KIB, 4 * KIB);
		end(&d, pr);
	}
}

/* Shorter than it says, as a device with a bad sector is: libblkid tries by itself. */
static void unreadable_ends(void **state)
{
	struct tempdisk d;
	blkid_probe pr = begin(&d, DISK, 0, 0);

	(void)state;
	probebuf_fill(d.fd, DISK + 512, true);
	assert_here(pr, 0, 512);
	assert_elsewhere(pr, DISK - 512, 512);
	end(&d, pr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device),
		cmocka_unit_test(a_part),
		cmocka_unit_test(small_ones),
		cmocka_unit_test(unreadable_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
