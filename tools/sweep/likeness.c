/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "likeness.h"

#include <ext2fs/ext2_fs.h>
#include <stddef.h>

#include "looks.h"

/*
 * Image formats: their magic numbers (qemu, docs/interop/qcow2.rst; VMware, Virtual Disk Format 5.0; MS-VHDX; MS-VHD;
 * VirtualBox, VDICore.h). A BSD disklabel: DISKMAGIC, in the second sector, or where Alpha, m68k and SPARC have it (NetBSD,
 * sys/sys/disklabel.h); libblkid takes it only with a checksum that a boot loader behind the label spoils. GELI: its last sector (FreeBSD, sys/geom/eli/g_eli.h).
 */
static const struct {
	const char *type;
	int64_t at; /* byte; from the device's end where below 0 */
	uint32_t bytes;
	uint64_t mark; /* big-endian */
} marks[] = {
	{ "qcow2", 0, 4, 0x514649fb },
	{ "vmdk", 0, 4, 0x4b444d56 },          /* "KDMV" */
	{ "vmdk", 0, 4, 0x434f5744 },          /* "COWD" */
	{ "vmdk", 0, 8, 0x23204469736b2044 },  /* "# Disk D" */
	{ "vdi", 64, 4, 0x7f10dabe },
	{ "vhdx", 0, 8, 0x7668647866696c65 },  /* "vhdxfile" */
	{ "vpc", 0, 8, 0x636f6e6563746978 },   /* "conectix" */
	{ "bsd", 512, 4, 0x57455682 },
	{ "bsd", 64, 4, 0x57455682 },
	{ "bsd", 128, 4, 0x57455682 },
	{ "geli", -512, 8, 0x47454f4d3a3a454c }, /* "GEOM::EL" */
};

_Static_assert(ARRAY_SIZE(marks) <= FIELDS_MAX, "too many to be read at once");

const char *likeness_of(const char *device, uint64_t bytes)
{
	struct field field[ARRAY_SIZE(marks)];
	uint64_t value[ARRAY_SIZE(marks)];
	struct err ignored;
	size_t i;

	if (bytes < FIELDS_BLOCK)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(marks); i++)
		field[i] = (struct field){ (marks[i].at < 0 ? bytes : 0) + (uint64_t)marks[i].at, marks[i].bytes, true };
	if (look_fields(device, field, ARRAY_SIZE(marks), false, value, &ignored) < 0)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(marks); i++)
		if (value[i] == marks[i].mark)
			return marks[i].type;
	return NULL;
}

/* What a backup says of itself (Documentation/filesystems/ext4/super.rst). */
static bool is_ext_backup(const char *device, uint64_t at, unsigned group, unsigned block_size)
{
	const struct field field[] = {
		{ at + offsetof(struct ext2_super_block, s_magic), 2, false },
		{ at + offsetof(struct ext2_super_block, s_block_group_nr), 2, false },
		{ at + offsetof(struct ext2_super_block, s_log_block_size), 4, false },
	};
	uint64_t value[ARRAY_SIZE(field)];
	struct err ignored;

	return look_fields(device, field, ARRAY_SIZE(field), false, value, &ignored) == 0 && value[0] == EXT2_SUPER_MAGIC &&
	       value[1] == group && value[2] < 3 && 1024u << value[2] == block_size;
}

bool likeness_ext_backup(const char *device, uint64_t bytes, uint64_t *block, unsigned *block_size)
{
	static const unsigned sizes[] = { 4096, 1024, 2048 }, groups[] = { 1, 3, 5 }; /* sparse_super */
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < ARRAY_SIZE(groups); k++) {
			*block_size = sizes[i];
			*block = (sizes[i] == 1024) + 8ULL * sizes[i] * groups[k];
			if ((*block + 1) * sizes[i] <= bytes &&
			    is_ext_backup(device, *block * sizes[i], groups[k], sizes[i]))
				return true;
		}
	return false;
}
