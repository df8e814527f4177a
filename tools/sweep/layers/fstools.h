/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each checker is told and what its answers mean, for the drivers and their tests. */
#ifndef GS_FSTOOLS_H
#define GS_FSTOOLS_H

#include "fscheck.h"

extern const struct fs_tool xfs_tool;
extern const struct fs_tool btrfs_tool;
extern const struct fs_tool fat_tool;
extern const struct fs_tool ntfs_tool;
extern const struct fs_tool exfat_tool;
extern const struct fs_tool f2fs_tool;

#endif
