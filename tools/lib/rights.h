/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities of this process: sets of bits, 1 << CAP_... */
#ifndef GS_RIGHTS_H
#define GS_RIGHTS_H

#include <stdint.h>

#include "attrs.h"
#include "err.h"

/* Neither this process nor what it starts can ever get another capability than these. Returns 0 or
 * -errno. */
int rights_bound(uint64_t capabilities, struct err *e) must_check nonnull_all;

/* Gives up all that it has but these. Returns 0 or -errno. */
int rights_keep(uint64_t capabilities, struct err *e) must_check nonnull_all;

#endif
