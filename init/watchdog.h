/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine resets itself when PID 1 stops feeding the watchdog: because the
 * kernel is stuck, or because the sweep shows no sign of life and PID 1 could
 * not end it. Opened as soon as a driver brings one, since the firmware or the
 * host's system may have armed it long ago.
 */
#ifndef GS_WATCHDOG_H
#define GS_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "attrs.h"

#define WATCHDOG_TIMEOUT_S 60
#define WATCHDOG_FEED_MS 10000
/* Left for the way back: firmware and the host's own start. A watchdog that
 * fires in the middle of them would make an endless loop. */
#define WATCHDOG_REBOOT_S 600

struct watchdog {
	int fd;           /* -1: there is none so far */
	int64_t look_ms;  /* when one was last looked for */
	int64_t fed_ms;
	char identity[33]; /* the driver's name for it, "" while there is none */
};

/* Looks for a watchdog now and then while there is none, and feeds it when it is time and
 * alive is true. now is now_ms(). Never fails: no watchdog is no error. */
void watchdog_turn(struct watchdog *w, int64_t now, bool alive) nonnull_all;

/* Leaves it armed for the reboot, with the longest time it takes up to
 * WATCHDOG_REBOOT_S. */
void watchdog_leave(struct watchdog *w) nonnull_all;

#endif
