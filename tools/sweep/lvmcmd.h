/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of the lvm command: its JSON report, and activation. */
#ifndef GS_LVMCMD_H
#define GS_LVMCMD_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json_object.h>

#include "err.h"
#include "walk.h"

/* Everything LVM knows of these devices, as "lvm fullreport" gives it (lvmreport(7)):
 * the array "report", one object per VG with the arrays vg, pv, lv. Other devices
 * are out of its sight. Release *root with json_object_put(). Returns 0, or -errno
 * with the command's last words. */
int lvmcmd_report(const struct walk_env *env, unsigned id, const char *const *devices, size_t n,
		  json_object **root, json_object **report, struct err *e) must_check nonnull_all;

/* Activates these volumes of VG vg on these devices, for writing, with all that they consist
 * of; nothing is written to the group's metadata. Returns 0; -errno with the command's last
 * words, also where some became active and others did not. */
int lvmcmd_activate(const struct walk_env *env, unsigned id, const char *vg,
		    const char *const *names, size_t n_names, const char *const *devices, size_t n,
		    struct err *e) must_check nonnull_all;

#endif
