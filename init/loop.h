/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only place where PID 1 waits, reaps and starts children. While a step
 * waits for its own thing, the rest of the machine goes on: consoles are
 * served, the watchdog is fed, orphans are reaped.
 */
#ifndef GS_LOOP_H
#define GS_LOOP_H

#include <signal.h>

#include "machine.h"

/* Blocks every signal that has a meaning here or would end PID 1; they come by
 * a descriptor from then on. */
void loop_signals(struct machine *m) nonnull_all;

/* One turn: waits until something happens, at most until until_ms (now_ms()
 * time), and deals with all of it. */
void loop_turn(struct machine *m, int64_t until_ms) nonnull_all;

/* Turns until role's child has ended or until_ms is over. Returns true when it
 * has ended (or never ran). */
bool loop_wait(struct machine *m, enum role role, int64_t until_ms) nonnull_all;

/*
 * Forks role's child. Returns as fork(2) does, but tries for a while when there
 * are no processes or no memory to be had; in the child all signals are as at a
 * program's start. -1: could not be done at all.
 */
pid_t loop_fork(struct machine *m, enum role role) nonnull_all;

#endif
