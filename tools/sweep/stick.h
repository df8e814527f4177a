/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files on a filesystem that may be plugged in late: a stick with keys. */
#ifndef GS_STICK_H
#define GS_STICK_H

#include "walk.h"

/*
 * Mounts the filesystem that spec ("LABEL=" or "UUID=") names read-only and calls work with its folder, once
 * it is there; where it is not, or work fails, tries again until env's settle limit has passed. Disks and
 * partitions count first, a logical volume only where none of these has that name.
 * Returns what work returned; -ENODEV: it did not turn up; -ENOTUNIQ: several have that name.
 */
int stick_with(const struct walk_env *env, const char *spec,
	       int (*work)(const char *folder, void *arg, struct err *e), void *arg, struct err *e)
	must_check nonnull_at(1, 2, 3, 5);

#endif
