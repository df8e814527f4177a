/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How to open a disk image: written by the worker that found it, read by the one that sweeps it. */
#ifndef GS_IMAGESOURCE_H
#define GS_IMAGESOURCE_H

#include <json-c/json_object.h>

#include "images.h"

/* Writes it down for image node id: image lies below folder. Returns 0 or -errno. */
int imagesource_write(unsigned id, const struct image *image, const char *folder, struct err *e)
	must_check nonnull_all;

/*
 * Reads it: a new object (json_object_put() it) with
 *   file           path of the image file
 *   raw            true for a raw image
 *   read_graph     how QEMU opens it read-only; for raw images none
 *   write_graph    how for writing; none: can't be written to
 *   below          array of read_graph of each backing file, the nearest first
 *   log_dirty, corrupt   what its header says of itself
 *   files          array of the paths of all files that the image itself consists of
 *   files_below    and those of its backing files
 * Returns NULL and sets e where it is missing.
 */
json_object *imagesource_read(unsigned id, struct err *e) must_check nonnull_all;

#endif
