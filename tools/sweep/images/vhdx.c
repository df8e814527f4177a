/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hyper-V's images. Format: [MS-VHDX], "Virtual Hard Disk v2 (VHDX) File Format", sections 2.2
 * (headers and region tables), 2.3 (log) and 2.6 (metadata). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "facts.h"

#define KIB 1024u
#define MIB (1024u * KIB)
#define HEADER_BYTES 4096
#define REGIONS_AT (192 * KIB)
#define TABLE_BYTES (64 * KIB)
#define MAX_REGIONS 2047u
#define MAX_ITEMS 2047u
#define ENTRY_BYTES 32
#define MAX_DISK (64ULL << 40)
#define MIN_BLOCK MIB
#define MAX_BLOCK (256 * MIB)
#define FLAG_REQUIRED 4u
#define FLAG_HAS_PARENT 2u
#define BITMAP_SECTORS (1u << 23) /* that one block of the sector bitmap speaks for */

struct region {
	uint64_t at;    /* bytes into the file */
	uint32_t bytes; /* 0: there is none */
};

/* GUIDs as they stand on the disk */
static const unsigned char guid_bat[16] = "\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08";
static const unsigned char guid_metadata[16] = "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e";

enum item { ITEM_FILE, ITEM_SIZE, ITEM_SECTOR, ITEM_PAGE83, ITEM_PHYSICAL, ITEM_PARENT, ITEMS };
static const struct {
	unsigned char guid[16];
	uint32_t bytes; /* that we read of it */
} items[ITEMS] = {
	[ITEM_FILE] = { "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b", 8 },
	[ITEM_SIZE] = { "\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8", 8 },
	[ITEM_SECTOR] = { "\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f", 4 },
	[ITEM_PAGE83] = { "\xab\x12\xca\xbe\xe6\xb2\x23\x45\x93\xef\xc3\x09\xe0\x00\xc7\x46", 0 },
	[ITEM_PHYSICAL] = { "\xc7\x48\xa3\xcd\x5d\x44\x71\x44\x9c\xc9\xe9\x88\x52\x51\xc5\x56", 0 },
	[ITEM_PARENT] = { "\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c", 0 },
};

struct metadata {
	unsigned char value[ITEMS][8];
	bool found[ITEMS];
};

/* CRC-32C (Castagnoli) of n bytes, those of the checksum itself (at 4) taken as zero. */
static uint32_t checksum(const unsigned char *p, size_t n)
{
	static const uint32_t table[16] = { /* of the polynomial 0x82f63b78, for 4 bits */
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	uint32_t crc = ~0u;
	size_t i;

	for (i = 0; i < n; i++) {
		crc ^= i >= 4 && i < 8 ? 0 : p[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

static bool is_intact(const unsigned char *p, size_t n, const char *signature)
{
	return memcmp(p, signature, 4) == 0 && get_le32(p + 4) == checksum(p, n);
}

/* The header in force: the intact one with the higher sequence number. */
static int read_header(const struct image_file *f, unsigned char current[HEADER_BYTES], struct err *e)
{
	unsigned char other[HEADER_BYTES];
	bool first, second;
	int rc = image_read(f, 64 * KIB, current, HEADER_BYTES, e);

	if (rc == 0)
		rc = image_read(f, 128 * KIB, other, HEADER_BYTES, e);
	if (rc < 0)
		return rc;
	first = is_intact(current, HEADER_BYTES, "head");
	second = is_intact(other, HEADER_BYTES, "head");
	if (!first && !second)
		return image_bad(e, "both of its headers are damaged");
	if (!first || (second && get_le64(other + 8) > get_le64(current + 8)))
		memcpy(current, other, HEADER_BYTES);
	if (get_le16(current + 66) != 1)
		return err_set_word(e, ENOTSUP, "unsupported-feature",
				    "version %u of vhdx is not known", get_le16(current + 66));
	return 0;
}

static int take_log(const struct image_file *f, const unsigned char *header, struct image_facts *facts,
		    struct err *e)
{
	facts->is_log_dirty = !all_zero(header + 48, 16);
	if (!image_holds(f, get_le64(header + 72), get_le32(header + 68)))
		return image_bad(e, "its log lies outside the file");
	return 0;
}

static int unknown_guid(struct image_facts *facts, const char *what, const unsigned char *guid)
{
	snprintf(facts->unsupported, sizeof(facts->unsupported), "%s %08x-%04x-%04x-%02x%02x...", what,
		 get_le32(guid), get_le16(guid + 4), get_le16(guid + 6), guid[8], guid[9]);
	return 0;
}

static int take_region(const struct image_file *f, const unsigned char *p, struct region *bat,
		       struct region *metadata, struct image_facts *facts, struct err *e)
{
	struct region r = { get_le64(p + 16), get_le32(p + 24) };
	struct region *to = memcmp(p, guid_bat, 16) == 0	? bat
			    : memcmp(p, guid_metadata, 16) == 0 ? metadata
								: NULL;

	if (!to)
		return get_le32(p + 28) & 1 ? unknown_guid(facts, "region", p) : 0;
	if (to->bytes || !r.bytes || r.at < MIB || r.at % MIB || !image_holds(f, r.at, r.bytes))
		return image_bad(e, "its region table points to where nothing can be");
	*to = r;
	return 0;
}

/* QEMU goes by the first of the two tables alone. */
static int read_regions(const struct image_file *f, struct region *bat, struct region *metadata,
			struct image_facts *facts, struct err *e)
{
	unsigned char *table = malloc(TABLE_BYTES);
	uint32_t i, n;
	int rc;

	if (!table)
		return err_set(e, ENOMEM, "out of memory");
	rc = image_read(f, REGIONS_AT, table, TABLE_BYTES, e);
	if (rc == 0 && !is_intact(table, TABLE_BYTES, "regi"))
		rc = image_bad(e, "its region table is damaged");
	n = rc == 0 ? get_le32(table + 8) : 0;
	if (n > MAX_REGIONS)
		rc = image_bad(e, "a table of %u regions is not possible", n);
	for (i = 0; rc == 0 && i < n; i++)
		rc = take_region(f, table + 16 + i * ENTRY_BYTES, bat, metadata, facts, e);
	free(table);
	if (rc == 0 && !facts->unsupported[0] && (!bat->bytes || !metadata->bytes))
		return image_bad(e, "it lacks a block table or metadata");
	return rc;
}

static int take_item(const struct image_file *f, const struct region *r, const unsigned char *p,
		     struct metadata *m, struct image_facts *facts, struct err *e)
{
	uint32_t at = get_le32(p + 16), bytes = get_le32(p + 20);
	size_t i;

	for (i = 0; i < ITEMS && memcmp(p, items[i].guid, 16) != 0; i++)
		;
	if (i == ITEMS)
		return get_le32(p + 24) & FLAG_REQUIRED ? unknown_guid(facts, "metadata", p) : 0;
	if (m->found[i] || at < TABLE_BYTES || at > r->bytes || bytes > r->bytes - at ||
	    bytes < items[i].bytes)
		return image_bad(e, "its metadata table points to where nothing can be");
	m->found[i] = true;
	return image_read(f, r->at + at, m->value[i], items[i].bytes, e);
}

static int read_metadata(const struct image_file *f, const struct region *r, struct metadata *m,
			 struct image_facts *facts, struct err *e)
{
	unsigned char entry[ENTRY_BYTES];
	uint16_t i, n;
	int rc;

	memset(m, 0, sizeof(*m));
	if (r->bytes < TABLE_BYTES)
		return image_bad(e, "a metadata region of %u bytes is not possible", r->bytes);
	rc = image_read(f, r->at, entry, sizeof(entry), e);
	if (rc < 0)
		return rc;
	n = get_le16(entry + 10);
	if (memcmp(entry, "metadata", 8) != 0 || n > MAX_ITEMS)
		return image_bad(e, "its metadata table is damaged");
	for (i = 0; rc == 0 && i < n; i++) {
		rc = image_read(f, r->at + ENTRY_BYTES * (i + 1ULL), entry, sizeof(entry), e);
		if (rc == 0)
			rc = take_item(f, r, entry, m, facts, e);
	}
	if (rc == 0 && !(m->found[ITEM_FILE] && m->found[ITEM_SIZE] && m->found[ITEM_SECTOR]))
		return image_bad(e, "its metadata doesn't say how large the disk is");
	return rc;
}

static int take_disk(const struct metadata *m, const struct region *bat, struct image_facts *facts,
		     struct err *e)
{
	uint32_t block = get_le32(m->value[ITEM_FILE]), sector = get_le32(m->value[ITEM_SECTOR]);
	uint64_t blocks, chunk;

	facts->bytes = get_le64(m->value[ITEM_SIZE]);
	facts->is_differencing = get_le32(m->value[ITEM_FILE] + 4) & FLAG_HAS_PARENT;
	if (facts->is_differencing)
		return 0;
	if (sector != 512)
		return err_set_word(e, ENOTSUP, "unsupported-feature",
				    "sectors of %u bytes are not supported", sector);
	if (block < MIN_BLOCK || block > MAX_BLOCK || (block & (block - 1)))
		return image_bad(e, "blocks of %u bytes are not possible", block);
	if (!facts->bytes || facts->bytes > MAX_DISK || facts->bytes % sector)
		return image_bad(e, "a disk of %llu bytes is not possible",
				 (unsigned long long)facts->bytes);
	blocks = (facts->bytes + block - 1) / block;
	chunk = (uint64_t)BITMAP_SECTORS * sector / block;
	if ((blocks + (blocks - 1) / chunk) * 8 > bat->bytes)
		return image_bad(e, "its block table is too small for a disk of %llu bytes",
				 (unsigned long long)facts->bytes);
	return 0;
}

int vhdx_read(const struct image_file *f, struct image_facts *facts, struct err *e)
{
	unsigned char header[HEADER_BYTES];
	struct region bat = { 0 }, metadata = { 0 };
	struct metadata m;
	int rc = read_header(f, header, e);

	if (rc == 0)
		rc = take_log(f, header, facts, e);
	if (rc == 0)
		rc = read_regions(f, &bat, &metadata, facts, e);
	if (rc < 0 || facts->unsupported[0])
		return rc;
	rc = read_metadata(f, &metadata, &m, facts, e);
	return rc < 0 || facts->unsupported[0] ? rc : take_disk(&m, &bat, facts, e);
}
