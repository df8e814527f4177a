/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watchdog.h"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "machine.h"

#define LOOK_MS 500

static void feed(struct watchdog *w, int64_t now)
{
	int ignored = 0;

	ioctl(w->fd, WDIOC_KEEPALIVE, &ignored);
	w->fed_ms = now;
}

static void look(struct watchdog *w)
{
	struct watchdog_info info = { 0 };
	int seconds = WATCHDOG_TIMEOUT_S;

	w->look_ms = now_ms();
	w->fd = open("/dev/watchdog0", O_WRONLY | O_CLOEXEC);
	if (w->fd < 0)
		return;
	ioctl(w->fd, WDIOC_SETTIMEOUT, &seconds);
	if (!ioctl(w->fd, WDIOC_GETSUPPORT, &info))
		snprintf(w->identity, sizeof(w->identity), "%.32s", (const char *)info.identity);
	feed(w, now_ms());
}

void watchdog_turn(struct watchdog *w, int64_t now, bool alive)
{
	if (w->fd < 0 && now - w->look_ms >= LOOK_MS)
		look(w);
	else if (w->fd >= 0 && alive && now - w->fed_ms >= WATCHDOG_FEED_MS)
		feed(w, now);
}

void watchdog_leave(struct watchdog *w)
{
	static const int tries[] = { WATCHDOG_REBOOT_S, 300, 240, 120 };
	int ignored = 0;
	size_t i;

	if (w->fd < 0)
		return;
	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		int seconds = tries[i];

		if (!ioctl(w->fd, WDIOC_SETTIMEOUT, &seconds))
			break;
	}
	ioctl(w->fd, WDIOC_KEEPALIVE, &ignored);
}
