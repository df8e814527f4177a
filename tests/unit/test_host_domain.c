/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's definition as libvirt writes it, and the list of volumes as lvm does. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain.h"
#include "hostlvm.h"
#include "settings_value.h"

static const char running[] =
	"<domain type='kvm' id='3'>\n"
	"  <name>web &amp; more</name>\n"
	"  <metadata><name>inner</name><disk type='file'/></metadata>\n"
	"  <devices>\n"
	"    <disk type='file' device='disk' snapshot='external'>\n"
	"      <driver name='qemu' type='qcow2' cache='none'/>\n"
	"      <source file='/srv/web.qcow2' index='2'><privateData><x dev='/no'/></privateData></source>\n"
	"      <backingStore type='file'><format type='raw'/><source file='/srv/base.raw'/></backingStore>\n"
	"      <mirror type='file'><source file='/srv/copy'/></mirror>\n"
	"      <target dev='vda' bus='virtio'/>\n"
	"    </disk>\n"
	"    <disk type='block'><source dev='/dev/vg/data'/><target dev='vdb'/><readonly/></disk>\n"
	"    <disk type='network' device='disk'><source protocol='rbd' name='pool/x'/><target dev='vdc'/></disk>\n"
	"    <disk type='file' device='cdrom'><target dev='sda'/></disk>\n"
	"    <interface type='network'><source network='default'/></interface>\n"
	"  </devices>\n"
	"</domain>\n";

static void what_libvirt_writes(void **state)
{
	struct domain d;
	struct err e;

	(void)state;
	assert_int_equal(domain_parse(&d, running, strlen(running), &e), 0);
	assert_string_equal(d.name, "web & more");
	assert_int_equal(d.n, 4);
	assert_string_equal(d.disk[0].type, "file");
	assert_string_equal(d.disk[0].source, "/srv/web.qcow2");
	assert_string_equal(d.disk[0].format, "qcow2");
	assert_string_equal(d.disk[0].target, "vda");
	assert_false(d.disk[0].read_only);
	assert_string_equal(d.disk[1].type, "block");
	assert_string_equal(d.disk[1].device, "disk");
	assert_string_equal(d.disk[1].source, "/dev/vg/data");
	assert_string_equal(d.disk[1].format, "");
	assert_true(d.disk[1].read_only);
	assert_string_equal(d.disk[2].source, "pool/x");
	assert_string_equal(d.disk[3].device, "cdrom");
	assert_string_equal(d.disk[3].source, "");
	domain_free(&d);
}

static void what_is_no_definition(void **state)
{
	static const char *const wrong[] = {
		"", "<domain>", "<network><name>x</name></network>", "<domain></domain>",
		"<!DOCTYPE d [<!ENTITY a 'b'>]><domain><name>&a;</name></domain>",
		"<domain><name>x</name></domain><domain/>",
	};
	struct domain d;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(domain_parse(&d, wrong[i], strlen(wrong[i]), &e), -EINVAL);
}

static void what_lvm_lists(void **state)
{
	struct words v = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(hostlvm_parse("  WARNING: something\n{\"report\": [{\"lv\": ["
				       "{\"vg_name\":\"a\", \"lv_name\":\"plain\", \"lv_attr\":\"-wi-a-----\"},"
				       "{\"vg_name\":\"a\", \"lv_name\":\"thin\", \"lv_attr\":\"Vwi-a-tz--\"},"
				       "{\"vg_name\":\"a\", \"lv_name\":\"pool\", \"lv_attr\":\"twi-a-tz--\"},"
				       "{\"vg_name\":\"a\", \"lv_name\":\"cached\", \"lv_attr\":\"Cwi-a-C---\"},"
				       "{\"vg_name\":\"a\", \"lv_name\":\"raid\", \"lv_attr\":\"rwi-a-r---\"}]}]}", &v, &e), 0);
	assert_int_equal(v.n, 4);
	assert_string_equal(v.item[0], "a/plain");
	assert_string_equal(v.item[1], "a/thin");
	assert_string_equal(v.item[2], "a/cached");
	assert_string_equal(v.item[3], "a/raid");
	words_clear(&v);
	assert_int_equal(hostlvm_parse("nothing", &v, &e), -EINVAL);
	assert_int_equal(hostlvm_parse("{\"report\": 1}", &v, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_libvirt_writes),
		cmocka_unit_test(what_is_no_definition),
		cmocka_unit_test(what_lvm_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
