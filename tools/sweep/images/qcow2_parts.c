/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands behind a qcow2's header: its extensions, and the table of internal snapshots.
 * Format: QEMU, docs/interop/qcow2.txt. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "facts.h"
#include "log.h"

#define EXTENSION_END 0u
#define EXTENSION_BACKING_FORMAT 0xe2792acau
#define EXTENSION_DATA_FILE 0x44415441u
#define EXTENSION_FEATURE_NAMES 0x6803f857u
#define MAX_DATA_NAME 1023
#define FEATURE_BYTES 48
#define MAX_FEATURES 256
#define MAX_SNAPSHOTS 65536u
#define SNAPSHOT_BYTES 40
#define MAX_SNAPSHOT_EXTRA 1024u

struct extension {
	uint32_t type;
	uint64_t at; /* of its data, bytes into the file */
	uint32_t bytes;
};

/* A string of at most limit bytes; it must not hide anything behind a NUL. */
static int read_string(const struct image_file *f, const struct extension *x, size_t limit,
		       char *dst, struct err *e)
{
	int rc;

	if (!x->bytes || x->bytes > limit)
		return image_bad(e, "a name of %u bytes in its header is not possible", x->bytes);
	rc = image_read(f, x->at, dst, x->bytes, e);
	if (rc < 0)
		return rc;
	dst[x->bytes] = 0;
	if (strlen(dst) != x->bytes)
		return image_bad(e, "a name in its header has a zero byte in it");
	return 0;
}

static int take_backing_format(const struct image_file *f, const struct extension *x,
			       struct image_facts *facts, struct err *e)
{
	if (facts->backing_format[0])
		return image_bad(e, "it names the format of its backing file twice");
	return read_string(f, x, sizeof(facts->backing_format) - 1, facts->backing_format, e);
}

static int take_data_name(const struct image_file *f, const struct extension *x,
			  struct image_facts *facts, struct err *e)
{
	char name[MAX_DATA_NAME + 1];
	int rc = read_string(f, x, MAX_DATA_NAME, name, e);

	if (rc < 0)
		return rc;
	if (facts->data_name)
		return image_bad(e, "it names its data file twice");
	facts->data_name = strdup(name);
	return facts->data_name ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* Names the bits of the set of unknown incompatible features, by the table if it does. */
static int take_feature_names(const struct image_file *f, const struct extension *x,
			      uint64_t *unknown, struct image_facts *facts, struct err *e)
{
	uint32_t i, n = x->bytes / FEATURE_BYTES;

	for (i = 0; i < n && i < MAX_FEATURES && *unknown; i++) {
		unsigned char raw[FEATURE_BYTES + 1] = { 0 };
		char name[FEATURE_BYTES * 4];
		size_t used = strlen(facts->unsupported);
		int rc = image_read(f, x->at + (uint64_t)i * FEATURE_BYTES, raw, FEATURE_BYTES, e);

		if (rc < 0)
			return rc;
		if (raw[0] != 0 || raw[1] > 63 || !(*unknown & 1ULL << raw[1]))
			continue;
		*unknown &= ~(1ULL << raw[1]);
		snprintf(facts->unsupported + used, sizeof(facts->unsupported) - used, "%s\"%s\"",
			 used ? ", " : "", escape_text(name, sizeof(name), (char *)raw + 2));
	}
	return 0;
}

static void name_the_rest(uint64_t unknown, struct image_facts *facts)
{
	unsigned i;

	for (i = 0; i < 64; i++) {
		size_t used = strlen(facts->unsupported);

		if (unknown & 1ULL << i)
			snprintf(facts->unsupported + used, sizeof(facts->unsupported) - used,
				 "%sbit %u", used ? ", " : "", i);
	}
}

static int take_extension(const struct image_file *f, const struct extension *x, uint64_t *unknown,
			  struct image_facts *facts, struct err *e)
{
	switch (x->type) {
	case EXTENSION_BACKING_FORMAT:
		return take_backing_format(f, x, facts, e);
	case EXTENSION_DATA_FILE:
		return take_data_name(f, x, facts, e);
	case EXTENSION_FEATURE_NAMES:
		return take_feature_names(f, x, unknown, facts, e);
	default:
		return 0;
	}
}

int qcow2_extensions(const struct image_file *f, uint64_t at, uint64_t end, uint64_t unknown,
		     struct image_facts *facts, struct err *e)
{
	while (at < end) {
		struct extension x;
		unsigned char raw[8];
		int rc;

		if (end - at < sizeof(raw))
			return image_bad(e, "its header extensions have no end");
		rc = image_read(f, at, raw, sizeof(raw), e);
		if (rc < 0)
			return rc;
		x = (struct extension){ get_be32(raw), at + sizeof(raw), get_be32(raw + 4) };
		if (x.type == EXTENSION_END)
			break;
		if (x.bytes > end - x.at)
			return image_bad(e, "a header extension of %u bytes does not fit", x.bytes);
		rc = take_extension(f, &x, &unknown, facts, e);
		if (rc < 0)
			return rc;
		at = x.at + ((uint64_t)x.bytes + 7) / 8 * 8;
	}
	name_the_rest(unknown, facts);
	return 0;
}

/* Reads the snapshot at *at and moves on to the next. */
static int take_snapshot(const struct image_file *f, uint64_t *at, struct image_facts *facts,
			 struct err *e)
{
	unsigned char raw[SNAPSHOT_BYTES], state[8];
	uint32_t extra;
	uint64_t bytes;
	int rc = image_read(f, *at, raw, sizeof(raw), e);

	if (rc < 0)
		return rc;
	extra = get_be32(raw + 36);
	if (extra > MAX_SNAPSHOT_EXTRA)
		return image_bad(e, "a snapshot with %u bytes of extra data is not possible", extra);
	facts->has_vm_state |= get_be32(raw + 32) != 0;
	if (extra >= sizeof(state)) {
		rc = image_read(f, *at + SNAPSHOT_BYTES, state, sizeof(state), e);
		if (rc < 0)
			return rc;
		facts->has_vm_state |= get_be64(state) != 0;
	}
	bytes = SNAPSHOT_BYTES + (uint64_t)extra + get_be16(raw + 12) + get_be16(raw + 14);
	*at += (bytes + 7) / 8 * 8;
	return 0;
}

int qcow2_snapshots(const struct image_file *f, uint64_t at, uint32_t n, struct image_facts *facts,
		    struct err *e)
{
	uint32_t i;

	if (n > MAX_SNAPSHOTS)
		return image_bad(e, "%u snapshots are not possible", n);
	facts->snapshots = n;
	for (i = 0; i < n; i++) {
		int rc = take_snapshot(f, &at, facts, e);

		if (rc < 0)
			return err_wrap(e, "its snapshot %u of %u", i + 1, n);
	}
	return 0;
}
