/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Image files' headers through the reader: the same comes of them, and no wrong answer is taken. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "boxed.h"
#include "imagebytes.h"

/* ---- in a sandbox ---- */

static void expect_same_text(const char *a, const char *b)
{
	assert_int_equal(!a, !b);
	if (a)
		assert_string_equal(a, b);
}

static void expect_same_err(int rc, const struct err *e, int boxed_rc, const struct err *boxed_e)
{
	assert_int_equal(boxed_rc, rc);
	assert_int_equal(boxed_e->code, e->code);
	assert_string_equal(boxed_e->word, e->word);
	assert_string_equal(boxed_e->text, e->text);
}

static void expect_same(const struct tempdisk *d, enum image_format format)
{
	struct image_file f = { d->fd, (uint64_t)lseek(d->fd, 0, SEEK_END) };
	struct image_facts bare, boxed;
	struct err e = { 0 }, boxed_e = { 0 };
	size_t i;
	int rc = image_reader_bare.facts(&f, format, FORMAT_FROM_WISH, &bare, &e);

	expect_same_err(rc, &e, image_reader_boxed.facts(&f, format, FORMAT_FROM_WISH, &boxed, &boxed_e), &boxed_e);
	assert_int_equal(boxed.bytes, bare.bytes);
	expect_same_text(bare.backing_name, boxed.backing_name);
	expect_same_text(bare.data_name, boxed.data_name);
	expect_same_text(bare.no_disk, boxed.no_disk);
	assert_string_equal(boxed.backing_format, bare.backing_format);
	assert_string_equal(boxed.create_type, bare.create_type);
	assert_string_equal(boxed.unsupported, bare.unsupported);
	assert_int_equal(boxed.is_read_only, bare.is_read_only);
	assert_int_equal(boxed.changes_on_open, bare.changes_on_open);
	assert_int_equal(boxed.parent_cid, bare.parent_cid);
	assert_int_equal(boxed.n_extents, bare.n_extents);
	for (i = 0; i < bare.n_extents; i++) {
		assert_string_equal(boxed.extents[i].name, bare.extents[i].name);
		assert_int_equal(boxed.extents[i].kind, bare.extents[i].kind);
		assert_int_equal(boxed.extents[i].bytes, bare.extents[i].bytes);
		assert_int_equal(boxed.extents[i].offset, bare.extents[i].offset);
	}
	facts_clear(&bare);
	facts_clear(&boxed);
}

/* A descriptor of n extents, and what else. */
static void make_descriptor(struct tempdisk *d, unsigned n, const char *more)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	unsigned i;

	fprintf(f, "# Disk DescriptorFile\nversion=1\nCID=1a2b3c4d\nparentCID=a0000001\n"
		   "createType=\"twoGbMaxExtentFlat\"\nparentFileNameHint=\"old base.vmdk\"\n");
	for (i = 0; i < n; i++)
		fprintf(f, "RW %u FLAT \"%0*u.vmdk\" %u\n", i + 1, 400, i, i);
	fprintf(f, "%s", more);
	fclose(f);
	tempdisk_make(d, 0);
	tempdisk_put(d, 0, text, size);
	free(text);
}

static void the_same_comes_of_it(void **state)
{
	struct tempdisk d;

	(void)state;
	if (geteuid() != 0)
		skip();
	tempdisk_make(&d, 2 << 20);
	expect_same(&d, IMAGE_RAW);
	expect_same(&d, IMAGE_QCOW2);
	tempdisk_put(&d, 0, "\x1f\x8b\x08", 3);
	expect_same(&d, IMAGE_RAW);
	/* a name outside: what was found until then counts */
	tempdisk_put(&d, 0, "QFI\xfb\0\0\0\2\0\0\0\0\0\0\0\x48\0\0\0\5\0\0\0\x10", 24);
	tempdisk_put(&d, 72, "below", 5);
	expect_same(&d, IMAGE_QCOW2);
	expect_same(&d, IMAGE_RAW);
	expect_same(&d, IMAGE_VHDX);
	assert_int_equal(ftruncate(d.fd, 0), 0);
	expect_same(&d, IMAGE_RAW);
	tempdisk_drop(&d);
}

static void more_extents_than_an_answer_has(void **state)
{
	static const unsigned n[] = { 0, 1, EXTENTS_PER_ANSWER, EXTENTS_PER_ANSWER + 1, IMAGE_MAX_EXTENTS,
				      IMAGE_MAX_EXTENTS + 1 };
	struct tempdisk d;
	size_t i;

	(void)state;
	if (geteuid() != 0)
		skip();
	for (i = 0; i < ARRAY_SIZE(n); i++) {
		make_descriptor(&d, n[i], "");
		expect_same(&d, IMAGE_VMDK);
		tempdisk_drop(&d);
	}
	make_descriptor(&d, EXTENTS_PER_ANSWER + 1, "RW nonsense\n");
	expect_same(&d, IMAGE_VMDK);
	tempdisk_drop(&d);
}

static void pieces(void **state)
{
	struct image_extent x = { EXTENT_FLAT, (char *)"unused", 1 << 20, 1 << 20 };
	struct err e = { 0 }, boxed_e = { 0 };
	struct image_file f;
	struct tempdisk d;

	(void)state;
	if (geteuid() != 0)
		skip();
	tempdisk_make(&d, 2 << 20);
	f = (struct image_file){ d.fd, 2 << 20 };
	assert_int_equal(image_reader_boxed.raw_check(&f, &e), 0);
	assert_int_equal(image_reader_boxed.extent_check(&f, &x, &e), 0);
	x.offset++;
	expect_same_err(image_reader_bare.extent_check(&f, &x, &e), &e,
			image_reader_boxed.extent_check(&f, &x, &boxed_e), &boxed_e);
	assert_string_equal(boxed_e.word, "bad-image");
	tempdisk_put(&d, 0, "KDMV", 4);
	x.kind = EXTENT_SPARSE;
	expect_same_err(image_reader_bare.extent_check(&f, &x, &e), &e,
			image_reader_boxed.extent_check(&f, &x, &boxed_e), &boxed_e);
	expect_same_err(image_reader_bare.raw_check(&f, &e), &e, image_reader_boxed.raw_check(&f, &boxed_e),
			&boxed_e);
	tempdisk_drop(&d);
}

/* ---- answers that can't be ---- */

static struct {
	struct flat_facts flat;
	struct flat_extents extents;
	struct image_facts facts;
	size_t n;
} t;

/* Takes t.flat, and the first n of t.extents. */
static int take(enum image_format format, size_t n)
{
	struct image_file f = { -1, 12345 };
	struct err e = { 0 };
	int rc = flat_facts_take(&t.flat, &f, format, &t.n, &t.facts, &e);

	if (rc == 0 && n)
		rc = flat_extents_take(&t.extents, n, &t.facts, &e);
	assert_int_equal(rc, -e.code);
	if (rc < 0)
		assert_string_equal(e.word, "tool-failed");
	return rc;
}

static void begin(void)
{
	memset(&t, 0, sizeof(t));
	t.flat.facts.bytes = 100;
	t.flat.facts.n_extents = 2;
	t.extents.part[0].x = (struct image_extent){ EXTENT_FLAT, NULL, 60, 0 };
	t.extents.part[1].x = (struct image_extent){ EXTENT_SPARSE, NULL, 40, 0 };
	strcpy(t.extents.part[0].name, "a");
	strcpy(t.extents.part[1].name, "b");
}

#define EXPECT(format, n, rc)                                                                      \
	do {                                                                                       \
		assert_int_equal(take(format, n), rc);                                             \
		facts_clear(&t.facts);                                                             \
	} while (0)

static void wrong_extents(void **state)
{
	(void)state;
	begin();
	assert_int_equal(take(IMAGE_VMDK, 2), 0);
	assert_int_equal(t.facts.n_extents, 2);
	assert_string_equal(t.facts.extents[1].name, "b");
	facts_clear(&t.facts);
	EXPECT(IMAGE_QCOW2, 0, -EIO);
	t.flat.facts.n_extents = IMAGE_MAX_EXTENTS + 1;
	EXPECT(IMAGE_VMDK, 0, -EIO);
	begin();
	t.extents.part[1].x.bytes = 41;
	EXPECT(IMAGE_VMDK, 2, -EIO);
	t.extents.part[1].x.bytes = UINT64_MAX - 58;
	EXPECT(IMAGE_VMDK, 2, -EIO);
	t.extents.part[1].x.bytes = 0;
	EXPECT(IMAGE_VMDK, 2, -EIO);
	begin();
	t.extents.part[0].name[0] = 0;
	EXPECT(IMAGE_VMDK, 2, -EIO);
	begin();
	t.extents.part[0].x.kind = (enum image_extent_kind)2;
	EXPECT(IMAGE_VMDK, 2, -EIO);
	begin();
	t.extents.part[0].x.offset = 1ULL << 63;
	EXPECT(IMAGE_VMDK, 2, -EIO);
	begin();
	memset(t.extents.part[0].name, 'x', sizeof(t.extents.part[0].name));
	assert_int_equal(take(IMAGE_VMDK, 2), 0);
	assert_int_equal(strlen(t.facts.extents[0].name), IMAGE_EXTENT_NAME_SIZE - 1);
	facts_clear(&t.facts);
}

static void wrong_facts(void **state)
{
	(void)state;
	memset(&t.flat, 0xff, sizeof(t.flat));
	t.flat.facts.n_extents = 0;
	t.flat.facts.bytes = INT64_MAX;
	assert_int_equal(take(IMAGE_QCOW2, 0), 0);
	assert_int_equal(strlen(t.facts.backing_name), IMAGE_NAME_SIZE - 1);
	assert_int_equal(strlen(t.facts.data_name), IMAGE_NAME_SIZE - 1);
	assert_int_equal(strlen(t.facts.backing_format), sizeof(t.facts.backing_format) - 1);
	assert_null(strchr(t.facts.unsupported, 0xff));
	assert_null(t.facts.extents);
	assert_null(t.facts.no_disk);
	assert_int_equal(*(unsigned char *)&t.facts.has_data_file, 1);
	facts_clear(&t.facts);
	t.flat.facts.bytes = 1ULL << 63;
	EXPECT(IMAGE_QCOW2, 0, -EIO);
	/* what is known here counts */
	t.flat.facts.bytes = 1;
	assert_int_equal(take(IMAGE_RAW, 0), 0);
	assert_int_equal(t.facts.bytes, 12345);
	assert_null(t.facts.no_disk);
	facts_clear(&t.facts);
	strcpy(t.flat.no_disk, "compressed with xz");
	assert_int_equal(take(IMAGE_RAW, 0), 0);
	assert_string_equal(t.facts.no_disk, "compressed with xz");
	facts_clear(&t.facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_comes_of_it),
		cmocka_unit_test(more_extents_than_an_answer_has),
		cmocka_unit_test(pieces),
		cmocka_unit_test(wrong_extents),
		cmocka_unit_test(wrong_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
