/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a guest's disk lies, in the words of sweep.conf. */
#ifndef GS_DISKPLACE_H
#define GS_DISKPLACE_H

#include <stddef.h>

#include "attrs.h"
#include "domain.h"
#include "err.h"
#include "settings.h"

/* Writes the value of a `disk =` line for it into line: "VG/LV", "/dev/sdb1", "VG/LV:/images/a.img raw". volumes: this host's
 * logical volumes. Returns 0; -ENOENT and a sentence: it can't be placed. */
int diskplace(const struct domain_disk *disk, const struct words *volumes, char *line, size_t size,
	      struct err *e) must_check nonnull_all;

#endif
