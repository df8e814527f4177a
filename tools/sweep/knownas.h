/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What content is that libblkid or likeness.h names and that nothing here opens or checks. */
#ifndef GS_KNOWNAS_H
#define GS_KNOWNAS_H

#include "attrs.h"

/* A few words for a type of libblkid ("part of a ZFS pool" for "zfs_member"); NULL: its name
 * has to do. */
const char *known_as(const char *type) nonnull_all;

#endif
