/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The head of a guest's memory as libvirt saves it: whole, cut off, and made to mislead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "nodejson.h"
#include "savefile.h"

#define HEADER 92

static unsigned char head[65536];
static size_t size;

/* A head with this XML; version 2 in the byte order of this machine, or the other one. */
static void make(const char *magic, const char *xml, bool other_order)
{
	uint32_t version = 2, length = (uint32_t)strlen(xml) + 1;

	if (other_order) {
		version = __builtin_bswap32(version);
		length = __builtin_bswap32(length);
	}
	memset(head, 0, sizeof(head));
	memcpy(head, magic, 16);
	memcpy(head + 16, &version, 4);
	memcpy(head + 20, &length, 4);
	memcpy(head + HEADER, xml, strlen(xml) + 1);
	memset(head + HEADER + strlen(xml) + 1, 'm', 1000);
	size = HEADER + strlen(xml) + 1 + 1000;
}

#define MAGIC "LibvirtQemudSave"
#define DISKS(inside) "<domain type='kvm'><name>imap</name><devices>" inside "</devices></domain>"

/* Its sources, a space between, and its problem behind a bar. */
static const char *said(void)
{
	json_object *o = savefile_read(head, size, "v/l:/x.save", "x"), *sources;
	static char text[4096];
	size_t i;

	assert_non_null(o);
	text[0] = 0;
	assert_true(json_object_object_get_ex(o, "sources", &sources));
	for (i = 0; i < json_object_array_length(sources); i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 json_object_get_string(json_object_array_get_idx(sources, i)));
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "|%s", json_text(o, "problem"));
	json_object_put(o);
	return text;
}

static void disks_of_every_kind(void **state)
{
	static const struct {
		const char *xml, *said;
	} cases[] = {
		{ DISKS("<disk type='block'><source dev='/dev/v/a'/></disk><disk><source file='/srv/&amp;b'/></disk>"),
		  "/dev/v/a /srv/&b|" },
		{ DISKS("<disk device='lun'><source dev='/dev/sdb'/></disk>"), "/dev/sdb|" },
		{ DISKS("<disk device='cdrom'><source file='/a.iso'/></disk><disk device='floppy'/>"), "|" },
		{ DISKS("<disk><source pool='p' volume='q'/></disk>"), "p/q|" },
		{ DISKS("<disk type='network'><source protocol='rbd' name='p/x'/></disk>"), "|" },
		{ DISKS("<disk><source file='/top'/><backingStore><source file='/base'/></backingStore></disk>"), "/top /base|" },
		{ DISKS("<disk><source dev='/dev/v/a'><reservations><source path='/s'/></reservations></source></disk>"),
		  "/dev/v/a|" },
		{ DISKS("<interface><source dev='eth0'/></interface>"), "|" },
		{ DISKS("<disk/>"), "|it has a disk without a source" },
		{ DISKS("<disk type='vhostuser'><source type='unix' path='/s'/></disk>"),
		  "|it has a disk of a kind that is not known here" },
		{ "<domain><name>a</name>", "|its XML can't be read" },
		{ "<!DOCTYPE domain [<!ENTITY a 'b'>]><domain><name>&a;</name></domain>", "|its XML can't be read" },
		{ "<network><name>a</name></network>", "|its XML is not that of a libvirt domain" },
		{ "", "|its XML can't be read" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		make(MAGIC, cases[i].xml, i & 1);
		assert_string_equal(said(), cases[i].said);
	}
}

static void names(void **state)
{
	json_object *o;

	(void)state;
	make("LibvirtQemudPart", DISKS(""), false);
	assert_true(savefile_is_one(head, size));
	o = savefile_read(head, size, "v/l:/x.save", "x\n");
	assert_string_equal(json_text(o, "domain"), "imap");
	assert_string_equal(json_text(o, "name"), "x\\x0a");
	assert_string_equal(json_text(o, "where"), "v/l:/x.save");
	json_object_put(o);
}

static void cut_off_anywhere(void **state)
{
	size_t whole, n;

	(void)state;
	make(MAGIC, DISKS("<disk><source dev='/dev/v/a'/></disk>"), false);
	whole = strlen((char *)head + HEADER) + HEADER;
	for (n = 0; n <= whole; n++) {
		size = n;
		assert_non_null(strstr(said(), n < HEADER ? "|it does not begin like a save" : "|its XML has no end"));
	}
	size = whole + 1;
	assert_string_equal(said(), "/dev/v/a|");
	head[20] = 3; /* less than there is */
	assert_non_null(strstr(said(), "|its XML has no end"));
}

static void more_than_can_be_kept(void **state)
{
	char xml[32768] = "<domain><name>a</name><devices>", deep[4096] = "";
	size_t i;

	(void)state;
	for (i = 0; i < 300; i++)
		snprintf(xml + strlen(xml), sizeof(xml) - strlen(xml), "<disk><source dev='/dev/v/%zu'/></disk>", i);
	strcat(xml, "</devices></domain>");
	make(MAGIC, xml, false);
	assert_non_null(strstr(said(), "|it names more disks than can be kept"));
	for (i = 0; i < 300; i++)
		strcat(deep, "<elem>");
	for (i = 0; i < 300; i++)
		strcat(deep, "</elem>");
	snprintf(xml, sizeof(xml), DISKS("%s<disk><source dev='/dev/v/a'/></disk>"), deep);
	make(MAGIC, xml, false);
	assert_string_equal(said(), "/dev/v/a|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks_of_every_kind),
		cmocka_unit_test(names),
		cmocka_unit_test(cut_off_anywhere),
		cmocka_unit_test(more_than_can_be_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
