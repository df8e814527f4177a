/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VirtualBox's images. Format: VirtualBox, Storage/VDICore.h (VDIHEADER1PLUS), as QEMU's
 * block/vdi.c reads it: version 1.1, blocks of 1 MiB, no parent. */
#include <errno.h>

#include "facts.h"

#define HEADER 512
#define VERSION_1_1 0x00010001u
#define TYPE_DYNAMIC 1
#define TYPE_STATIC 2
#define SECTOR 512
#define BLOCK (1u << 20)
#define MAX_BLOCKS 0x3fffffffu

static int unsupported(struct err *e, const char *what, uint32_t value)
{
	return err_set_word(e, ENOTSUP, "unsupported-feature", "%s %u is not supported", what, value);
}

int vdi_read(const struct image_file *f, struct image_facts *facts, struct err *e)
{
	uint32_t version, type, map, data, sector, block, blocks, used;
	unsigned char raw[HEADER];
	int rc = image_read(f, 0, raw, sizeof(raw), e);

	if (rc < 0)
		return rc;
	version = get_le32(raw + 0x44);
	type = get_le32(raw + 0x4c);
	map = get_le32(raw + 0x154);
	data = get_le32(raw + 0x158);
	sector = get_le32(raw + 0x168);
	facts->bytes = get_le64(raw + 0x170);
	block = get_le32(raw + 0x178);
	blocks = get_le32(raw + 0x180);
	used = get_le32(raw + 0x184);
	/* the UUIDs of link and parent */
	facts->is_differencing = !all_zero(raw + 0x1a8, 32);
	if (version != VERSION_1_1)
		return unsupported(e, "vdi version", version);
	if (facts->is_differencing)
		return 0;
	if (type != TYPE_DYNAMIC && type != TYPE_STATIC)
		return unsupported(e, "vdi type", type);
	if (sector != SECTOR || block != BLOCK)
		return unsupported(e, sector != SECTOR ? "sector size" : "block size",
				   sector != SECTOR ? sector : block);
	if (get_le32(raw + 0x17c))
		return unsupported(e, "extra data per block", get_le32(raw + 0x17c));
	if (map % SECTOR || data % SECTOR || map < HEADER)
		return image_bad(e, "its block map or data begins where it can't");
	if (blocks > MAX_BLOCKS || used > blocks || !facts->bytes ||
	    facts->bytes > (uint64_t)blocks * BLOCK)
		return image_bad(e, "its %u blocks do not fit a disk of %llu bytes", blocks,
				 (unsigned long long)facts->bytes);
	if (data < map || data - map < (uint64_t)blocks * 4 || !image_holds(f, map, (uint64_t)blocks * 4))
		return image_bad(e, "its block map lies outside the file or over the data");
	if (!image_holds(f, data, (uint64_t)used * BLOCK))
		return image_bad(e, "it is shorter than the %u blocks that it has by its header", used);
	return 0;
}
