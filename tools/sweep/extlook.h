/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A look into the folders of an ext2, ext3 or ext4 filesystem without mounting it. */
#ifndef GS_EXTLOOK_H
#define GS_EXTLOOK_H

#include "settings.h"

/* Whether the filesystem on device has a regular file that may be a disk image: whose name
 * matches one of the shell patterns, whatever its letters' case; or a symbolic link of such a name
 * to one of this filesystem, whatever that is called. Returns 1, 0, or -errno where its folders can't be read. */
int extlook_has_image(const char *device, const struct words *patterns, struct err *e)
	must_check nonnull_all;

#endif
