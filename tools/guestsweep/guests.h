/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guests of this host's libvirt, through virsh. Where there is no virsh there are no guests that can be
 * told anything. */
#ifndef GS_GUESTS_H
#define GS_GUESTS_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"
#include "err.h"
#include "settings.h"

#define GUESTS_PATH STATE_FOLDER "/guests" /* those that were shut down, a name a line */

bool guests_have_libvirt(void);

/* Names by `virsh list` with one more option: "--all", "--with-managed-save"; NULL: those that are on.
 * Returns 0 or -errno. Release with words_clear(). */
int guests_list(const char *option, struct words *names, struct err *e) must_check nonnull_at(2, 3);

/* The XML of a guest, as it is defined (free it). Returns 0 or -errno. */
int guests_xml(const char *name, char **xml, struct err *e) must_check nonnull_all;

/* Asks every guest that is on to shut down, one after the other: those with a section in sweep.conf in its order,
 * then the others. Each is written to GUESTS_PATH first. Returns 0; -ETIME: one is still on after five minutes; none is
 * ever killed. */
int guests_shut_down(const struct settings *s, struct err *e) must_check nonnull_all;

/* Starts those in GUESTS_PATH again, in the reverse order; those that are on by then stay. What can't be started is
 * said and stays in the list. Returns how many couldn't. */
int guests_start_again(void);

#endif
