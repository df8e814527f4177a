/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images that lie on images, made by qemu-img: how they are resolved, what the graph has QEMU open,
 * and that it opens no name that only a header says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imagefolder.h"

static void expect_fit(const struct folder *f, const char *name, const char *backing, bool backs)
{
	const struct image *image = folder_get(f, name);

	if (image->refused.code)
		fail_msg("%s: %s", name, image->refused.text);
	assert_int_equal(image->backs_another, backs);
	if (backing)
		assert_ptr_equal(image->backing, folder_get(f, backing));
	else
		assert_null(image->backing);
}

static void expect_refused(const struct folder *f, const char *name, const char *word, const char *text)
{
	const struct image *image = folder_get(f, name);

	assert_string_equal(image->refused.text, text);
	assert_string_equal(image->refused.word, word);
}

/* A write through the graph of top changes that file alone. */
static void expect_only_top_written(struct folder *f, const char *top)
{
	folder_run(f, "find . -type f ! -path './%s' ! -name before | xargs sha256sum > before; "
		      "sha256sum %s > top", top, top);
	folder_run(f, "qemu-io -c 'write -P 9 1M 64k' -c 'read -P 9 1M 64k' '%s'",
		   folder_graph(f, top, false));
	folder_run(f, "sha256sum -c before");
	assert_false(folder_try(f, "sha256sum -c top"));
}

/* The files that QEMU opens by the graph of top, as a sorted list; without strace, that it opens. */
static void expect_opened(struct folder *f, const char *top, const char *list)
{
	const char *graph = folder_graph(f, top, true);

	if (!folder_try(f, "strace -V")) {
		folder_run(f, "qemu-io -r -c 'read 0 4M' '%s'", graph);
		return;
	}
	folder_run(f, "strace -f -e trace=open,openat,openat2 -o trace qemu-io -r -c 'read 0 4M' '%s'", graph);
	folder_run(f, "grep -o '\"%s[^\"]*\"' trace | tr -d '\"' | sed 's,^%s/,,' | sort -u | "
		      "tr '\\n' ' ' > opened; rm trace; cat opened; test \"$(cat opened)\" = '%s '",
		   f->path, f->path, list);
}

static void three_qcow2_on_a_raw(void **state)
{
	struct folder f;

	(void)state;
	NEED_QEMU;
	folder_make(&f);
	folder_run(&f, "mkdir -p base over && head -c 4M /dev/urandom > base/a.raw && "
		       "qemu-img create -f qcow2 -b a.raw -F raw base/b.qcow2 && "
		       "qemu-img create -f qcow2 -b %s/base/b.qcow2 -F qcow2 over/c.qcow2 && "
		       "qemu-img create -f qcow2 -b ./c.qcow2 -F qcow2 over/d.qcow2 && "
		       "qemu-io -f qcow2 -c 'write 64k 64k' over/c.qcow2", f.path);
	assert_int_equal(folder_find_as(&f, NULL, 0, f.path), 0);
	assert_int_equal(f.set.n, 4);
	expect_fit(&f, "base/a.raw", NULL, true);
	expect_fit(&f, "base/b.qcow2", "base/a.raw", true);
	expect_fit(&f, "over/c.qcow2", "base/b.qcow2", true);
	expect_fit(&f, "over/d.qcow2", "over/c.qcow2", false);
	assert_null(image_graph(folder_get(&f, "over/c.qcow2"), f.path, false, &f.e));
	assert_int_equal(f.e.code, EROFS);
	folder_run(&f, "qemu-img compare -F qcow2 '%s' over/d.qcow2", folder_graph(&f, "over/d.qcow2", true));
	expect_opened(&f, "over/d.qcow2", "base/a.raw base/b.qcow2 over/c.qcow2 over/d.qcow2");
	expect_only_top_written(&f, "over/d.qcow2");
	folder_drop(&f);
}

/* The name in the header is changed behind our back: QEMU must go by the graph. */
static void a_header_that_lies_to_qemu(void **state)
{
	struct folder f;

	(void)state;
	NEED_QEMU;
	folder_make(&f);
	folder_run(&f, "truncate -s 4M base.raw secret.raw && "
		       "qemu-img create -f qcow2 -b base.raw -F raw top.qcow2 && "
		       "qemu-img create -f vmdk base.vmdk 4M && cp base.vmdk secret.vmdk && "
		       "qemu-img create -f vmdk -F vmdk -b base.vmdk top.vmdk");
	folder_find(&f);
	folder_run(&f, "qemu-img rebase -u -f qcow2 -b secret.raw -F raw top.qcow2 && "
		       "sed -i 's/Hint=\"base.vmdk\"/Hint=\"secret.vmdk\"/' top.vmdk && "
		       "rm secret.raw secret.vmdk && mkfifo secret.raw secret.vmdk");
	expect_opened(&f, "top.qcow2", "base.raw top.qcow2");
	expect_opened(&f, "top.vmdk", "base.vmdk top.vmdk");
	/* and this is what it does without */
	assert_false(folder_try(&f, "timeout 5 qemu-io -r -f qcow2 -c 'read 0 4M' top.qcow2 | grep 'read 4194304'"));
	assert_false(folder_try(&f, "timeout 5 qemu-io -r -f vmdk -c 'read 0 4M' top.vmdk | grep 'read 4194304'"));
	folder_drop(&f);
}

/* The same where we see no backing file at all: null is said, not left out. */
static void a_backing_file_that_comes_later(void **state)
{
	struct folder f;

	(void)state;
	NEED_QEMU;
	folder_make(&f);
	folder_run(&f, "qemu-img create -f qcow2 top.qcow2 4M && truncate -s 4M secret.raw && "
		       "qemu-img create -f vdi a.vdi 4M && qemu-img create -f vhdx b.vhdx 4M");
	folder_find(&f);
	folder_run(&f, "qemu-img rebase -u -f qcow2 -b secret.raw -F raw top.qcow2");
	expect_opened(&f, "top.qcow2", "top.qcow2");
	expect_opened(&f, "a.vdi", "a.vdi");
	expect_opened(&f, "b.vhdx", "b.vhdx");
	expect_opened(&f, "secret.raw", "secret.raw");
	folder_drop(&f);
}

static void vmdk_on_vmdk(void **state)
{
	struct folder f;

	(void)state;
	NEED_QEMU;
	folder_make(&f);
	folder_run(&f, "mkdir d && qemu-img create -f vmdk -o subformat=twoGbMaxExtentSparse d/base.vmdk 4M && "
		       "qemu-io -f vmdk -c 'write -P 3 0 2M' d/base.vmdk && cd d && "
		       "qemu-img create -f vmdk -F vmdk -b base.vmdk base-000001.vmdk && "
		       "qemu-img create -f vmdk -o subformat=twoGbMaxExtentSparse -F vmdk -b base-000001.vmdk base-000002.vmdk");
	folder_find(&f);
	assert_int_equal(f.set.n, 5);
	expect_fit(&f, "d/base.vmdk", NULL, true);
	expect_fit(&f, "d/base-000001.vmdk", "d/base.vmdk", true);
	expect_fit(&f, "d/base-000002.vmdk", "d/base-000001.vmdk", false);
	assert_ptr_equal(folder_get(&f, "d/base-s001.vmdk")->part_of, folder_get(&f, "d/base.vmdk"));
	assert_int_equal(folder_get(&f, "d/base-s001.vmdk")->refused.code, 0);
	assert_null(image_graph(folder_get(&f, "d/base-s001.vmdk"), f.path, true, &f.e));
	folder_run(&f, "qemu-img compare -F vmdk '%s' d/base-000002.vmdk",
		   folder_graph(&f, "d/base-000002.vmdk", true));
	expect_opened(&f, "d/base-000002.vmdk", "d/base-000001.vmdk d/base-000002-s001.vmdk "
						"d/base-000002.vmdk d/base-s001.vmdk d/base.vmdk");
	/* the parent was written to behind the child's back */
	folder_run(&f, "qemu-io -f vmdk -c 'write 0 64k' d/base.vmdk && "
		       "sed -i 's/^CID=.*/CID=12345678/' d/base.vmdk");
	folder_find(&f);
	assert_string_equal(folder_get(&f, "d/base-000001.vmdk")->refused.word, "bad-image");
	assert_non_null(strstr(folder_get(&f, "d/base-000001.vmdk")->refused.text,
			       "its parent d/base.vmdk was changed after it: its content ID is 12345678, not "));
	assert_non_null(strstr(folder_get(&f, "d/base-000002.vmdk")->refused.text,
			       "its backing file d/base-000001.vmdk: its parent d/base.vmdk was changed"));
	folder_drop(&f);
}

static void data_in_a_file_of_its_own(void **state)
{
	static const char *const options[] = { "data_file=a.raw", "data_file=a.raw,data_file_raw=on" };
	struct folder f;
	size_t i;

	(void)state;
	NEED_QEMU;
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		folder_make(&f);
		folder_run(&f, "qemu-img create -f qcow2 -o %s a.qcow2 4M && "
			       "qemu-io -f qcow2 -c 'write -P 5 0 2M' a.qcow2", options[i]);
		folder_find(&f);
		expect_fit(&f, "a.qcow2", NULL, false);
		assert_int_equal(folder_get(&f, "a.qcow2")->facts.data_is_raw, i);
		assert_ptr_equal(folder_get(&f, "a.raw")->part_of, folder_get(&f, "a.qcow2"));
		assert_string_equal(folder_get(&f, "a.qcow2")->data_path, "a.raw");
		folder_run(&f, "cd / && qemu-io -c 'read -P 5 0 2M' -c 'write -P 6 0 4k' '%s' | "
			       "grep -q 'wrote 4096/4096'", folder_graph(&f, "a.qcow2", false));
		folder_run(&f, "qemu-io -f raw -c 'read -P 6 0 4k' a.raw | grep -v failed");
		expect_opened(&f, "a.qcow2", "a.qcow2 a.raw");
		/* a second image with the same data, and one that others lie on */
		folder_run(&f, "cp a.qcow2 b.qcow2");
		folder_find(&f);
		expect_refused(&f, "a.qcow2", "bad-image", "its part a.raw is also one of b.qcow2");
		expect_refused(&f, "b.qcow2", "bad-image",
			       "its data file a.raw: it is also a part of a.qcow2");
		folder_run(&f, "rm b.qcow2 && qemu-img create -f qcow2 -b a.raw -F raw c.qcow2");
		folder_find(&f);
		expect_refused(&f, "a.qcow2", "bad-image",
			       "its part a.raw is the backing file of another image");
		expect_fit(&f, "c.qcow2", "a.raw", false);
		folder_drop(&f);
	}
}

static void snapshots_and_marks(void **state)
{
	struct folder f;

	(void)state;
	NEED_QEMU;
	folder_make(&f);
	folder_run(&f, "qemu-img create -f qcow2 a.qcow2 4M && qemu-img snapshot -c one a.qcow2 && "
		       "qemu-img snapshot -c two a.qcow2 && cp a.qcow2 v2.qcow2 && "
		       "qemu-img amend -o compat=0.10 v2.qcow2 && "
		       "qemu-img create -f qcow2 b.qcow2 4M && qemu-img bitmap --add b.qcow2 m && "
		       "qemu-img create -f qcow2 -o lazy_refcounts=on d.qcow2 4M && "
		       "(qemu-io -f qcow2 -c 'write 0 64k' -c abort d.qcow2 || :)");
	folder_find(&f);
	assert_int_equal(folder_get(&f, "a.qcow2")->facts.snapshots, 2);
	assert_false(folder_get(&f, "a.qcow2")->facts.has_vm_state);
	assert_int_equal(folder_get(&f, "v2.qcow2")->facts.snapshots, 2);
	assert_true(folder_get(&f, "b.qcow2")->facts.changes_on_open);
	assert_false(folder_get(&f, "b.qcow2")->facts.is_dirty);
	assert_true(folder_get(&f, "d.qcow2")->facts.is_dirty);
	assert_int_equal(folder_get(&f, "d.qcow2")->refused.code, 0);
	folder_drop(&f);
}

static void encrypted(void **state)
{
	struct folder f;

	(void)state;
	NEED_QEMU;
	folder_make(&f);
	folder_run(&f, "qemu-img create -f qcow2 a.qcow2 4M && "
		       "qemu-img create -f qcow2 -b a.qcow2 -F qcow2 b.qcow2");
	folder_put(&f, "a.qcow2", 35, "\2", 1);
	folder_find(&f);
	expect_refused(&f, "a.qcow2", "unsupported-feature", "the image itself is encrypted");
	expect_refused(&f, "b.qcow2", "unsupported-feature",
		       "its backing file a.qcow2: the image itself is encrypted");
	folder_drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_qcow2_on_a_raw),
		cmocka_unit_test(a_header_that_lies_to_qemu),
		cmocka_unit_test(a_backing_file_that_comes_later),
		cmocka_unit_test(vmdk_on_vmdk),
		cmocka_unit_test(data_in_a_file_of_its_own),
		cmocka_unit_test(snapshots_and_marks),
		cmocka_unit_test(encrypted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
