/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors of vmdk images: what is taken, and that nothing is that QEMU could read otherwise. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "facts.h"

#define HEAD "# Disk DescriptorFile\nversion=1\n"
#define CIDS "CID=1a2b3c4d\nparentCID=ffffffff\n"
#define FLAT "createType=\"monolithicFlat\"\n"
#define LINE "RW 100 FLAT \"a-flat.vmdk\" 0\n"

static int read_text(const char *text, bool embedded, struct image_facts *facts, struct err *e)
{
	char *copy = strdup(text);
	int rc;

	memset(facts, 0, sizeof(*facts));
	memset(e, 0, sizeof(*e));
	rc = vmdk_text(copy, embedded, facts, e);
	if (rc == 0)
		rc = facts_judge(facts, e);
	free(copy);
	return rc;
}

static void expect(const char *text, const char *said)
{
	struct image_facts facts;
	struct err e;
	int rc = read_text(text, false, &facts, &e);

	if (strcmp(e.text, said) != 0 || (rc < 0) != (said[0] != 0))
		fail_msg("expected \"%s\", got \"%s\" for\n%s", said, e.text, text);
	facts_clear(&facts);
}

static void what_is_taken(void **state)
{
	struct image_facts facts;
	struct err e;

	(void)state;
	assert_int_equal(read_text("# Disk DescriptorFile\r\nversion=1\r\nencoding=\"UTF-8\"\r\n"
				   "CID=1a2b3c4d\r\nparentCID=a0000001\r\ncreateType=\"twoGbMaxExtentFlat\"\r\n"
				   "parentFileNameHint=\"old base.vmdk\"\r\n# Extent description\r\n"
				   "RW 4192256 FLAT \"a b-f001.vmdk\" 0\r\nRW 100 FLAT \"sub/a-f002.vmdk\" 7\r\n"
				   "\r\n#DDB\r\nddb.adapterType = \"ide\"\r\n", false, &facts, &e), 0);
	assert_string_equal(facts.create_type, "twoGbMaxExtentFlat");
	assert_int_equal(facts.cid, 0x1a2b3c4d);
	assert_int_equal(facts.parent_cid, 0xa0000001);
	assert_string_equal(facts.backing_name, "old base.vmdk");
	assert_string_equal(facts.backing_format, "vmdk");
	assert_int_equal(facts.n_extents, 2);
	assert_string_equal(facts.extents[0].name, "a b-f001.vmdk");
	assert_int_equal(facts.extents[0].bytes, 4192256 * 512ULL);
	assert_string_equal(facts.extents[1].name, "sub/a-f002.vmdk");
	assert_int_equal(facts.extents[1].offset, 7 * 512);
	assert_int_equal(facts.bytes, 4192356 * 512ULL);
	assert_false(facts.is_read_only);
	facts_clear(&facts);
	assert_int_equal(read_text(HEAD CIDS "createType=\"vmfs\"\nRW 5 VMFS \"a-flat.vmdk\"\n", false,
				   &facts, &e), 0);
	assert_int_equal(facts.extents[0].kind, EXTENT_FLAT);
	facts_clear(&facts);
	assert_int_equal(read_text(HEAD CIDS "createType=\"twoGbMaxExtentSparse\"\nRW 5 SPARSE \"a.vmdk\"",
				   false, &facts, &e), 0);
	assert_int_equal(facts.extents[0].kind, EXTENT_SPARSE);
	facts_clear(&facts);
}

static void types(void **state)
{
	static const char *const refused[] = { "vmfsSparse", "seSparse", "fullDevice", "custom", "vmfsRaw",
					       "partitionedDevice", "monolithicSparse", "streamOptimized" };
	char text[256], said[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		snprintf(text, sizeof(text), HEAD CIDS "createType=\"%s\"\n" LINE, refused[i]);
		snprintf(said, sizeof(said), "a vmdk of type %s with a descriptor of its own is not "
					     "supported", refused[i]);
		expect(text, said);
	}
	expect(HEAD CIDS LINE, "its descriptor has no createType");
	expect(HEAD CIDS "createType=flat\n" LINE, "its descriptor has no createType");
	expect(HEAD CIDS "createType=\"a\nb\"\n" LINE, "its descriptor has no createType");
	expect(HEAD CIDS "createType=\"\x1b[2J\"\n" LINE, "its descriptor has no createType");
	expect(HEAD CIDS "createType=\"0123456789012345678901234567890123456789\"\n",
	       "its descriptor has no createType");
	expect(HEAD CIDS " " FLAT LINE, "its descriptor has createType in a wrong place");
	expect(HEAD "#createType=\"vmfs\"\n" CIDS FLAT LINE, "its descriptor has createType in a wrong place");
	expect(HEAD CIDS "createType = \"monolithicFlat\"\n" LINE, "its descriptor has createType in a wrong place");
}

static void content_ids(void **state)
{
	struct image_facts facts;
	struct err e;

	(void)state;
	expect(HEAD FLAT LINE "parentCID=ffffffff\n", "its descriptor has CID in a wrong place");
	expect(HEAD FLAT LINE "CID=1\n", "its descriptor has no parentCID");
	expect(HEAD FLAT LINE, "its descriptor has no CID");
	expect(HEAD FLAT LINE "parentCID=ffffffff\nCID=1\n", "its descriptor has CID in a wrong place");
	expect(HEAD FLAT LINE "#CID=2\n" CIDS, "its descriptor has CID in a wrong place");
	expect(HEAD FLAT LINE "CID=xyz\nparentCID=ffffffff\n", "its descriptor has no CID");
	expect(HEAD FLAT LINE "CID=123456789\nparentCID=ffffffff\n", "its descriptor has a CID of 9 digits");
	/* QEMU drops what stands between the two when it writes */
	assert_int_equal(read_text(HEAD "CID=1\nddb.x = \"1\"\nparentCID=ffffffff\n" FLAT LINE, false,
				   &facts, &e), 0);
	assert_true(facts.is_read_only);
	facts_clear(&facts);
}

static void parents(void **state)
{
	static char longer[2000];
	char name[1100];

	(void)state;
	expect(HEAD "CID=1\nparentCID=2\n" FLAT LINE, "its parentCID says it has a parent, but it names none");
	expect(HEAD CIDS FLAT "parentFileNameHint=\"a.vmdk\"\n" LINE,
	       "it names a parent, but its parentCID says it has none");
	expect(HEAD CIDS FLAT "# parentFileNameHint=\"a.vmdk\"\n" LINE,
	       "its descriptor has parentFileNameHint in a wrong place");
	expect(HEAD "CID=1\nparentCID=2\n" FLAT LINE "parentFileNameHint=\"\"\n", "its parentFileNameHint is no name");
	expect(HEAD "CID=1\nparentCID=2\n" FLAT LINE "parentFileNameHint=\"a\nb\"\n", "its parentFileNameHint is no name");
	expect(HEAD "CID=1\nparentCID=2\n" FLAT LINE "parentFileNameHint=a\n", "its parentFileNameHint is no name");
	expect(HEAD "CID=1\nparentCID=2\n" FLAT LINE "parentFileNameHint=", "its parentFileNameHint is no name");
	memset(name, 'x', sizeof(name));
	name[1024] = 0;
	snprintf(longer, sizeof(longer), HEAD "CID=1\nparentCID=2\n" FLAT LINE "parentFileNameHint=\"%s\"\n", name);
	expect(longer, "its parentFileNameHint is no name");
	name[1023] = 0;
	snprintf(longer, sizeof(longer), HEAD "CID=1\nparentCID=2\n" FLAT LINE "parentFileNameHint=\"%s\"\n", name);
	expect(longer, "");
}

#define UNREADABLE "its descriptor has an extent that can't be read or isn't writable"
#define TWICE "its descriptor has an extent that QEMU would count twice"

static void extent_lines(void **state)
{
	static const struct { const char *line, *said; } lines[] = {
		{ "RW 100 FLAT \"a.vmdk\" 0", "" },
		{ "RW\t100   FLAT\t\"a.vmdk\" 0 \r", "" },
		{ "RW 100 FLAT \"-a+b.vmdk\" 0", "" },
		{ "RW", UNREADABLE },
		{ "RW\n100 FLAT \"a.vmdk\" 0", UNREADABLE },
		{ "RW 100\nFLAT \"a.vmdk\" 0", UNREADABLE },
		{ "RW 100 FLAT \"a.vmdk\"", UNREADABLE },
		{ "RW 100 FLAT \"a.vmdk\"\n0", UNREADABLE },
		{ "RW 100 FLAT \"a.vmdk\" -1", UNREADABLE },
		{ "RW 100 FLAT \"a.vmdk\" 0 1", UNREADABLE },
		{ "RW 100 FLAT \"a.vmdk\" 0x10", UNREADABLE },
		{ "RW 100 FLAT \"a.vmdk\" 9007199254740992", UNREADABLE },
		{ "RW -100 FLAT \"a.vmdk\" 0", UNREADABLE },
		{ "RW +100 FLAT \"a.vmdk\" 0", UNREADABLE },
		{ "RW 0 FLAT \"a.vmdk\" 0", UNREADABLE },
		{ "RW 18446744073709551615 FLAT \"a.vmdk\" 0", UNREADABLE },
		{ "RW 100 FLAT \"a.vmdk 0", UNREADABLE },
		{ "RW 100 FLAT a.vmdk 0", UNREADABLE },
		{ "RW 100 FLAT \"\" 0", UNREADABLE },
		{ "RW 100 FLAT \"a\nb\" 0", UNREADABLE },
		{ "RDONLY 100 FLAT \"a.vmdk\" 0", UNREADABLE },
		{ "NOACCESS 100 ZERO", UNREADABLE },
		{ "RW 100 VMFS \"a.vmdk\" 0", UNREADABLE },
		{ "RW 100 VMFS \"a.vmdk\"", "" },
		{ "RW 100 ZERO \"a.vmdk\"", "it has an extent of a kind that is not supported" },
		{ "RW 100 SESPARSE \"a.vmdk\"", "it has an extent of a kind that is not supported" },
		{ "RW 100 VMFSSPARSE \"a.vmdk\"", "it has an extent of a kind that is not supported" },
		{ "RW 100 SPARSE \"a.vmdk\"", "it has an extent that does not go with its type monolithicFlat" },
		{ " RW 100 FLAT \"a.vmdk\" 0", TWICE },
		{ "\nRW 100 FLAT \"a.vmdk\" 0", TWICE },
		{ " \t\r\nRW 100 FLAT \"a.vmdk\" 0", TWICE },
		{ "RWX 100 FLAT \"a.vmdk\" 0", "its descriptor names no extents" },
		{ "# RW 100 FLAT \"a.vmdk\" 0", "its descriptor names no extents" },
	};
	char text[1024];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		snprintf(text, sizeof(text), HEAD CIDS FLAT "%s\n", lines[i].line);
		expect(text, lines[i].said);
	}
}

static void extents_without_end(void **state)
{
	static char text[200000];
	size_t n = (size_t)snprintf(text, sizeof(text), HEAD CIDS FLAT);
	char name[600];
	int i;

	(void)state;
	for (i = 0; i < 2048; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "RW 100 FLAT \"%d.vmdk\" 0\n", i);
	expect(text, "");
	snprintf(text + n, sizeof(text) - n, LINE);
	expect(text, "it has more than 2048 extents");
	n = (size_t)snprintf(text, sizeof(text), HEAD CIDS FLAT);
	for (i = 0; i < 9; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "RW 999999999999999 FLAT \"%d.vmdk\" 0\n", i);
	expect(text, "");
	snprintf(text + n, sizeof(text) - n, "RW 7199254740993 FLAT \"b\" 999999999999999\n");
	expect(text, "");
	snprintf(text + n, sizeof(text) - n, "RW 8000000000000 FLAT \"b\" 0\n");
	expect(text, "its extents are too large");
	memset(name, 'x', sizeof(name));
	name[511] = 0;
	snprintf(text, sizeof(text), HEAD CIDS FLAT "RW 1 FLAT \"%s\" 0\n", name);
	expect(text, "");
	name[511] = 'x';
	name[512] = 0;
	snprintf(text, sizeof(text), HEAD CIDS FLAT "RW 1 FLAT \"%s\" 0\n", name);
	expect(text, UNREADABLE);
}

static void keys_and_tracks(void **state)
{
	struct image_facts facts;
	struct err e;

	(void)state;
	expect(HEAD CIDS FLAT LINE "encryptionKeys=\"vmware:key/list/...\"\n", "the image itself is encrypted");
	assert_int_equal(read_text(HEAD CIDS FLAT LINE "changeTrackPath=\"a-ctk.vmdk\"\n", false, &facts, &e), 0);
	assert_true(facts.is_read_only);
	facts_clear(&facts);
	assert_int_equal(read_text(HEAD CIDS "createType=\"monolithicSparse\"\n\nRW 1 RUBBISH \"x\"\n", true,
				   &facts, &e), 0);
	facts_clear(&facts);
	assert_int_equal(read_text(HEAD CIDS FLAT LINE, true, &facts, &e), -ENOTSUP);
	assert_string_equal(e.text, "a vmdk of type monolithicFlat without a descriptor of its own is not supported");
	facts_clear(&facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken),
		cmocka_unit_test(types),
		cmocka_unit_test(content_ids),
		cmocka_unit_test(parents),
		cmocka_unit_test(extent_lines),
		cmocka_unit_test(extents_without_end),
		cmocka_unit_test(keys_and_tracks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
