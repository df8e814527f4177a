/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening one LUKS volume: header and key slot in a sandbox (luksbox.h), then the mapping (luksmap.h). */
#ifndef GS_LUKSOPEN_H
#define GS_LUKSOPEN_H

#include "walk.h"

/*
 * Opens the LUKS volume on device, which the kernel holds read-only, as the mapping name, with the key that entry
 * names or passphrases that are typed. Unless read_only the device is made writable once the volume key is there.
 * No header is written, and no pending reencryption goes on. *one_header: LUKS2 has two, and one is damaged.
 * Returns 0; -errno with the code bad-header, unsupported-feature, no-key, no-memory or tool-failed.
 */
int luks_open_device(const struct walk_env *env, const char *device, const struct crypttab_entry *entry,
		     const char *name, bool read_only, bool *one_header, struct err *e) must_check nonnull_all;

#endif
