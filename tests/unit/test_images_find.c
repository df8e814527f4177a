/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The search for images: what is found, in what order, in which format, and where it ends. */
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

static void expect_paths(const struct folder *f, const char *list)
{
	char found[4096] = "";
	size_t i;

	for (i = 0; i < f->set.n; i++)
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s", i ? " " : "",
			 f->set.image[i]->path);
	assert_string_equal(found, list);
}

static void expect_refused(const struct image *image, const char *word, const char *text)
{
	assert_string_equal(image->refused.text, text);
	assert_string_equal(image->refused.word, word);
}

static void what_matches_in_order(void **state)
{
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_run(&f, "mkdir -p b a/deep/er .hid && truncate -s 2M z.raw b/x.img a/deep/er/y.raw a/UP.RAW .hid/.h.img "
		       "notes.txt raw img.bak && mkdir dir.raw && ln -s ../z.raw b/link.raw && ln -s a other && "
		       "mkfifo pipe.raw && ln b/x.img c.img");
	folder_find(&f);
	expect_paths(&f, ".hid/.h.img a/UP.RAW a/deep/er/y.raw b/x.img z.raw");
	assert_int_equal(f.set.n_skipped, 0);
	assert_int_equal(folder_get(&f, "/z.raw")->facts.bytes, 2 * MIB);
	assert_null(imageset_get(&f.set, "c.img"));
	folder_drop(&f);
}

static void files_that_are_no_disks(void **state)
{
	static const struct { const char *name, *begin; size_t n; const char *why; } files[] = {
		{ "a.img", "070701", 6, "a cpio archive" },
		{ "b.img", "070702", 6, "a cpio archive" },
		{ "c.img", "\x1f\x8b\x08", 3, "compressed with gzip" },
		{ "d.img", "\xfd" "7zXZ", 6, "compressed with xz" },
		{ "e.img", "\x28\xb5\x2f\xfd", 4, "compressed with zstd" },
		{ "f.img", "\x02\x21\x4c\x18", 4, "compressed with lz4" },
		{ "g.img", "BZh", 3, "compressed with bzip2" },
		{ "h.img", "\x5d\0\0", 3, "compressed with lzma" },
	};
	struct folder f;
	size_t i;

	(void)state;
	folder_make(&f);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		folder_raw(&f, files[i].name, 2 * MIB);
		folder_put(&f, files[i].name, 0, files[i].begin, files[i].n);
	}
	folder_run(&f, "truncate -s 1048575 i.img; truncate -s 1M j.img; : > k.raw; : > l.qcow2");
	folder_raw(&f, "m.img", 2 * MIB); /* begins like gzip and is a boot sector */
	folder_put(&f, "m.img", 0, "\x1f\x8b\x08", 3);
	folder_put(&f, "m.img", 510, "\x55\xaa", 2);
	folder_find(&f);
	expect_paths(&f, "j.img l.qcow2 m.img");
	expect_refused(folder_get(&f, "l.qcow2"), "bad-image", "it is empty");
	assert_int_equal(f.set.n_skipped, 10);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		assert_string_equal(f.set.skipped[i].path, files[i].name);
		assert_string_equal(f.set.skipped[i].why, files[i].why);
	}
	assert_string_equal(f.set.skipped[8].why, "smaller than 1 MiB");
	assert_string_equal(f.set.skipped[9].path, "k.raw");
	folder_drop(&f);
}

/* A link is not followed, but what is behind it is not passed over either; what has a name of its own is swept by that. */
static void symlinks_called_like_images(void **state)
{
	static const struct image_wish wish = { "/sub/wished", NULL };
	static const char text[] = "it is a symbolic link, which is not followed, to a file that is not called like an image; "
				   "give that file such a name, or name it in sweep.conf";
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_run(&f, "mkdir sub vmlinuz.img && truncate -s 2M sub/blob sub/vm-1 sub/wished z.raw && truncate -s 1k sub/small && "
		       ": >sub/empty && ln -s sub/blob a.img && ln -s ../sub/../a.img sub/b.qcow2 && ln -s /srv/kvm/sub/vm-1 c.raw && "
		       "ln -s sub/wished d.raw && ln -s z.raw e.img && ln -s sub/small f.img && ln -s sub/empty g.img && "
		       "ln -s sub h.img && ln -s gone i.img && ln -s j.img j.img && ln -s /dev/null k.img && ln -s sub/blob l && "
		       "ln -s sub/initrd initrd.img");
	folder_raw(&f, "sub/initrd", 2 * MIB);
	folder_put(&f, "sub/initrd", 0, "070701", 6);
	assert_int_equal(folder_find_as(&f, &wish, 1, "/srv/kvm"), 0);
	expect_paths(&f, "a.img c.raw sub/b.qcow2 sub/wished z.raw");
	expect_refused(folder_get(&f, "a.img"), "bad-image", text);
	expect_refused(folder_get(&f, "c.raw"), "bad-image", text);
	expect_refused(folder_get(&f, "sub/b.qcow2"), "bad-image", text);
	assert_int_equal(folder_get(&f, "sub/wished")->refused.code, 0);
	assert_int_equal(f.set.n_skipped, 0);
	folder_drop(&f);
}

static void symlinks_that_are_wished(void **state)
{
	static const struct image_wish wish = { "/a.img", NULL };
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_run(&f, "truncate -s 2M blob && ln -s blob a.img");
	assert_int_equal(folder_find_as(&f, &wish, 1, ""), 0);
	expect_paths(&f, "a.img");
	expect_refused(f.set.wished[0], "bad-image", "a symbolic link stands on the way, which is not followed");
	folder_drop(&f);
}

static void wishes(void **state)
{
	static const struct image_wish list[] = {
		{ "/sub/disk", "qcow2" }, { "small.img", NULL }, { "/gone.raw", NULL }, { "/link.raw", NULL },
		{ "/dir.raw", NULL },	  { "/a.img", "qcow2" }, { "/b.raw", "bochs" }, { "/../x.raw", NULL },
		{ "/c.raw", "raw" },	  { "/hard.raw", "vdi" }, { "/c.raw", NULL },	{ "/dev.raw", NULL },
	};
	struct folder f;

	(void)state;
	NEED_QEMU;
	folder_make(&f);
	folder_run(&f, "mkdir sub dir.raw && qemu-img create -f qcow2 sub/disk 4M && truncate -s 1k small.img && "
		       "ln -s small.img link.raw && truncate -s 2M a.img b.raw c.raw && ln c.raw hard.raw && "
		       "mkfifo dev.raw");
	assert_int_equal(folder_find_as(&f, list, ARRAY_SIZE(list), ""), 0);
	assert_int_equal(f.set.n_wished, ARRAY_SIZE(list));
	assert_string_equal(f.set.wished[0]->path, "sub/disk");
	assert_int_equal(f.set.wished[0]->format, IMAGE_QCOW2);
	assert_int_equal(f.set.wished[0]->refused.code, 0);
	assert_true(f.set.wished[0]->is_wished);
	assert_int_equal(f.set.wished[1]->refused.code, 0);
	expect_refused(f.set.wished[2], "missing-device", "there is no such file");
	assert_string_equal(f.set.wished[2]->path, "gone.raw");
	expect_refused(f.set.wished[3], "bad-image",
		       "a symbolic link stands on the way, which is not followed");
	expect_refused(f.set.wished[4], "bad-image", "it is not a regular file");
	expect_refused(f.set.wished[5], "bad-image", "its content is not qcow2, as sweep.conf says");
	expect_refused(f.set.wished[6], "unsupported-feature",
		       "sweep.conf gives it the format bochs, which is not known");
	expect_refused(f.set.wished[7], "bad-image", "a name with .. in it is not followed");
	assert_ptr_equal(f.set.wished[8], f.set.wished[9]);
	assert_ptr_equal(f.set.wished[8], f.set.wished[10]);
	expect_refused(f.set.wished[8], "bad-image", "sweep.conf gives it two formats, raw and vdi");
	expect_refused(f.set.wished[11], "bad-image", "it is not a regular file");
	folder_drop(&f);
}

static void content_that_is_not_what_the_name_says(void **state)
{
	static const struct image_wish list[] = { { "/b.raw", "raw" }, { "/c.img", "qcow2" } };
	struct folder f;

	(void)state;
	NEED_QEMU;
	folder_make(&f);
	folder_run(&f, "qemu-img create -f qcow2 a.img 4M && cp a.img b.raw && cp a.img c.img && cp a.img d.vmdk && "
		       "truncate -s 2M e.vmdk f.vdi");
	assert_int_equal(folder_find_as(&f, list, ARRAY_SIZE(list), ""), 0);
	expect_refused(folder_get(&f, "a.img"), "bad-image",
		       "its content is qcow2 but its name says raw; name its format in sweep.conf if that is right");
	expect_refused(folder_get(&f, "b.raw"), "bad-image",
		       "its content is qcow2 but sweep.conf says raw; name its format in sweep.conf if that is right");
	assert_int_equal(folder_get(&f, "c.img")->refused.code, 0);
	expect_refused(folder_get(&f, "d.vmdk"), "bad-image",
		       "its content is qcow2 but its name says vmdk; name its format in sweep.conf if that is right");
	expect_refused(folder_get(&f, "e.vmdk"), "bad-image",
		       "its content is not vmdk, as its name says; if it is an extent, no descriptor names it");
	expect_refused(folder_get(&f, "f.vdi"), "bad-image", "its content is not vdi, as its name says");
	folder_drop(&f);
}

static void names_that_are_no_text(void **state)
{
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_raw(&f, "a\xff.raw", 2 * MIB);
	folder_raw(&f, "b\x1b[2J.raw", 2 * MIB);
	folder_raw(&f, "c \"'\\\xc3\xa4{}.raw", 2 * MIB);
	folder_find(&f);
	assert_int_equal(f.set.n, 3);
	expect_refused(f.set.image[0], "bad-image", "its name is not text that QEMU could be given");
	expect_refused(f.set.image[1], "bad-image", "its name is not text that QEMU could be given");
	assert_int_equal(f.set.image[2]->refused.code, 0);
	if (have_qemu()) {
		/* the graph in single quotes for the shell */
		const char *graph = folder_graph(&f, f.set.image[2]->path, true);
		FILE *file;
		char path[128];

		snprintf(path, sizeof(path), "%s/graph", f.path);
		file = fopen(path, "w");
		assert_true(file && fputs(graph, file) >= 0 && fclose(file) == 0);
		folder_run(&f, "qemu-io -r -c 'read 0 2M' \"$(cat graph)\" | grep 'read 2097152'");
	}
	folder_drop(&f);
}

static void folders_without_end(void **state)
{
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_run(&f, "p=.; i=1; while [ $i -lt %d ]; do p=$p/d; i=$((i + 1)); done; mkdir -p $p && "
		       "truncate -s 2M $p/a.raw", IMAGES_MAX_DEPTH);
	folder_find(&f);
	assert_int_equal(f.set.n, 1);
	folder_run(&f, "cd $(find . -type d | tail -n 1) && mkdir e");
	assert_int_equal(folder_find_as(&f, NULL, 0, ""), -E2BIG);
	assert_non_null(strstr(f.e.text, "is more than 64 folders deep"));
	assert_int_equal(f.set.n, 0);
	folder_drop(&f);
}

static void more_images_than_there_is_room_for(void **state)
{
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_run(&f, "seq -f '%%.0f.raw' 1 %d | xargs touch", IMAGES_MAX);
	folder_find(&f);
	assert_int_equal(f.set.n, 0);
	assert_int_equal(f.set.n_skipped, IMAGES_MAX_SKIPPED);
	assert_int_equal(f.set.n_more_skipped, IMAGES_MAX - IMAGES_MAX_SKIPPED);
	folder_run(&f, "touch one-more.raw");
	assert_int_equal(folder_find_as(&f, NULL, 0, ""), -E2BIG);
	assert_string_equal(f.e.text, "there are more than 10000 images");
	folder_drop(&f);
}

static void other_filesystems_stay_out(void **state)
{
	static const struct image_wish wish = { "/mnt/b.raw", NULL };
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_run(&f, "mkdir mnt && truncate -s 2M a.raw");
	if (!folder_try(&f, "mount -t tmpfs none mnt")) {
		folder_drop(&f);
		skip();
	}
	folder_run(&f, "truncate -s 2M mnt/b.raw");
	assert_int_equal(folder_find_as(&f, &wish, 1, ""), 0);
	expect_paths(&f, "a.raw mnt/b.raw");
	expect_refused(f.set.wished[0], "bad-image", "it lies on another filesystem");
	assert_int_equal(f.set.n_skipped, 1);
	assert_string_equal(f.set.skipped[0].path, "mnt");
	assert_string_equal(f.set.skipped[0].why, "another filesystem or a subvolume");
	folder_run(&f, "umount mnt");
	folder_drop(&f);
}

static int break_down(const struct image_file *f, enum image_format format, enum image_format_from from,
		      struct image_facts *facts, struct err *e)
{
	(void)f;
	(void)format;
	(void)from;
	memset(facts, 0, sizeof(*facts));
	return err_set_word(e, EIO, "tool-failed", "it broke");
}

/* What can't be read may lie on any other; but a raw disk lies on none. */
static void headers_that_break_the_reader(void **state)
{
	static const struct image_reader reader = { .facts = break_down };
	const struct words patterns = { usual_patterns, ARRAY_SIZE(usual_patterns) };
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_raw(&f, "a.raw", 2 * MIB);
	assert_int_equal(imageset_find(&f.set, f.path, &patterns, NULL, 0, "", &reader, &f.e), 0);
	assert_int_equal(f.set.n, 1);
	expect_refused(f.set.image[0], "tool-failed", "it broke");
	imageset_free(&f.set);
	folder_raw(&f, "b.qcow2", 2 * MIB);
	assert_int_equal(imageset_find(&f.set, f.path, &patterns, NULL, 0, "", &reader, &f.e), -EIO);
	assert_string_equal(f.e.word, "tool-failed");
	assert_string_equal(f.e.text, "b.qcow2: it broke");
	assert_int_equal(f.set.n, 0);
	folder_drop(&f);
}

static void no_folder_at_all(void **state)
{
	const struct words none = { NULL, 0 };
	struct imageset set;
	struct err e;

	(void)state;
	assert_int_equal(imageset_find(&set, "/nowhere/at/all", &none, NULL, 0, "",
				       &image_reader_bare, &e), -ENOENT);
	assert_string_equal(e.word, "io-error");
	assert_int_equal(set.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_matches_in_order),
		cmocka_unit_test(files_that_are_no_disks),
		cmocka_unit_test(symlinks_called_like_images),
		cmocka_unit_test(symlinks_that_are_wished),
		cmocka_unit_test(wishes),
		cmocka_unit_test(content_that_is_not_what_the_name_says),
		cmocka_unit_test(names_that_are_no_text),
		cmocka_unit_test(folders_without_end),
		cmocka_unit_test(more_images_than_there_is_room_for),
		cmocka_unit_test(other_filesystems_stay_out),
		cmocka_unit_test(headers_that_break_the_reader),
		cmocka_unit_test(no_folder_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
