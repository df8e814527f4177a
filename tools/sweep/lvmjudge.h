/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's own words on active mappings (Documentation/admin-guide/device-mapper/)
 * mean for the volumes made of them: sound, degraded, damaged, and how much room is left.
 */
#ifndef GS_LVMJUDGE_H
#define GS_LVMJUDGE_H

#include "dmgroup.h"
#include "lvmgroup.h"

/* Judges the managed volumes of g that have no verdict yet by the n mappings of g, which lie
 * on throw-away copies, and takes their true sizes from there. A damaged one gets a verdict, a
 * note says what else should be known. Where g may be written (!g->read_only), those that must
 * not be are marked: throwaway stays on the copies, read_only has no room for what a repair may
 * write. */
void group_judge(struct group *g, const struct dm_mapping *m, size_t n) nonnull_at(1);

/* Marks in part (n flags) which of the mappings v consists of; an origin's snapshots belong
 * to it, since to write to it fills them. Returns false where v is not among them. */
bool volume_parts(const struct group *g, const struct volume *v, const struct dm_mapping *m,
		  size_t n, bool *part) must_check nonnull_at(1, 2);

/* true for a volume that LVM has to activate. */
bool is_managed(const struct volume *v) nonnull_all;

#endif
