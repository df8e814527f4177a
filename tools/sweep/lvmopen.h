/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the volumes of a group appear as devices, and go again. */
#ifndef GS_LVMOPEN_H
#define GS_LVMOPEN_H

#include "lvmgroup.h"
#include "walk.h"

/* Opens every volume of g that has no verdict. Plain ones are mapped as they stand. The
 * managed ones are first activated on throw-away copies of the physical volumes and judged
 * there, so that what the kernel does of itself reaches no disk; where g may be written,
 * those that are sound are then activated on the disks. A volume that can't be opened gets
 * a verdict. Returns 0; -EAGAIN: another walk has a group of this name or UUID, close all
 * and try again alone; -ETIMEDOUT. Nothing is open then. */
int group_open(const struct walk_env *env, struct group *g, struct err *e) must_check nonnull_all;

/* Takes all of it apart. Returns 0 or -errno where something stays busy; call it again. */
int group_close(struct group *g, struct err *e) must_check nonnull_all;

/* true where so much was written to the throw-away copies that they ran full: what was read
 * from them is worth nothing. */
bool group_ran_full(const struct group *g) nonnull_all;

#endif
