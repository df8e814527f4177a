/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk image as a block device: qemu-nbd(8) serves it, the kernel's nbd is its client. */
#ifndef GS_NBD_H
#define GS_NBD_H

#include <stdbool.h>

#include <json-c/json_object.h>

#include "nbddev.h"
#include "spawn.h"
#include "walk.h"

struct nbd {
	struct nbddev device; /* its path is "" where nothing is connected */
	char log[256];
	struct spawn_beside server;
	struct err lost;      /* what may not have been written; code 0: nothing */
};

/* Serves the image whose imagesource_read() is source and connects a free device to it; id numbers
 * its log. bytes: how large its header says the disk is; a server that offers another size is not
 * believed (bad-image). Returns 0 once the device has its size; -errno with qemu-nbd's last words,
 * and nothing left behind. */
int nbd_connect(struct nbd *n, const struct walk_env *env, unsigned id, json_object *source,
		uint64_t bytes, bool read_only, struct err *e) must_check nonnull_all;

/* Flushes and disconnects, and waits for the end of qemu-nbd and until the kernel has let go of
 * the device. Returns 0; -EIO: all is taken apart, but what was written last may be lost; else
 * -errno: not yet taken apart. */
int nbd_disconnect(struct nbd *n, struct err *e) must_check nonnull_all;

#endif
