/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is on a device: libblkid's superblock and partition table probes. */
#ifndef GS_CONTENT_H
#define GS_CONTENT_H

#include <stdbool.h>

#include "layer.h"

/* Fills n->content from n->device; reads only. Returns 0; -errno of open(2) or
 * read(2), with the report's code io-error. */
int content_read(struct node *n, struct err *e) must_check nonnull_all;

/* In the reader: whether the device that is read next is a whole one, no partition. */
void content_say_whole(bool is_whole);

#endif
