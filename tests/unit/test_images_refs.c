/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What headers name: which names are followed, and what is said of the others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "facts.h"
#include "imagefolder.h"
#include "imagesearch.h"

static void put_be(unsigned char *p, unsigned bytes, uint64_t value)
{
	while (bytes--) {
		p[bytes] = (unsigned char)value;
		value >>= 8;
	}
}

/* A small qcow2 with a backing file of that name and format (NULL: none). */
static void put_qcow2(const struct folder *f, const char *name, const char *backing, const char *format)
{
	unsigned char h[4096] = "QFI\xfb";

	put_be(h + 4, 4, 3);
	put_be(h + 20, 4, 16);
	put_be(h + 24, 8, 8 * MIB);
	put_be(h + 36, 4, 1);
	put_be(h + 40, 8, 0x20000);
	put_be(h + 48, 8, 0x10000);
	put_be(h + 56, 4, 1);
	put_be(h + 96, 4, 4);
	put_be(h + 100, 4, 104);
	if (format) {
		put_be(h + 104, 4, 0xe2792aca);
		put_be(h + 108, 4, strlen(format));
		memcpy(h + 112, format, strlen(format));
	}
	if (backing) {
		put_be(h + 8, 8, 1024);
		put_be(h + 16, 4, strlen(backing));
		memcpy(h + 1024, backing, strlen(backing));
	}
	folder_raw(f, name, 0x30000);
	folder_put(f, name, 0, h, sizeof(h));
}

static void expect(const struct folder *f, const char *name, const char *word, const char *text)
{
	const struct image *image = folder_get(f, name);

	if (strcmp(image->refused.text, text) != 0)
		fail_msg("%s: expected \"%s\", got \"%s\"", name, text, image->refused.text);
	assert_string_equal(image->refused.word, word);
}

struct name {
	const char *name, *word, *text;
};

/* One image in the folder sub/dir of a filesystem that the host mounted at /var/lib/images. */
static void expect_names(const struct name *n, size_t count)
{
	for (; count; n++, count--) {
		struct folder f;

		folder_make(&f);
		folder_run(&f, "mkdir -p sub/dir/in && truncate -s 2M top.raw sub/dir/a.raw 'sub/dir/in/b c.raw' && "
			       "ln -s a.raw sub/dir/link.raw && ln -s in sub/dir/linked && mkfifo sub/dir/pipe.raw && "
			       "mkdir sub/dir/folder.raw && ln -s /etc sub/etc && "
			       "{ mknod sub/dir/null.raw c 1 3 || mkfifo sub/dir/null.raw; }");
		put_qcow2(&f, "sub/dir/x.qcow2", n->name, "raw");
		assert_int_equal(folder_find_as(&f, NULL, 0, "/var/lib/images"), 0);
		expect(&f, "sub/dir/x.qcow2", n->word, n->text);
		folder_drop(&f);
	}
}

#define B "its backing file "
#define UNSUPPORTED "unsupported-feature"
#define REFUSED "bad-image"
#define DOTS ": a name with .. in it is not followed"
#define PROTOCOL ": it is no file but a protocol's address"
#define LEADS_OUT ": the name leads out of this filesystem, which the host mounts at /var/lib/images"
#define LINKED ": a symbolic link stands on the way, which is not followed"

static void names_of_backing_files(void **state)
{
	static const struct name names[] = {
		{ "a.raw", "", "" },
		{ "./a.raw", "", "" },
		{ ".//in/./b c.raw", "", "" },
		{ "/var/lib/images/top.raw", "", "" },
		{ "/var/lib/images//sub/dir/a.raw", "", "" },
		{ "../../top.raw", REFUSED, B "../../top.raw" DOTS },
		{ "in/../a.raw", REFUSED, B "in/../a.raw" DOTS },
		{ "..", REFUSED, B ".." DOTS },
		{ "/var/lib/images/../x", REFUSED, B "/var/lib/images/../x" DOTS },
		{ "gone.raw", "missing-device", B "gone.raw: there is no such file" },
		{ "a.raw/b", "missing-device", B "a.raw/b: there is no such file" },
		{ "/etc/shadow", REFUSED, B "/etc/shadow" LEADS_OUT },
		{ "/var/lib/images2/a.raw", REFUSED, B "/var/lib/images2/a.raw" LEADS_OUT },
		{ "/var/lib/images", REFUSED, B "/var/lib/images" LEADS_OUT },
		{ "/var/lib/images/", REFUSED, B "/var/lib/images/: the name is empty" },
		{ ".", REFUSED, B ".: the name is empty" },
		{ "link.raw", REFUSED, B "link.raw" LINKED },
		{ "linked/b c.raw", REFUSED, B "linked/b c.raw" LINKED },
		{ "/var/lib/images/sub/etc/passwd", REFUSED, B "/var/lib/images/sub/etc/passwd" LINKED },
		{ "pipe.raw", "bad-image", B "pipe.raw: it is not a regular file" },
		{ "null.raw", "bad-image", B "null.raw: it is not a regular file" },
		{ "folder.raw", "bad-image", B "folder.raw: it is not a regular file" },
		{ "nbd:localhost:10809", REFUSED, B "nbd:localhost:10809" PROTOCOL },
		{ "json:{\"driver\":\"file\"}", REFUSED, B "json:{\"driver\":\"file\"}" PROTOCOL },
		{ "http://host/a", REFUSED, B "http://host/a" PROTOCOL },
		{ "file:a.raw", REFUSED, B "file:a.raw" PROTOCOL },
		{ "fat:rw:dir", REFUSED, B "fat:rw:dir" PROTOCOL },
		{ ":", REFUSED, B ":" PROTOCOL },
		{ "gone/a:b.raw", "missing-device", B "gone/a:b.raw: there is no such file" },
		{ "\x1b[2Jx", REFUSED, B "\\x1b[2Jx: its name is not text that QEMU could be given" },
	};

	(void)state;
	expect_names(names, ARRAY_SIZE(names));
}

static void where_the_host_mounts_it(void **state)
{
	struct folder f;

	(void)state;
	folder_make(&f);
	put_qcow2(&f, "x.qcow2", "/srv/a.raw", "raw");
	folder_raw(&f, "a.raw", 2 * MIB);
	folder_find(&f);
	expect(&f, "x.qcow2", REFUSED, B "/srv/a.raw: the name is absolute, and where the host mounts this "
					   "filesystem is not known");
	assert_false(folder_get(&f, "a.raw")->backs_another);
	assert_int_equal(folder_find_as(&f, NULL, 0, "/srv/"), 0);
	expect(&f, "x.qcow2", "", "");
	assert_ptr_equal(folder_get(&f, "x.qcow2")->backing, folder_get(&f, "a.raw"));
	folder_run(&f, "mkdir srv && mv a.raw srv");
	assert_int_equal(folder_find_as(&f, NULL, 0, "/"), 0);
	expect(&f, "x.qcow2", "", "");
	/* where the way there is refused, what is at its end is spared all the same */
	assert_int_equal(folder_find_as(&f, NULL, 0, "/srv"), 0);
	expect(&f, "x.qcow2", "missing-device", B "/srv/a.raw: there is no such file");
	folder_run(&f, "mkdir in && ln -s ../srv/a.raw in/l.raw");
	put_qcow2(&f, "in/y.qcow2", "l.raw", "raw");
	folder_find(&f);
	expect(&f, "in/y.qcow2", REFUSED, B "l.raw" LINKED);
	assert_true(folder_get(&f, "srv/a.raw")->backs_another);
	folder_drop(&f);
}

static void formats_of_backing_files(void **state)
{
	static const struct image_wish wish = { "/q.img", "raw" };
	struct folder f;

	(void)state;
	folder_make(&f);
	put_qcow2(&f, "q.img", NULL, NULL);
	put_qcow2(&f, "hidden.base", NULL, NULL);
	folder_raw(&f, "r.qcow2", 2 * MIB);
	folder_raw(&f, "tiny.img", 4096);
	put_qcow2(&f, "0.qcow2", "q.img", "raw");
	put_qcow2(&f, "1.qcow2", "q.img", "qcow2");
	put_qcow2(&f, "2.qcow2", "q.img", "raw");
	put_qcow2(&f, "3.qcow2", "hidden.base", "qcow2");
	put_qcow2(&f, "4.qcow2", "hidden.base", NULL);
	put_qcow2(&f, "5.qcow2", "r.qcow2", "raw");
	put_qcow2(&f, "6.qcow2", "tiny.img", NULL);
	put_qcow2(&f, "7.qcow2", "tiny.img", "host_device");
	put_qcow2(&f, "8.qcow2", "tiny.img", "qcow2");
	folder_find(&f);
	expect(&f, "1.qcow2", "", "");
	assert_int_equal(folder_get(&f, "q.img")->format, IMAGE_QCOW2);
	assert_int_equal(folder_get(&f, "q.img")->format_from, FORMAT_FROM_IMAGE_ABOVE);
	assert_int_equal(folder_get(&f, "q.img")->refused.code, 0);
	assert_true(folder_get(&f, "q.img")->backs_another);
	expect(&f, "2.qcow2", "bad-image", "its backing file q.img is qcow2, but its header says raw");
	expect(&f, "0.qcow2", "bad-image", "its backing file q.img is qcow2, but its header says raw");
	expect(&f, "3.qcow2", "", "");
	assert_int_equal(folder_get(&f, "hidden.base")->format, IMAGE_QCOW2);
	expect(&f, "4.qcow2", "", ""); /* by then it is known what it is */
	expect(&f, "5.qcow2", "", "");
	assert_int_equal(folder_get(&f, "r.qcow2")->format, IMAGE_RAW);
	expect(&f, "6.qcow2", "", "");
	assert_int_equal(folder_get(&f, "tiny.img")->facts.bytes, 4096);
	expect(&f, "7.qcow2", UNSUPPORTED, B "tiny.img: its format host_device is not supported");
	expect(&f, "8.qcow2", "bad-image",
	       B "tiny.img: its content is not qcow2, as the image that lies on it says");
	assert_int_equal(folder_get(&f, "tiny.img")->refused.code, 0);
	/* the configuration's word counts more */
	assert_int_equal(folder_find_as(&f, &wish, 1, ""), 0);
	expect(&f, "1.qcow2", "bad-image", "its backing file q.img is raw, but its header says qcow2");
	folder_drop(&f);
}

static void loops(void **state)
{
	struct folder f;

	(void)state;
	folder_make(&f);
	put_qcow2(&f, "self.qcow2", "self.qcow2", "qcow2");
	put_qcow2(&f, "a.qcow2", "b.qcow2", "qcow2");
	put_qcow2(&f, "b.qcow2", "c.qcow2", "qcow2");
	put_qcow2(&f, "c.qcow2", "b.qcow2", "qcow2");
	put_qcow2(&f, "raw.img", "raw.img", "raw");
	folder_find(&f);
	expect(&f, "self.qcow2", "bad-image", "its backing files lead round in a circle");
	expect(&f, "a.qcow2", "bad-image", "its backing files lead round in a circle");
	expect(&f, "b.qcow2", "bad-image", "its backing files lead round in a circle");
	expect(&f, "c.qcow2", "bad-image", B "b.qcow2: its backing files lead round in a circle");
	folder_drop(&f);
}

static void chains_too_long(void **state)
{
	char name[16], below[16];
	struct folder f;
	int i;

	(void)state;
	folder_make(&f);
	put_qcow2(&f, "00.qcow2", NULL, NULL);
	for (i = 1; i <= IMAGES_MAX_CHAIN + 1; i++) {
		snprintf(name, sizeof(name), "%02d.qcow2", i);
		snprintf(below, sizeof(below), "%02d.qcow2", i - 1);
		put_qcow2(&f, name, below, "qcow2");
	}
	folder_find(&f);
	expect(&f, "64.qcow2", "", "");
	expect(&f, "65.qcow2", UNSUPPORTED, "it has more than 64 backing files");
	if (have_qemu())
		folder_run(&f, "qemu-io -r -c 'read 0 8M' '%s' | grep 'read 8388608'",
			   folder_graph(&f, "64.qcow2", true));
	folder_drop(&f);
}

static void what_is_wrong_below(void **state)
{
	struct folder f;

	(void)state;
	folder_make(&f);
	put_qcow2(&f, "a.qcow2", "/outside", "raw");
	put_qcow2(&f, "b.qcow2", "a.qcow2", "qcow2");
	put_qcow2(&f, "c.qcow2", "b.qcow2", "qcow2");
	put_qcow2(&f, "d.qcow2", "e.img", "raw");
	put_qcow2(&f, "e.img", NULL, NULL); /* a raw disk into which a guest wrote a header */
	folder_find(&f);
	expect(&f, "c.qcow2", REFUSED,
	       B "b.qcow2: " B "a.qcow2: " B "/outside: the name is absolute, and where the host mounts this "
	       "filesystem is not known");
	expect(&f, "d.qcow2", "bad-image",
	       B "e.img: its content is qcow2 but its name says raw; name its format in sweep.conf if that "
	       "is right");
	assert_null(image_graph(folder_get(&f, "c.qcow2"), f.path, true, &f.e));
	assert_int_equal(f.e.code, EINVAL);
	folder_drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_backing_files),
		cmocka_unit_test(where_the_host_mounts_it),
		cmocka_unit_test(formats_of_backing_files),
		cmocka_unit_test(loops),
		cmocka_unit_test(chains_too_long),
		cmocka_unit_test(what_is_wrong_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
