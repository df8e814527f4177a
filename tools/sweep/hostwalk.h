/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's own layers: from its disks to the volumes that the scopes take over. */
#ifndef GS_HOSTWALK_H
#define GS_HOSTWALK_H

#include "walk.h"

/*
 * Walks from all disks there are, and again whenever one more appears, until
 * nothing is missing that the configuration or LVM's metadata names, or
 * settings->settle_s seconds have passed. Returns 0 or -ENOMEM.
 */
int hostwalk_discover(struct walk *w, struct err *e) must_check nonnull_all;

/* The node whose device spec names: "LABEL=", "UUID=" (of the filesystem on it),
 * "PARTUUID=", "VG/LV", "/dev/VG/LV", "/dev/sda2". Labels and UUIDs on LVs count only
 * where with_lvs: a guest chooses those itself. NULL and e: none, or several. */
struct node *hostwalk_find(struct walk *w, const char *spec, bool with_lvs, struct err *e)
	must_check nonnull_all;

/* Makes n's device and all below it writable where the mode holds them read-only,
 * and keeps them open until the report is written. Returns 0 or -errno. */
int hostwalk_keep_writable(struct node *n, struct err *e) must_check nonnull_all;

#endif
