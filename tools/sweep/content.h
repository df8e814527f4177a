/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is on a device: libblkid's superblock and partition table probes. */
#ifndef GS_CONTENT_H
#define GS_CONTENT_H

#include <stdbool.h>

#include "layer.h"

/* Fills n->content from n->device; reads only. Returns 0; -errno of open(2) or
 * read(2), with the report's code io-error. */
int content_read(struct node *n, struct err *e) must_check nonnull_all;

/* In the reader, of the device that is read next: whether it is a whole one, no partition; whether it lies in an encrypted
 * one, so that reading ahead costs the processor's time. */
void content_say(bool is_whole, bool is_encrypted);

#endif
