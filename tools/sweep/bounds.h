/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a step and a guest's sweep may take, and how much a checker may write. All times are
 * seconds. */
#ifndef GS_BOUNDS_H
#define GS_BOUNDS_H

#include <stddef.h>
#include <stdint.h>

#include "settings.h"

#define BOUNDS_OUTPUT (256u << 20) /* bytes; a checker that writes more will not come to its end */

/* For one run of a checker over bytes of filesystem, left being what its guest's sweep has left. */
unsigned bounds_check_s(uint64_t bytes, unsigned left);

/* For opening one layer that offers bytes, or 0 for closing and all else: how long a worker may
 * say nothing. */
unsigned bounds_step_s(uint64_t bytes);

/* For opening a scope's volumes and searching them for saved guests, while all others wait with writing. */
unsigned bounds_look_s(const struct settings *s) nonnull_all;

/* For the sweep of the scope called name from its start. others: there are other scopes, which want
 * their part of the night. */
unsigned bounds_scope_s(const struct settings *s, const char *name, bool others) nonnull_all;

/* For a worker to close everything when it is told to end; then for the kernel to let go of it, once killed. Both are over well before
 * PID 1 ends the whole sweep, so that one that hangs in the kernel costs its own guest and not the report. */
unsigned bounds_end_s(const struct settings *s) nonnull_all;
unsigned bounds_stuck_s(const struct settings *s) nonnull_all;

#endif
