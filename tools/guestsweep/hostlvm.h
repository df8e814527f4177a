/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The logical volumes of this host, as lvm tells. */
#ifndef GS_HOSTLVM_H
#define GS_HOSTLVM_H

#include <stddef.h>

#include "attrs.h"
#include "err.h"
#include "settings.h"

/* Names "VG/LV" of all that a guest's disk could be (no pools, no hidden parts). Returns 0, also where there is no
 * lvm; -errno. Release with words_clear(). */
int hostlvm_list(struct words *volumes, struct err *e) must_check nonnull_all;

/* The same from the text of `lvm lvs --reportformat json -o vg_name,lv_name,lv_attr`. */
int hostlvm_parse(const char *text, struct words *volumes, struct err *e) must_check nonnull_all;

/* true where a device of this host (host_device()) begins with a LUKS header. */
bool is_luks(const char *device) nonnull_all;

#endif
