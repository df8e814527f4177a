/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk image as a block device: qemu-nbd(8) serves it, the kernel's nbd is its client. */
#ifndef GS_NBD_H
#define GS_NBD_H

#include <stdbool.h>

#include "spawn.h"
#include "walk.h"

struct nbd {
	char device[32];            /* "/dev/nbd3"; "": none */
	char socket[128];
	char log[256];
	int lock;                   /* keeps the device ours */
	struct spawn_beside server;
};

/* Serves the image that graph names ("json:{...}", see images/graph.h) and connects a free
 * device to it; id numbers its log and socket. Waits until the device has its size. Returns 0;
 * -errno with qemu-nbd's last words, and nothing left behind. */
int nbd_connect(struct nbd *n, const struct walk_env *env, unsigned id, const char *graph,
		bool read_only, struct err *e) must_check nonnull_all;

/* Flushes and disconnects, and waits until the kernel has let go of the device. Returns 0;
 * -EIO: qemu-nbd did not end well, what it still had to write may be lost; -errno. */
int nbd_disconnect(struct nbd *n, struct err *e) must_check nonnull_all;

/* Disconnects every device there is: those of processes that were killed. Returns how many are
 * still connected. */
unsigned nbd_disconnect_all(void);

#endif
