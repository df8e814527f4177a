/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The truth without a byte written: real repairs, on a snapshot in RAM that is thrown away. */
#ifndef GS_TRIAL_H
#define GS_TRIAL_H

#include "walk.h"

/* Makes a snapshot of the device below filesystem n, calls work with its path, drops it again.
 * *wrote: how many bytes work has changed. Returns what work returned; -ENOMEM: it wrote more
 * than there is memory for; -errno: there is no snapshot. */
int trial_run(struct walk *w, const struct node *n,
	      int (*work)(const char *device, void *arg, struct err *e), void *arg, uint64_t *wrote,
	      struct err *e) must_check nonnull_at(1, 2, 3, 5, 6);

/* true where the layers below n (images that grow, thin pools) have room for so many bytes more,
 * and for what they write of their own. */
bool trial_has_room(const struct node *n, uint64_t bytes) nonnull_all;

/* The same for what a trial has changed; where there is no room, n's reason says so. */
bool trial_has_room_or_note(struct node *n, uint64_t wrote) nonnull_all;

#endif
