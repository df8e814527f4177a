/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the hardware's drivers: those of the devices that are there, then of
 * those that come, for as long as the sweep runs. It is a child of PID 1,
 * because loading a driver may take seconds or hang, and PID 1 may not.
 */
#ifndef GS_HOTPLUG_H
#define GS_HOTPLUG_H

#include "machine.h"

/* Starts it, and waits until the disks seem to be there, settle_s is over, or it
 * is known that nothing will come of it. */
void hotplug_start(struct machine *m) nonnull_all;

#endif
