/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that stay open from one look at them to the next. What nobody has open the kernel forgets, with a word to every
 * processor: for a look at a few pages that is most of the work, and they are read again for the next.
 *
 * What is written through a layer above does not show in pages kept of the one below, and what the disk has made of a write not in
 * those kept of the device itself: it is held while it is looked at and opened, and let go of before it is checked.
 */
#ifndef GS_HELD_H
#define GS_HELD_H

#include "layer.h"

/* Opens n's device for reading, unless it is held or this process holds many. It is only for speed: a device that can't be
 * opened is not held. */
void device_hold(struct node *n) nonnull_all;

/* Closes it, where it is held. */
void device_let_go(struct node *n) nonnull_all;

#endif
