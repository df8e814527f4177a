/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extents of vmdk descriptors: which files are pieces of which image, and of none. */
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

#include "imagefolder.h"

#define HEAD "# Disk DescriptorFile\nversion=1\nCID=1a2b3c4d\nparentCID=ffffffff\n"
#define FLAT HEAD "createType=\"monolithicFlat\"\n"
#define SPLIT HEAD "createType=\"twoGbMaxExtentFlat\"\n"
#define SPARSE HEAD "createType=\"twoGbMaxExtentSparse\"\n"
#define UNSUPPORTED "unsupported-feature"

static void expect(const struct folder *f, const char *name, const char *word, const char *text)
{
	const struct image *image = folder_get(f, name);

	if (strcmp(image->refused.text, text) != 0)
		fail_msg("%s: expected \"%s\", got \"%s\"", name, text, image->refused.text);
	assert_string_equal(image->refused.word, word);
}

static void expect_part(const struct folder *f, const char *name, const char *of)
{
	expect(f, name, "", "");
	assert_ptr_equal(folder_get(f, name)->part_of, folder_get(f, of));
}

static void pieces(void **state)
{
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_text(&f, "a.vmdk", SPLIT "RW 4096 FLAT \"a-f001.vmdk\" 0\nRW 4095 FLAT \"a-f002.vmdk\" 1\n");
	folder_raw(&f, "a-f001.vmdk", 2 * MIB);
	folder_raw(&f, "a-f002.vmdk", 2 * MIB);
	folder_raw(&f, "b-flat.vmdk", 2 * MIB);
	folder_find(&f);
	expect(&f, "a.vmdk", "", "");
	assert_int_equal(folder_get(&f, "a.vmdk")->facts.bytes, 8191 * 512);
	expect_part(&f, "a-f001.vmdk", "a.vmdk");
	expect_part(&f, "a-f002.vmdk", "a.vmdk");
	expect(&f, "b-flat.vmdk", "bad-image",
	       "its content is not vmdk, as its name says; if it is an extent, no descriptor names it");
	assert_null(folder_get(&f, "b-flat.vmdk")->part_of);
	if (have_qemu())
		folder_run(&f, "qemu-io -c 'write -P 7 2M 512' '%s' && tail -c +513 a-f002.vmdk | head -c 512 | "
			       "tr -d '\\007' | wc -c | grep -x 0", folder_graph(&f, "a.vmdk", false));
	folder_drop(&f);
}

static int gather(const char *path, void *arg, struct err *e)
{
	char *list = arg;

	(void)e;
	strcat(strcat(list, strrchr(path, '/')), " ");
	return access(path, F_OK);
}

/* What a sandbox has to hold for QEMU to open it: nothing of its neighbours. */
static void files_of_one_image(void **state)
{
	char list[256] = "";
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_run(&f, "mkdir -p vm/parts");
	folder_text(&f, "vm/a.vmdk", SPLIT "RW 4096 FLAT \"parts/./1.vmdk\" 0\nRW 4096 FLAT \"2.vmdk\" 0\n");
	folder_raw(&f, "vm/parts/1.vmdk", 2 * MIB);
	folder_raw(&f, "vm/2.vmdk", 2 * MIB);
	folder_raw(&f, "vm/b.raw", 2 * MIB);
	folder_find(&f);
	assert_int_equal(image_each_file(folder_get(&f, "vm/a.vmdk"), f.path, gather, list, &f.e), 0);
	assert_string_equal(list, "/a.vmdk /1.vmdk /2.vmdk ");
	list[0] = 0;
	assert_int_equal(image_each_file(folder_get(&f, "vm/b.raw"), f.path, gather, list, &f.e), 0);
	assert_string_equal(list, "/b.raw ");
	folder_drop(&f);
}

static void names_of_extents(void **state)
{
	static const struct { const char *name, *word, *text; } names[] = {
		{ "in/b.vmdk", "", "" },
		{ "../x.vmdk", "bad-image", "a name with .. in it is not followed" },
		{ "/etc/passwd", "bad-image", "the name is absolute, and QEMU would open it as it is written" },
		{ "/var/x.vmdk", "bad-image", "the name is absolute, and QEMU would open it as it is written" },
		{ "a.img", "bad-image", "a file that isn't called .vmdk is not taken for an extent" },
		{ "nbd:x.vmdk", "bad-image", "it is no file but a protocol's address" },
		{ "json:{}.vmdk", "bad-image", "it is no file but a protocol's address" },
		{ "link.vmdk", "bad-image", "a symbolic link stands on the way, which is not followed" },
		{ "gone.vmdk", "missing-device", "there is no such file" },
		{ "pipe.vmdk", "bad-image", "it is not a regular file" },
		{ "short.vmdk", "bad-image", "it is shorter than the descriptor says" },
		{ "x.vmdk", "bad-image", "it is the image itself" },
	};
	struct folder f;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		folder_make(&f);
		folder_run(&f, "mkdir in && truncate -s 2M in/b.vmdk a.img && truncate -s 2097151 short.vmdk && "
			       "ln -s in/b.vmdk link.vmdk && mkfifo pipe.vmdk");
		snprintf(text, sizeof(text), FLAT "RW 4096 FLAT \"%s\" 0\n", names[i].name);
		folder_text(&f, "x.vmdk", text);
		assert_int_equal(folder_find_as(&f, NULL, 0, "/var"), 0);
		snprintf(text, sizeof(text), "its extent %s: %s", names[i].name, names[i].text);
		expect(&f, "x.vmdk", names[i].word, names[i].text[0] ? text : "");
		folder_drop(&f);
	}
}

static void one_file_in_two_places(void **state)
{
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_raw(&f, "a-flat.vmdk", 2 * MIB);
	folder_text(&f, "a.vmdk", FLAT "RW 4096 FLAT \"a-flat.vmdk\" 0\n");
	folder_text(&f, "b.vmdk", FLAT "RW 4096 FLAT \"./a-flat.vmdk\" 0\n");
	folder_text(&f, "c.vmdk", SPLIT "RW 9 FLAT \"c-flat.vmdk\" 0\nRW 9 FLAT \"c-flat.vmdk\" 9\n");
	folder_raw(&f, "c-flat.vmdk", 2 * MIB);
	folder_find(&f);
	expect(&f, "a.vmdk", "bad-image", "its part a-flat.vmdk is also one of b.vmdk");
	expect(&f, "b.vmdk", "bad-image", "its extent ./a-flat.vmdk: it is also a part of a.vmdk");
	expect(&f, "c.vmdk", "bad-image", "its extent c-flat.vmdk: it is named twice");
	expect_part(&f, "a-flat.vmdk", "a.vmdk");
	folder_drop(&f);
}

static void pieces_that_the_configuration_names(void **state)
{
	static const struct image_wish wish = { "/a-flat.vmdk", "raw" };
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_raw(&f, "a-flat.vmdk", 2 * MIB);
	folder_text(&f, "a.vmdk", FLAT "RW 4096 FLAT \"a-flat.vmdk\" 0\n");
	assert_int_equal(folder_find_as(&f, &wish, 1, ""), 0);
	expect(&f, "a-flat.vmdk", "", "");
	assert_null(folder_get(&f, "a-flat.vmdk")->part_of);
	assert_int_equal(folder_get(&f, "a-flat.vmdk")->format, IMAGE_RAW);
	expect(&f, "a.vmdk", "bad-image", "its part a-flat.vmdk is a disk of its own in sweep.conf");
	folder_drop(&f);
}

/* A sparse header of capacity 0 sends QEMU to a descriptor in that file. */
static void sparse_extents(void **state)
{
	static const char inner[] = FLAT "RW 4096 FLAT \"/etc/shadow\" 0\n";
	struct folder f;

	(void)state;
	NEED_QEMU;
	folder_make(&f);
	folder_run(&f, "qemu-img create -f vmdk -o subformat=twoGbMaxExtentSparse a.vmdk 4M && "
		       "cp a-s001.vmdk b-s001.vmdk && cp a-s001.vmdk c-s001.vmdk && "
		       "cp a-s001.vmdk d-s001.vmdk && cp a-s001.vmdk lost-s001.vmdk && truncate -s 1M e-s001.vmdk && "
		       "qemu-img create -f vmdk f-s001.vmdk 4M && "
		       "qemu-img create -f vmdk -o subformat=streamOptimized g-s001.vmdk 4M");
	folder_text(&f, "b.vmdk", SPARSE "RW 8191 SPARSE \"b-s001.vmdk\"\n");
	folder_text(&f, "c.vmdk", SPARSE "RW 8192 SPARSE \"c-s001.vmdk\"\n");
	folder_put(&f, "c-s001.vmdk", 12, "\0\0\0\0\0\0\0\0", 8);
	folder_put(&f, "c-s001.vmdk", 512, inner, sizeof(inner));
	folder_text(&f, "d.vmdk", SPARSE "RW 8192 SPARSE \"d-s001.vmdk\"\n");
	folder_put(&f, "d-s001.vmdk", 0, "COWD", 4);
	folder_text(&f, "e.vmdk", SPARSE "RW 8192 SPARSE \"e-s001.vmdk\"\n");
	folder_text(&f, "f.vmdk", SPARSE "RW 8192 SPARSE \"f-s001.vmdk\"\n");
	folder_text(&f, "g.vmdk", SPARSE "RW 8192 SPARSE \"g-s001.vmdk\"\n");
	folder_run(&f, "cp a-s001.vmdk h-s001.vmdk");
	folder_put(&f, "h-s001.vmdk", 4, "\3", 1);
	folder_text(&f, "h.vmdk", SPARSE "RW 8192 SPARSE \"h-s001.vmdk\"\n");
	folder_text(&f, "i.vmdk", FLAT "RW 9 FLAT \"f-s001.vmdk\" 0\n");
	folder_find(&f);
	expect(&f, "a.vmdk", "", "");
	expect(&f, "lost-s001.vmdk", "bad-image", "it is an extent that no descriptor names");
	expect(&f, "b.vmdk", "bad-image",
	       "its extent b-s001.vmdk: it holds 4194304 bytes of the disk, the descriptor says 4193792");
	expect(&f, "c.vmdk", "bad-image", "its extent c-s001.vmdk: a disk of 0 sectors is not possible");
	expect(&f, "d.vmdk", UNSUPPORTED, "its extent d-s001.vmdk: it is a sparse vmdk of ESX, which is not supported");
	expect(&f, "e.vmdk", "bad-image", "its extent e-s001.vmdk: it is not a sparse vmdk");
	expect(&f, "f.vmdk", "bad-image", "its extent f-s001.vmdk: it is an image by itself");
	expect(&f, "f-s001.vmdk", "", "");
	assert_null(folder_get(&f, "f-s001.vmdk")->part_of);
	expect(&f, "g.vmdk", "bad-image", "its extent g-s001.vmdk: it is an image by itself");
	expect(&f, "h.vmdk", UNSUPPORTED,
	       "its extent h-s001.vmdk: it is compressed or has its changed blocks tracked");
	expect(&f, "i.vmdk", "bad-image",
	       "its extent f-s001.vmdk: its content is vmdk, not a piece of a raw disk");
	folder_drop(&f);
}

static void descriptors_that_are_none(void **state)
{
	static char large[1 << 20];
	struct folder f;

	(void)state;
	folder_make(&f);
	memset(large, '#', sizeof(large));
	memcpy(large, HEAD, strlen(HEAD));
	folder_put(&f, "a.vmdk", 0, large, sizeof(large));
	folder_put(&f, "b.vmdk", 0, FLAT "\0RW 4096 FLAT \"a-flat.vmdk\" 0\n", sizeof(FLAT) + 30);
	folder_find(&f);
	expect(&f, "a.vmdk", "bad-image", "a descriptor of 1048576 bytes is not possible");
	expect(&f, "b.vmdk", "bad-image", "its descriptor names no extents");
	folder_drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces),
		cmocka_unit_test(files_of_one_image),
		cmocka_unit_test(names_of_extents),
		cmocka_unit_test(one_file_in_two_places),
		cmocka_unit_test(pieces_that_the_configuration_names),
		cmocka_unit_test(sparse_extents),
		cmocka_unit_test(descriptors_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
