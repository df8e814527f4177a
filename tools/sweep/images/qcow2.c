/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The header of qcow2 images, versions 2 and 3. Format: QEMU, docs/interop/qcow2.txt; the limits
 * are those of its block/qcow2.h. */
#include <errno.h>
#include <stdlib.h>

#include "facts.h"

#define HEADER_V2 72
#define HEADER_V3 104
#define HEADER_READ 112 /* with the compression type */
#define MIN_CLUSTER_BITS 9
#define MAX_CLUSTER_BITS 21
#define MIN_CLUSTER_BITS_EXTENDED 14
#define MAX_L1_BYTES (32u << 20)
#define MAX_REFTABLE_BYTES (8u << 20)
#define MAX_BACKING_NAME 1023
#define MAX_REFCOUNT_ORDER 6

#define INCOMPAT_DIRTY 1u
#define INCOMPAT_CORRUPT 2u
#define INCOMPAT_DATA_FILE 4u
#define INCOMPAT_COMPRESSION 8u
#define INCOMPAT_EXTENDED_L2 16u
#define INCOMPAT_KNOWN 31u
#define AUTOCLEAR_BITMAPS 1u
#define AUTOCLEAR_RAW_DATA 2u
#define COMPRESSION_ZSTD 1

struct header {
	uint32_t version;
	uint64_t backing_offset, snapshots_offset, l1_offset, reftable_offset;
	uint32_t backing_bytes, crypt_method, l1_entries, reftable_clusters, snapshots;
	uint32_t cluster_bits, refcount_order, length;
	uint64_t bytes, incompatible, autoclear;
	unsigned char compression;
};

static void take_header(const unsigned char *p, struct header *h)
{
	h->version = get_be32(p + 4);
	h->backing_offset = get_be64(p + 8);
	h->backing_bytes = get_be32(p + 16);
	h->cluster_bits = get_be32(p + 20);
	h->bytes = get_be64(p + 24);
	h->crypt_method = get_be32(p + 32);
	h->l1_entries = get_be32(p + 36);
	h->l1_offset = get_be64(p + 40);
	h->reftable_offset = get_be64(p + 48);
	h->reftable_clusters = get_be32(p + 56);
	h->snapshots = get_be32(p + 60);
	h->snapshots_offset = get_be64(p + 64);
	h->length = HEADER_V2;
	h->refcount_order = 4;
	if (h->version < 3)
		return;
	h->incompatible = get_be64(p + 72);
	h->autoclear = get_be64(p + 88);
	h->refcount_order = get_be32(p + 96);
	h->length = get_be32(p + 100);
	h->compression = h->length > HEADER_V3 ? p[104] : 0;
}

static int read_header(const struct image_file *f, struct header *h, struct err *e)
{
	unsigned char raw[HEADER_READ] = { 0 };
	size_t n = f->bytes < sizeof(raw) ? (size_t)f->bytes : sizeof(raw);
	int rc = image_read(f, 0, raw, n, e);

	if (rc < 0)
		return rc;
	memset(h, 0, sizeof(*h));
	take_header(raw, h);
	if (n < HEADER_V2)
		return image_bad(e, "it ends within its header");
	if (h->version != 2 && h->version != 3)
		return err_set_word(e, ENOTSUP, "unsupported-feature",
				    "version %u of qcow2 is not known", h->version);
	if (h->version == 3 && n < HEADER_V3)
		return image_bad(e, "it ends within its header");
	return 0;
}

/* The entries of an L1 table that covers the whole disk. */
static uint64_t l1_needed(const struct header *h)
{
	unsigned l2_bits = h->cluster_bits - (h->incompatible & INCOMPAT_EXTENDED_L2 ? 4 : 3);
	unsigned shift = h->cluster_bits + l2_bits;

	return (h->bytes >> shift) + ((h->bytes & ((1ULL << shift) - 1)) != 0);
}

/* Whether a table starts at a cluster and lies inside the file. */
static bool is_table(const struct image_file *f, const struct header *h, uint64_t offset,
		     uint64_t bytes)
{
	return (offset & ((1ULL << h->cluster_bits) - 1)) == 0 && image_holds(f, offset, bytes);
}

static int check_geometry(const struct header *h, struct err *e)
{
	unsigned min = h->incompatible & INCOMPAT_EXTENDED_L2 ? MIN_CLUSTER_BITS_EXTENDED
							      : MIN_CLUSTER_BITS;

	if (h->cluster_bits < min || h->cluster_bits > MAX_CLUSTER_BITS)
		return image_bad(e, "clusters of 2^%u bytes are not possible", h->cluster_bits);
	if (h->version == 3 && (h->length < HEADER_V3 || h->length % 8 ||
				h->length > 1u << h->cluster_bits))
		return image_bad(e, "a header of %u bytes is not possible", h->length);
	if (h->refcount_order > MAX_REFCOUNT_ORDER)
		return image_bad(e, "refcounts of 2^%u bits are not possible", h->refcount_order);
	if (h->bytes > INT64_MAX)
		return image_bad(e, "a disk of %llu bytes is not possible", (unsigned long long)h->bytes);
	return 0;
}

static int check_tables(const struct image_file *f, const struct header *h, struct err *e)
{
	uint64_t reftable = (uint64_t)h->reftable_clusters << h->cluster_bits;

	if (h->l1_entries > MAX_L1_BYTES / 8 || h->l1_entries < l1_needed(h))
		return image_bad(e, "an L1 table of %u entries does not fit a disk of %llu bytes",
				 h->l1_entries, (unsigned long long)h->bytes);
	if (!is_table(f, h, h->l1_offset, (uint64_t)h->l1_entries * 8))
		return image_bad(e, "its L1 table lies outside the file");
	if (!reftable || reftable > MAX_REFTABLE_BYTES ||
	    !is_table(f, h, h->reftable_offset, reftable))
		return image_bad(e, "its refcount table lies outside the file");
	if (h->snapshots && !is_table(f, h, h->snapshots_offset, 0))
		return image_bad(e, "its table of snapshots lies outside the file");
	return 0;
}

static int check_compression(const struct header *h, struct image_facts *facts, struct err *e)
{
	bool other = h->incompatible & INCOMPAT_COMPRESSION;

	if (other != (h->compression != 0))
		return image_bad(e, "its header contradicts itself about how it is compressed");
	if (h->compression > COMPRESSION_ZSTD)
		return err_set_word(e, ENOTSUP, "unsupported-feature",
				    "compression type %u is not known", h->compression);
	facts->needs_zstd = h->compression == COMPRESSION_ZSTD;
	return 0;
}

/* The name stands behind the header extensions, in the first cluster. */
static int read_backing_name(const struct image_file *f, const struct header *h,
			     struct image_facts *facts, struct err *e)
{
	uint64_t cluster = 1ULL << h->cluster_bits;
	int rc;

	if (!h->backing_offset)
		return 0;
	if (h->backing_offset < h->length || h->backing_offset > cluster ||
	    h->backing_bytes > MAX_BACKING_NAME || h->backing_bytes > cluster - h->backing_offset)
		return image_bad(e, "the name of its backing file lies outside its header");
	if (!h->backing_bytes)
		return image_bad(e, "the name of its backing file is empty");
	facts->backing_name = calloc(1, (size_t)h->backing_bytes + 1);
	if (!facts->backing_name)
		return err_set(e, ENOMEM, "out of memory");
	rc = image_read(f, h->backing_offset, facts->backing_name, h->backing_bytes, e);
	if (rc == 0 && strlen(facts->backing_name) != h->backing_bytes)
		return image_bad(e, "the name of its backing file has a zero byte in it");
	return rc;
}

static void take_facts(const struct header *h, struct image_facts *facts)
{
	facts->bytes = h->bytes;
	facts->is_encrypted = h->crypt_method != 0;
	facts->is_dirty = h->incompatible & INCOMPAT_DIRTY;
	facts->is_corrupt = h->incompatible & INCOMPAT_CORRUPT;
	facts->has_data_file = h->incompatible & INCOMPAT_DATA_FILE;
	facts->data_is_raw = facts->has_data_file && (h->autoclear & AUTOCLEAR_RAW_DATA);
	facts->changes_on_open = facts->is_dirty || (h->autoclear & ~(uint64_t)AUTOCLEAR_RAW_DATA);
}

int qcow2_read(const struct image_file *f, struct image_facts *facts, struct err *e)
{
	struct header h;
	uint64_t end;
	int rc = read_header(f, &h, e);

	if (rc < 0)
		return rc;
	take_facts(&h, facts);
	rc = check_geometry(&h, e);
	if (rc == 0)
		rc = read_backing_name(f, &h, facts, e);
	if (rc < 0)
		return rc;
	end = h.backing_offset ? h.backing_offset : 1ULL << h.cluster_bits;
	rc = qcow2_extensions(f, h.length, end < f->bytes ? end : f->bytes,
			      h.incompatible & ~(uint64_t)INCOMPAT_KNOWN, facts, e);
	if (rc < 0 || facts->unsupported[0])
		return rc; /* what the tables look like then is not known */
	rc = check_compression(&h, facts, e);
	if (rc == 0)
		rc = check_tables(f, &h, e);
	if (rc == 0)
		rc = qcow2_snapshots(f, h.snapshots_offset, h.snapshots, facts, e);
	return rc;
}
