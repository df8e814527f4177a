/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the image is handed: configuration, keys and the signed plan as a cpio (newc,
 * Documentation/driver-api/early-userspace/buffer-format.rst), behind the image or alone. It lies in a memfd whose
 * pages are locked, so that no key gets to a swap device, and is wiped when it goes.
 */
#ifndef GS_PACK_H
#define GS_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "configset.h"
#include "err.h"

struct pack {
	int fd;       /* of the memfd, -1: none */
	char *bytes;  /* the same, as memory */
	size_t size;
};

/* Makes the memfd: image (image_size bytes, 0: none), padded to 4 bytes, then the cpio with the set's files below root,
 * plan as PLAN_PATH and salt as PLAN_SALT_PATH. Returns 0 or -errno. Release with pack_free(). */
int pack_make(struct pack *p, const void *image, size_t image_size, const struct configset *set,
	      const char *root, const char *plan, const uint8_t *salt, struct err *e)
	must_check nonnull_at(1, 4, 5, 6, 7, 8);

/* A file of this host as a memfd. Returns 0 or -errno. */
int pack_file(struct pack *p, const char *path, struct err *e) must_check nonnull_all;

/* Wipes and releases it. */
void pack_free(struct pack *p) nonnull_all;
#define cleanup_pack __attribute__((cleanup(pack_free)))

#endif
