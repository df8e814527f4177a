/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel and image, as ./build.sh install left them. They lie on /boot, where others may write; what they must be is
 * noted on the host's own filesystem. No key is handed to anything else. */
#ifndef GS_INSTALLED_H
#define GS_INSTALLED_H

#include "attrs.h"
#include "err.h"
#include "pack.h"

/* Reads IMAGE_FOLDER/name into memory, and compares it there with its noted sum, which goes into hex (65 bytes).
 * Returns 0; -ENOENT: not installed; -EBADMSG: it is not what was installed. */
int installed_load(const char *name, struct pack *p, char *hex, struct err *e) must_check nonnull_all;

#endif
