/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "knownas.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *type, *words;
} known[] = {
	{ "zfs_member", "part of a ZFS pool (zpool scrub checks it, inside the guest)" },
	{ "bcachefs", "a bcachefs filesystem" },
	{ "bcache", "part of bcache, a disk and its cache" },
	{ "stratis", "part of a Stratis pool" },
	{ "vdo", "a VDO volume" },
	{ "drbd", "replicated with another host by DRBD" },
	{ "ceph_bluestore", "storage of Ceph (BlueStore)" },
	{ "VMFS", "a VMware datastore (VMFS)" },
	{ "VMFS_volume_member", "part of a VMware datastore (VMFS)" },
	{ "LVM1_member", "a physical volume of LVM1" },
	{ "DM_snapshot_cow", "the store of a snapshot" },
	{ "DM_verity_hash", "hashes that dm-verity compares a volume with" },
	{ "DM_integrity", "a volume with checksums by dm-integrity" },
	{ "jbd", "the journal of an ext filesystem on another device" },
	{ "xfs_external_log", "the log of an XFS on another device" },
	{ "BitLocker", "BitLocker" },
	{ "cs_fvault2", "FileVault" },
	{ "ReFS", "a ReFS volume of Windows" },
	{ "apfs", "an APFS container of macOS" },
	{ "hfsplus", "an HFS+ volume of macOS" },
	{ "bsd", "divided by a BSD disklabel (FreeBSD, NetBSD, OpenBSD)" },
	{ "sun", "divided by a Sun disk label (Solaris on SPARC)" },
	{ "solaris", "divided by a VTOC of Solaris" },
	{ "sgi", "divided by an SGI volume header" },
	{ "mac", "divided by an Apple partition map" },
	{ "aix", "a disk of AIX" },
	{ "atari", "divided by an Atari partition table" },
	{ "ultrix", "divided by an ULTRIX partition table" },
	{ "unixware", "divided by a VTOC of UnixWare" },
	{ "qcow2", "a disk image (qcow2) without a file around it" },
	{ "vmdk", "a disk image (vmdk) without a file around it" },
	{ "vdi", "a disk image (vdi) without a file around it" },
	{ "vhdx", "a disk image (vhdx) without a file around it" },
	{ "vpc", "a disk image (vhd) without a file around it" },
	{ "geli", "GELI of FreeBSD" },
	{ "iso9660", "the image of a CD or DVD, which nobody writes to" },
	{ "udf", "the image of a DVD (UDF)" },
	{ "squashfs", "a compressed filesystem, which nobody writes to" },
	{ "erofs", "a compressed filesystem, which nobody writes to" },
};

/* "isw_raid_member" and others: of RAID controllers and of mainboards' firmware. */
static bool is_firmware_raid(const char *type)
{
	static const char end[] = "_raid_member";
	size_t n = strlen(type);

	return n > sizeof(end) && strcmp(type + n - (sizeof(end) - 1), end) == 0 && strncmp(type, "linux", 5) != 0;
}

const char *known_as(const char *type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(type, known[i].type) == 0)
			return known[i].words;
	return is_firmware_raid(type) ? "part of a RAID of a controller or of the firmware" : NULL;
}
