/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Order of precedence. LUKS comes first, since crypttab may name a volume whose
 * header is gone; a superblock comes before a partition table, since a boot
 * sector inside a filesystem looks like one (a driver that sees both strong says
 * so); unknown takes what is left. The last two are never asked what a device holds.
 */
#include "registry.h"

#include <stddef.h>

const struct layer_ops *const layer_registry[] = {
	&luks_ops, &md_ops, &pv_ops, &swap_ops, &ext_ops, &xfs_ops, &btrfs_ops, &fat_ops, &ntfs_ops,
	&exfat_ops, &f2fs_ops, &foreign_ops, &table_ops, &unknown_ops,
	&hostfs_ops, &image_ops, NULL,
};
