/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work on many things, over each of which the kernel takes a while: several processes ask it at once. */
#ifndef GS_CROWD_H
#define GS_CROWD_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"

/* Has work(i, arg) done for each i below n, in children of this process; what it leaves in memory is lost. Returns true where it
 * returned true for all of them, and within 20 seconds; false where it did not, or there were too few for it to be worth while.
 * The caller then looks after each himself. */
bool crowd_do(size_t n, bool (*work)(size_t i, void *arg), void *arg) must_check nonnull_at(2);

#endif
