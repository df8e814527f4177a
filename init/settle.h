/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When are the disks there? Nobody can know; these are the signs. */
#ifndef GS_SETTLE_H
#define GS_SETTLE_H

#include <stdbool.h>

#include "attrs.h"

struct disk_signs {
	unsigned disks;   /* real ones: no loop, dm, md, CD or floppy drives */
	bool usb;         /* there is a USB host controller */
	bool coming;      /* a controller has been found whose disks have not */
};

/* What /sys says now. */
struct disk_signs settle_look(void);

/* How long no device must have come before the disks count as being there, in
 * milliseconds; -1: not yet, however long it is quiet. Pure. */
int settle_quiet_ms(struct disk_signs s);

#endif
