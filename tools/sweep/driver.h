/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drivers of the kernel's that are loaded by name: those that want options, or whose control file has to be there
 * before their first device is. */
#ifndef GS_DRIVER_H
#define GS_DRIVER_H

#include "walk.h"

#define DRIVER_WORDS_MAX 4

/* Loads the module words[0] with the options behind it (DRIVER_WORDS_MAX words in all, then NULL) where it is not live;
 * one that another worker has begun to load has its folder in sysfs before it has what that is asked for. id: whose
 * log that goes to. Returns 0; -ENODEV, or -errno of starting modprobe. */
int driver_load(const struct walk_env *env, unsigned id, const char *const *words, struct err *e)
	must_check nonnull_all;

#endif
