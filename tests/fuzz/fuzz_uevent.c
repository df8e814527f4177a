/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a kernel uevent: what is found lies inside them, with an end. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct uevent *ev, const char *s, size_t size)
{
	if (s && (s < ev->text || s >= ev->text + size || !memchr(s, 0, size - (size_t)(s - ev->text))))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct uevent ev;

	if (size > sizeof(ev.text))
		return 0;
	memset(ev.text, 'x', sizeof(ev.text)); /* no NUL behind the message */
	memcpy(ev.text, data, size);
	if (uevent_parse(&ev, size)) {
		if (ev.action || ev.devpath || ev.modalias)
			abort();
		return 0;
	}
	if (!ev.action || !*ev.action || !ev.devpath || *ev.devpath != '/')
		abort();
	check(&ev, ev.action, size);
	check(&ev, ev.devpath, size);
	check(&ev, ev.subsystem, size);
	check(&ev, ev.devname, size);
	check(&ev, ev.devtype, size);
	check(&ev, ev.modalias, size);
	return 0;
}
