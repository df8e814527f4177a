/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmdk images: a sparse file with its descriptor inside (monolithicSparse, streamOptimized), or a
 * descriptor of its own that names extents. Format: VMware, "Virtual Disk Format 5.0"; where QEMU's
 * block/vmdk.c reads it more loosely, only what both read alike is taken:
 *
 * - QEMU opens extents by the descriptor's names, with no way to give it others. So vmdk_text.c
 *   takes a line only as a whole, and the names only as plain files beside or below the descriptor.
 * - A sparse header of capacity 0 sends QEMU to a descriptor inside that file, with names of its
 *   own, also where the file is an extent. Such headers are refused, every extent is looked at.
 * - QEMU looks for an embedded descriptor at byte 512, whatever the header says.
 */
#include <errno.h>
#include <stdlib.h>

#include "facts.h"

#define SECTOR 512
#define MAX_TEXT ((1u << 20) - 1) /* as much as QEMU reads */
#define MAX_EMBEDDED 10240        /* what QEMU reads and writes of an embedded one: DESC_SIZE */
#define MAX_GRAIN 0x200000u       /* sectors */
#define MAX_GTES 512
#define MAX_DIRECTORY (32u << 20) /* entries */
#define MAX_SECTORS (1ULL << 53)
#define GD_AT_END UINT64_MAX
#define FLAG_REDUNDANT 2u
#define COMPRESSION_DEFLATE 1
#define CID_GROWS 8 /* bytes that QEMU may add when it writes a new content ID */

struct sparse {
	uint32_t version, flags, gtes;
	uint64_t capacity, grain, text_at, text_sectors, rgd, gd, overhead; /* sectors */
	bool is_compressed;
};

static void take_sparse(const unsigned char *p, struct sparse *s)
{
	s->version = get_le32(p + 4);
	s->flags = get_le32(p + 8);
	s->capacity = get_le64(p + 12);
	s->grain = get_le64(p + 20);
	s->text_at = get_le64(p + 28);
	s->text_sectors = get_le64(p + 36);
	s->gtes = get_le32(p + 44);
	s->rgd = get_le64(p + 48);
	s->gd = get_le64(p + 56);
	s->overhead = get_le64(p + 64);
	s->is_compressed = get_le16(p + 77) == COMPRESSION_DEFLATE;
}

static bool holds_sectors(const struct image_file *f, uint64_t at, uint64_t bytes)
{
	return at <= f->bytes / SECTOR && image_holds(f, at * SECTOR, bytes);
}

static int check_geometry(const struct sparse *s, struct err *e)
{
	if (s->version < 1 || s->version > 3)
		return err_set_word(e, ENOTSUP, "unsupported-feature",
				    "version %u of vmdk is not known", s->version);
	if (s->capacity == 0 || s->capacity > MAX_SECTORS)
		return image_bad(e, "a disk of %llu sectors is not possible",
				 (unsigned long long)s->capacity);
	if (s->grain == 0 || s->grain > MAX_GRAIN || (s->grain & (s->grain - 1)))
		return image_bad(e, "grains of %llu sectors are not possible",
				 (unsigned long long)s->grain);
	if (s->gtes == 0 || s->gtes > MAX_GTES)
		return image_bad(e, "grain tables of %u entries are not possible", s->gtes);
	return 0;
}

static int check_directory(const struct image_file *f, const struct sparse *s, struct err *e)
{
	uint64_t covers = s->gtes * s->grain, entries = (s->capacity + covers - 1) / covers;

	if (entries > MAX_DIRECTORY)
		return image_bad(e, "a grain directory of %llu entries is not possible",
				 (unsigned long long)entries);
	if (!holds_sectors(f, s->gd, entries * 4))
		return image_bad(e, "its grain directory lies outside the file");
	if ((s->flags & FLAG_REDUNDANT) && !holds_sectors(f, s->rgd, entries * 4))
		return image_bad(e, "its second grain directory lies outside the file");
	if (!holds_sectors(f, s->overhead, 0))
		return image_bad(e, "it ends before its first grain");
	return 0;
}

/* The header of a sparse extent; one written as a stream has the valid one at its end. */
static int read_sparse(const struct image_file *f, struct sparse *s, struct err *e)
{
	unsigned char raw[SECTOR];
	int rc = image_read(f, 0, raw, sizeof(raw), e);

	if (rc < 0)
		return rc;
	if (memcmp(raw, "COWD", 4) == 0)
		return err_set_word(e, ENOTSUP, "unsupported-feature",
				    "it is a sparse vmdk of ESX, which is not supported");
	if (memcmp(raw, "KDMV", 4) != 0)
		return image_bad(e, "it is not a sparse vmdk");
	take_sparse(raw, s);
	if (s->gd == GD_AT_END && s->capacity) {
		rc = image_read(f, (f->bytes + SECTOR - 1) / SECTOR * SECTOR - 2 * SECTOR, raw,
				sizeof(raw), e);
		if (rc < 0)
			return rc;
		if (memcmp(raw, "KDMV", 4) != 0)
			return image_bad(e, "it lacks the header at its end");
		take_sparse(raw, s);
	}
	rc = check_geometry(s, e);
	return rc < 0 ? rc : check_directory(f, s, e);
}

/* n bytes at offset as a string (free it), which ends at the first NUL. */
static int read_text(const struct image_file *f, uint64_t offset, size_t n, char **text,
		     struct err *e)
{
	char *s = calloc(1, n + 1);
	int rc;

	if (!s)
		return err_set(e, ENOMEM, "out of memory");
	rc = image_read(f, offset, s, n, e);
	if (rc < 0)
		free(s);
	else
		*text = s;
	return rc;
}

static int read_embedded(const struct image_file *f, const struct sparse *s,
			 struct image_facts *facts, struct err *e)
{
	char *text;
	size_t room, used;
	int rc;

	if (s->text_at != 1 || s->text_sectors == 0 || s->text_sectors > MAX_TEXT / SECTOR)
		return image_bad(e, "its descriptor lies where it can't be");
	room = (size_t)s->text_sectors * SECTOR;
	if (room > MAX_EMBEDDED)
		room = MAX_EMBEDDED;
	rc = read_text(f, SECTOR, room, &text, e);
	if (rc < 0)
		return rc;
	used = strlen(text);
	facts->is_extent = used == 0;
	if (used == room)
		rc = image_bad(e, "its descriptor has no end");
	else if (used)
		rc = vmdk_text(text, true, facts, e);
	facts->is_read_only |= used + CID_GROWS >= room ||
			       strcmp(facts->create_type, "streamOptimized") == 0;
	free(text);
	return rc;
}

static int read_monolithic(const struct image_file *f, struct image_facts *facts, struct err *e)
{
	struct sparse s;
	int rc = read_sparse(f, &s, e);

	if (rc < 0)
		return rc;
	facts->bytes = s.capacity * SECTOR;
	facts->is_read_only = s.is_compressed || s.version == 3;
	if (s.text_at == 0) {
		facts->is_extent = true;
		return 0;
	}
	return read_embedded(f, &s, facts, e);
}

int vmdk_read(const struct image_file *f, struct image_facts *facts, struct err *e)
{
	char magic[4], *text;
	int rc;

	facts->parent_cid = VMDK_NO_PARENT;
	rc = image_read(f, 0, magic, sizeof(magic), e);
	if (rc < 0)
		return rc;
	if (magic[0] != '#')
		return read_monolithic(f, facts, e);
	if (f->bytes > MAX_TEXT)
		return image_bad(e, "a descriptor of %llu bytes is not possible",
				 (unsigned long long)f->bytes);
	rc = read_text(f, 0, (size_t)f->bytes, &text, e);
	if (rc < 0)
		return rc;
	rc = vmdk_text(text, false, facts, e);
	free(text);
	return rc;
}

static int check_sparse_extent(const struct image_file *f, const struct image_extent *x, struct err *e)
{
	struct image_facts facts = { 0 };
	int rc = read_monolithic(f, &facts, e);
	uint64_t bytes = facts.bytes;
	bool is_extent = facts.is_extent, is_read_only = facts.is_read_only;

	facts_clear(&facts);
	if (rc < 0)
		return rc;
	if (!is_extent)
		return image_bad(e, "it is an image by itself");
	if (bytes != x->bytes)
		return image_bad(e, "it holds %llu bytes of the disk, the descriptor says %llu",
				 (unsigned long long)bytes, (unsigned long long)x->bytes);
	if (is_read_only)
		return err_set_word(e, ENOTSUP, "unsupported-feature",
				    "it is compressed or has its changed blocks tracked");
	return 0;
}

int vmdk_extent_check(const struct image_file *f, const struct image_extent *x, struct err *e)
{
	if (x->kind == EXTENT_SPARSE)
		return check_sparse_extent(f, x, e);
	if (!image_holds(f, x->offset, x->bytes))
		return image_bad(e, "it is shorter than the descriptor says");
	return image_raw_check(f, e);
}
