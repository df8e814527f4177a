/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many device-mapper devices at once: those of a volume group. LVM names them after the
 * group and the volume, and tells which volume one belongs to by its dm UUID; here they
 * become "gs-ID.N", ID being the group's node; to
 * LVM, which reads volumes' names out of those of their devices, that is no part of a volume.
 */
#ifndef GS_DMGROUP_H
#define GS_DMGROUP_H

#include <stddef.h>
#include <stdint.h>

#include "dm.h"

#define DM_LONG_NAME_SIZE 128 /* DM_NAME_LEN, linux/dm-ioctl.h */
#define DM_LONG_UUID_SIZE 129 /* DM_UUID_LEN */
#define DM_WHAT_SIZE 512      /* of a status or a table; more is cut off */
#define DM_MAX_BELOW 64

/* One device, with the first line of its table. */
struct dm_mapping {
	char name[DM_LONG_NAME_SIZE];
	char uuid[DM_LONG_UUID_SIZE];
	uint64_t device;              /* its number, as dev_t has it */
	uint64_t sectors;             /* of 512 bytes, its length */
	char target[32];
	char status[DM_WHAT_SIZE];    /* what the target says of itself */
	char table[DM_WHAT_SIZE];     /* its parameters */
	uint64_t below[DM_MAX_BELOW]; /* numbers of the devices it uses */
	size_t n_below;
};

/* All devices whose dm UUID begins with prefix, into *list (free it). Returns 0 or -errno of
 * the ioctl. */
int dm_mappings(const char *uuid_prefix, struct dm_mapping **list, size_t *n, struct err *e)
	must_check nonnull_all;

/* "gs-ID.N", the name that device N of group ID has. */
void dm_group_name(char name[DM_NAME_SIZE], unsigned id, unsigned n) nonnull_all;

/* Makes the node of a mapping that another process has made, with a /dev of its own. Returns 0 or -EIO. */
int dm_make_node(const char *name, struct err *e) must_check nonnull_all;

/* Gives every device whose dm UUID begins with prefix, and whose name is not yet one of
 * ours, the name "gs-ID.N", N from *count, which counts on. Returns 0 or -errno of the ioctl. */
int dm_rename_all(const char *uuid_prefix, unsigned id, unsigned *count, struct err *e)
	must_check nonnull_all;

/* Removes these n devices, users before the used. Returns 0, also where there is none of a
 * name; -EBUSY: some are left, one of them is named in e. */
int dm_drop_names(const char *const *names, size_t n, struct err *e) must_check nonnull_at(3);

/* Removes devices gs-ID.0 to gs-ID.(count - 1), users before the used. Returns 0; -EBUSY
 * likewise. */
int dm_drop_renamed(unsigned id, unsigned count, struct err *e) must_check nonnull_all;

/* The name of the device with exactly this dm UUID into name. Returns 0; -ENODEV. */
int dm_find(const char *uuid, char name[DM_NAME_SIZE], struct err *e) must_check nonnull_all;

#endif
