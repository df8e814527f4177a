/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether this host's guests are off, asked as it goes down: what is on or saved then must not be swept. */
#ifndef GS_GUESTSOFF_H
#define GS_GUESTSOFF_H

#include "attrs.h"
#include "err.h"
#include "settings.h"

/* Returns 0: every guest is off, or there is no libvirt; a save that sweep.conf knows of ("saved = yes") does not count.
 * -EBUSY and a sentence: one is on, paused or saved, or that can't be known. */
int guestsoff_check(const struct settings *s, struct err *e) must_check nonnull_all;

#endif
