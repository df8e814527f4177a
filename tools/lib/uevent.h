/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own messages about devices that come and go (netlink, kernel
 * group; there is no udev here). Open the socket before looking at what is
 * there already, so that nothing falls between the two.
 */
#ifndef GS_UEVENT_H
#define GS_UEVENT_H

#include <stddef.h>

#include "attrs.h"
#include "err.h"

/* The kernel's limit is 2048 bytes of variables behind a header of a path. */
#define UEVENT_MAX 8192

/* One message. All but action and devpath are NULL where it does not have them. */
struct uevent {
	const char *action;    /* "add", "remove", "change", ... */
	const char *devpath;   /* below /sys, begins with "/devices" or "/module" or the like */
	const char *subsystem; /* "block", "pci", ... */
	const char *devname;   /* below /dev, "sda1" */
	const char *devtype;   /* "disk", "partition", ... */
	const char *modalias;
	char text[UEVENT_MAX]; /* what the others point into */
};

/* A socket (close-on-exec, non-blocking) that gets every kernel uevent from now
 * on, but those of the kernel's own mappings (dm, md, loop, nbd). Returns the descriptor, or -errno of socket(2) or bind(2). */
int uevent_open(struct err *e) must_check nonnull_all;

/* What such a socket has from its start: the mappings of the kernel come and go by the hundred in a sweep, and each tells
 * several times; none is hardware, nor asks for a driver, and these messages wake nobody. */
void uevent_ignore_mappings(int fd);

/*
 * Waits at most timeout_ms milliseconds (0: not at all, -1: without limit) for
 * the next message and fills *ev. Returns 1 when there is one; 0 when there was
 * none, and also when a signal came or something not from the kernel, so call
 * it again while your time lasts; -ENOBUFS when messages were lost, so look at
 * everything again; -errno of poll(2) or recvmsg(2) otherwise.
 */
int uevent_next(int fd, int timeout_ms, struct uevent *ev) must_check nonnull_all;

/* Reads the size bytes in ev->text (set by the caller) as one message. Pure.
 * Returns 0; -EINVAL if they are not "ACTION@DEVPATH", then NAME=VALUE strings
 * (ev then points nowhere). */
int uevent_parse(struct uevent *ev, size_t size) must_check nonnull_all;

#endif
