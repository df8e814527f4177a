/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's end of an NBD connection: /dev/nbdN over a socket. Linux, drivers/block/nbd.c. */
#ifndef GS_NBDDEV_H
#define GS_NBDDEV_H

#include <stdbool.h>

#include "nbdtalk.h"
#include "walk.h"

struct nbddev {
	char path[32];  /* "/dev/nbd3"; "": none */
	int lock;       /* keeps the device ours */
	int carrier;    /* the process that lends itself to the kernel for the connection; 0: none */
};

/* Attaches the connected stream socket, whose server has been asked for x, to a free device,
 * and waits until that has its size; the kernel looks for no partitions on it. id numbers the
 * log of loading the driver. The caller closes its socket in any case. Returns 0; -EBUSY: all
 * devices are taken; -errno. Nothing is left behind then. */
int nbddev_attach(struct nbddev *d, const struct walk_env *env, unsigned id, int socket,
		  const struct nbd_export *x, bool read_only, struct err *e)
	must_check nonnull_all;

/* Writes out what is still held for the device, then tells the server that no more will come.
 * Returns 0; -EIO: some of it was not written; the connection is over even so. */
int nbddev_finish(struct nbddev *d, struct err *e) nonnull_all;

/* Ends the connection if it is not over, requests on their way fail; waits until the kernel has
 * let go of the device. Returns 0; -EBUSY: it is still in use. */
int nbddev_detach(struct nbddev *d, struct err *e) must_check nonnull_all;

/* Ends every connection there is: those of processes that were killed. Returns how many devices
 * are still connected. */
unsigned nbddev_detach_all(void);

#endif
