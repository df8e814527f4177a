/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images made by qemu-img, read by us, and handed back to it as explicit graphs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "imagefolder.h"

/* What "qemu-img info" says of a file, or of what is behind "json:" (free it with json_object_put). */
static json_object *info_of(const struct folder *f, const char *format, const char *name)
{
	json_object *o;
	char path[128];

	snprintf(path, sizeof(path), "%s.out", f->path);
	folder_run(f, "qemu-img info --output=json %s %s '%s'", format ? "-f" : "", format ? format : "",
		   name);
	o = json_object_from_file(path);
	assert_non_null(o);
	return o;
}

static int64_t info_number(json_object *o, const char *key)
{
	json_object *value;

	assert_true(json_object_object_get_ex(o, key, &value));
	return json_object_get_int64(value);
}

static const char *info_text(json_object *o, const char *key)
{
	json_object *value;

	assert_true(json_object_object_get_ex(o, key, &value));
	return json_object_get_string(value);
}

/* One image, alone in a folder: found, not refused, of the size that QEMU says, opened by its
 * graph for reading and for writing, with the same content. */
static void expect_alike(struct folder *f, const char *name, bool is_writable)
{
	const struct image *image;
	const char *format;
	json_object *o;
	const char *graph;

	folder_find(f);
	image = folder_get(f, name);
	format = image_format_name(image->format);
	if (image->refused.code)
		fail_msg("%s: %s", name, image->refused.text);
	o = info_of(f, format, name);
	assert_string_equal(info_text(o, "format"), format);
	assert_int_equal(info_number(o, "virtual-size"), image->facts.bytes);
	json_object_put(o);
	graph = folder_graph(f, name, true);
	o = info_of(f, NULL, graph);
	assert_string_equal(info_text(o, "format"), format);
	assert_int_equal(info_number(o, "virtual-size"), image->facts.bytes);
	json_object_put(o);
	folder_run(f, "qemu-img compare -F %s '%s' %s", format, graph, name);
	assert_int_equal(!image->facts.is_read_only, is_writable);
	if (!is_writable) {
		assert_null(image_graph(image, f->path, false, &f->e));
		assert_int_equal(f->e.code, EROFS);
		return;
	}
	graph = folder_graph(f, name, false);
	folder_run(f, "qemu-io -c 'write -P 7 4096 512' -c 'read -P 7 4096 512' '%s'", graph);
	folder_run(f, "qemu-io -r -f %s -c 'read -P 7 4096 512' %s | grep -q 'read 512/512'", format, name);
}

static void expect_made(const char *name, const char *options, bool is_writable)
{
	struct folder f;

	folder_make(&f);
	folder_run(&f, "qemu-img create %s %s 8M", options, name);
	expect_alike(&f, name, is_writable);
	folder_drop(&f);
}

/* The same with some data in it. */
static void expect_converted(const char *name, const char *options, bool is_writable)
{
	struct folder f;

	folder_make(&f);
	folder_run(&f, "head -c 3000000 /dev/urandom > data && truncate -s 8M data && "
		       "qemu-img convert -f raw %s data %s", options, name);
	expect_alike(&f, name, is_writable);
	folder_drop(&f);
}

static void qcow2_of_all_kinds(void **state)
{
	static const char *const options[] = {
		"compat=0.10", "compat=1.1", "compat=0.10,cluster_size=512", "cluster_size=2M",
		"lazy_refcounts=on", "refcount_bits=1", "refcount_bits=64", "preallocation=metadata",
		"extended_l2=on", "compression_type=zstd",
	};
	char text[128];
	size_t i;

	(void)state;
	NEED_QEMU;
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		snprintf(text, sizeof(text), "-f qcow2 -o %s", options[i]);
		expect_made("a.qcow2", text, true);
		snprintf(text, sizeof(text), "-O qcow2 -o %s", options[i]);
		expect_converted("a.qcow2", text, true);
	}
	expect_converted("a.qcow2", "-c -O qcow2", true);
}

static void vmdk_of_all_kinds(void **state)
{
	static const char *const options[] = {
		"subformat=monolithicSparse", "subformat=monolithicFlat", "subformat=twoGbMaxExtentSparse",
		"subformat=twoGbMaxExtentFlat", "compat6", "zeroed_grain=on", "adapter_type=lsilogic",
	};
	char text[128];
	size_t i;

	(void)state;
	NEED_QEMU;
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		snprintf(text, sizeof(text), "-f vmdk -o %s", options[i]);
		expect_made("a.vmdk", text, true);
		snprintf(text, sizeof(text), "-O vmdk -o %s", options[i]);
		expect_converted("a.vmdk", text, true);
	}
	expect_made("a.vmdk", "-f vmdk -o subformat=streamOptimized", false);
	expect_converted("a.vmdk", "-O vmdk -o subformat=streamOptimized", false);
}

static void other_formats(void **state)
{
	(void)state;
	NEED_QEMU;
	expect_made("a.vdi", "-f vdi", true);
	expect_made("a.vdi", "-f vdi -o static=on", true);
	expect_converted("a.vdi", "-O vdi", true);
	expect_made("a.vhdx", "-f vhdx", true);
	expect_made("a.vhdx", "-f vhdx -o subformat=fixed", true);
	expect_made("a.vhdx", "-f vhdx -o block_size=256M,log_size=2M", true);
	expect_converted("a.vhdx", "-O vhdx", true);
	expect_made("a.raw", "-f raw", true);
	expect_converted("a.img", "-O raw", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qcow2_of_all_kinds),
		cmocka_unit_test(vmdk_of_all_kinds),
		cmocka_unit_test(other_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
