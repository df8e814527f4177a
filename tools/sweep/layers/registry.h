/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drivers, one file each. A new kind is one file, one line here and one in
 * registry.c, and one scenario. */
#ifndef GS_REGISTRY_H
#define GS_REGISTRY_H

#include "layer.h"

extern const struct layer_ops luks_ops;
extern const struct layer_ops md_ops;
extern const struct layer_ops pv_ops;
extern const struct layer_ops swap_ops;
extern const struct layer_ops ext_ops;
extern const struct layer_ops xfs_ops;
extern const struct layer_ops btrfs_ops;
extern const struct layer_ops fat_ops;
extern const struct layer_ops ntfs_ops;
extern const struct layer_ops exfat_ops;
extern const struct layer_ops f2fs_ops;
extern const struct layer_ops foreign_ops;
extern const struct layer_ops table_ops;
extern const struct layer_ops unknown_ops;
extern const struct layer_ops hostfs_ops;
extern const struct layer_ops image_ops;

/* In order of precedence, NULL at the end. */
extern const struct layer_ops *const layer_registry[];

#endif
