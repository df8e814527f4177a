/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a member of an md array says of the array and of itself. Format: Linux'
 * include/uapi/linux/raid/md_p.h; where each version stands: md(4), "md metadata". */
#ifndef GS_MDSUPER_H
#define GS_MDSUPER_H

#include <stdbool.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

#define MD_ROLE_SPARE (-1)   /* takes no part yet */
#define MD_ROLE_FAULTY (-2)
#define MD_ROLE_JOURNAL (-3) /* holds the write journal of RAID 4, 5 or 6 */

#define MD_MAX_ROLES 384 /* as many members as the largest superblock can name */

struct mdsuper {
	char version[8];     /* "0.90", "1.0", "1.1", "1.2" */
	char uuid[40];       /* of the array, as libblkid writes it */
	char name[33];       /* v1 only; bytes as they are, escape them */
	int preferred_minor; /* 0.90 only */
	int level;           /* 0, 1, 4, 5, 6, 10; negative: -1 linear, -4 multipath */
	unsigned raid_disks; /* members of a whole array */
	int role;            /* its place, from 0, or MD_ROLE_... */
	uint64_t events;     /* the count of changes: the member with fewer is stale */
	bool is_reshaping;   /* a change of the array's shape is under way */
	bool has_journal;    /* the array has a journal member */
	bool is_recovering;  /* this member is not yet filled */
	bool is_dirty;       /* redundancy may be wrong: cut off while it was written to, or never synced; no partial
			      * parity log (PPL) makes up for that */
	bool sees[MD_MAX_ROLES]; /* which places have a working member, by this member's account */
};

/* Reads the superblock of the member on device (bytes long) whose metadata version libblkid
 * gave ("0.90.0", "1.2"). Returns 0; -EINVAL where it is none or its checksum is wrong; -errno
 * of reading. */
int mdsuper_read(const char *device, uint64_t bytes, const char *version, struct mdsuper *s,
		 struct err *e) must_check nonnull_all;

#endif
