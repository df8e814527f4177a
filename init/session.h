/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the sweep and waits for it, but not for ever. Afterwards, whatever
 * happened, nothing of it runs any more and the summary has been printed: by the
 * sweep, by its aftermath, or in the last resort by PID 1.
 */
#ifndef GS_SESSION_H
#define GS_SESSION_H

#include "machine.h"

void session_run(struct machine *m) nonnull_all;

#endif
