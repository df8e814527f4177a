/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one rule for guests that must not be touched.
 *
 * A guest that is suspended, saved with its memory, or at work on another host has its filesystems
 * in memory, all of them: what is written to any of its disks, be it the replay of a journal, ruins
 * it when it goes on. So what one node tells of its guest counts for all disks of the scope, and
 * is known before the first write to any:
 *
 *   hibernated    a suspended system in a swap area, a hibernated Windows
 *   saved-state   libvirt's save, a qcow2 snapshot with memory, saved = yes in sweep.conf
 *   in-use        multi-mount protection: another system has, or may have, one of its filesystems
 *   quarantined   sweeps broke off at it again and again: nobody knows what it does to us
 *
 * All else that is wrong with a disk says nothing of the guest's memory, and is that disk's own: no
 * key, a damaged header, a reencryption under way, a group that lacks a part or is degraded, a
 * medium that is read-only, no room below, an image that another one lies on, features that nobody
 * knows. The guest is off; it would check its other filesystems by itself at its next start, as is
 * done here, and none of them depends on the one that is left.
 */
#ifndef GS_GUARD_H
#define GS_GUARD_H

#include "walk.h"

/* The first node that forbids to write to this walk's guest, or NULL. */
const struct node *guard_find(const struct walk *w) nonnull_all;

/* From here on nothing below this walk is written to: the kernel holds every device of it
 * read-only, and what is opened later is opened so. */
void guard_hold(struct walk *w) nonnull_all;

/* Asks all drivers, once all is open; holds the walk where one of its nodes forbids to write.
 * Returns that node, or NULL. */
const struct node *guard_ask(struct walk *w) nonnull_all;

/* Gives n, of the same guest, the verdict that follows from why. */
void guard_tell(struct node *n, const struct node *why) nonnull_all;

#endif
