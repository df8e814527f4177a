/* SPDX-License-Identifier: GPL-2.0-or-later */
/* md arrays through the kernel: Linux' include/uapi/linux/raid/md_u.h and Documentation/admin-guide/md.rst. */
#ifndef GS_MDARRAY_H
#define GS_MDARRAY_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"
#include "err.h"

#define MAX_ARRAYS 512 /* /dev/md0 and so on */

/* true where device ("/dev/md3") is an array, running or half assembled. */
bool mdarray_is_there(const char *device) nonnull_all;

struct mdarray_member {
	const char *device;
	const char *name; /* for the report */
};

/* Starts array device, whose number is free and whose driver is loaded, read-only; of what it may write to its members
 * all the same see layers/md.c. version: of the metadata, "0.90" or "1.2"; the kernel reads that of the n members by
 * itself, refuses what belongs to another array, and leaves out what is stale. Returns 0, or -errno with the code
 * tool-failed; something of the array may be there all the same, for mdarray_stop(). */
int mdarray_start(const char *device, const char *version, const struct mdarray_member *members, size_t n,
		  struct err *e) must_check nonnull_all;

/* How many members the running array on device lacks; 0 for levels that can't lack any. */
unsigned mdarray_missing(const char *device) nonnull_all;

/* Stops the array on device and waits until it is gone. Returns 0, also when there is none;
 * -EBUSY: in use. */
int mdarray_stop(const char *device, struct err *e) must_check nonnull_all;

/* Stops every array but those that is_spared(device, arg) names. Returns how many are left. */
unsigned mdarray_stop_all(bool (*is_spared)(const char *device, void *arg), void *arg)
	nonnull_at(1);

#endif
