/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search for guests that libvirt has saved with their memory, on a filesystem of the host.
 *
 * libvirt keeps them in /var/lib/libvirt/qemu/save, whichever of these folders a filesystem of its
 * own is mounted at. An ext filesystem is read without mounting it; XFS and btrfs are checked first,
 * and mounted for a moment while the kernel holds their device read-only.
 */
#ifndef GS_SAVESEARCH_H
#define GS_SAVESEARCH_H

#include <json-c/json_object.h>

#include "walk.h"

/* Adds to the array saves what savefile.h makes of every save on the filesystem n, and of a folder
 * of saves that can't be read. Where the configuration names folders (saves =), only those count, and each that
 * was read to its end adds an object with "looked": 1 and its name there as "where". */
void savesearch(struct walk *w, struct node *n, json_object *saves) nonnull_all;

/* The same in a filesystem that is mounted at folder; volume: what an admin calls its device. */
void savesearch_mounted(const struct settings *s, const char *folder, const char *volume, json_object *saves)
	nonnull_all;

#endif
