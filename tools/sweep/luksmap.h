/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's mapping of a LUKS volume whose header has been read by others. */
#ifndef GS_LUKSMAP_H
#define GS_LUKSMAP_H

#include <stdbool.h>

#include "lukshead.h"
#include "secret.h"

/* Maps the data on device as f, which has been checked, says it, with the volume key, as the device-mapper device name.
 * The key goes into this process's keyring in the kernel, where the mapping finds it; no table has it. Returns 0; -errno
 * with the code tool-failed, -EBUSY: somebody uses device;
 * bad-header: what dm-integrity needs is destroyed. */
int luksmap_make(const char *name, const char *device, const struct luks_facts *f, struct secret *key, bool read_only,
		 bool discard, struct err *e) must_check nonnull_all;

/* Removes what luksmap_make() has made as name. Returns 0, also when there is none; -EBUSY: in use. */
int luksmap_drop(const char *name, struct err *e) must_check nonnull_all;

#endif
