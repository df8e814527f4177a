/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the head of a file says into which libvirt has saved a guest's memory. Format: libvirt,
 * src/qemu/qemu_saveimage.h: a header, and behind it the domain's XML. */
#ifndef GS_SAVEFILE_H
#define GS_SAVEFILE_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json_object.h>

#include "attrs.h"

#define SAVEFILE_HEAD (1u << 20) /* bytes; so much of a file is looked at */

/* true where the n bytes at head begin such a file. */
bool savefile_is_one(const void *head, size_t n) nonnull_all;

/*
 * A new object (json_object_put() it) of the file's first n bytes:
 *   where     as given: where the file lies
 *   name      as given: what the file is called, without ".save"
 *   domain    the guest's name in libvirt, "" where it does not say
 *   sources   array: what its disks lie on, as libvirt calls it: "/dev/VG/LV", "/PATH", "POOL/VOLUME"
 *   problem   why that is not all, or not known; "": it is all
 * NULL: no memory.
 */
json_object *savefile_read(const void *head, size_t n, const char *where, const char *name) nonnull_all;

/* The same of a file that can't be read, for the reason problem. */
json_object *savefile_unread(const char *where, const char *name, const char *problem) nonnull_all;

#endif
