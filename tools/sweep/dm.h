/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device-mapper devices of ours, through libdevmapper. Their names are "gs-"
 * and a counter, never a name that a guest chose; their nodes are made by
 * libdevmapper in /dev/mapper, since there is no udev here to wait for.
 */
#ifndef GS_DM_H
#define GS_DM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

#define DM_NAME_SIZE 64
#define DM_DIR_PREFIX "/dev/mapper/"

struct dm_line {
	uint64_t start;     /* sector of 512 bytes, on the new device */
	uint64_t sectors;   /* of 512 bytes */
	const char *target; /* "linear", "snapshot", ... */
	const char *params; /* the target's own, Documentation/admin-guide/device-mapper/ */
};

/* Prepares libdevmapper: its messages go to no terminal, its nodes are its own. */
void dm_prepare(void);

/* Has the kernel load what a target type needs, if it can; who maps it finds out. */
void dm_load_target(const char *type) nonnull_all;

/* Creates and resumes device name (one table line), read-only where asked for.
 * Returns 0 or -errno of the ioctl. */
int dm_make(const char *name, const struct dm_line *line, bool read_only, struct err *e)
	must_check nonnull_all;

/* The same with a table of n lines. */
int dm_make_table(const char *name, const struct dm_line *line, size_t n, bool read_only,
		  struct err *e) must_check nonnull_all;

/* Gives device name another table (one line, for writing), without anybody who has it open
 * noticing. Returns 0 or -errno of the ioctl. */
int dm_replace(const char *name, const struct dm_line *line, struct err *e) must_check nonnull_all;

/* Loads the table of the read-only device name anew, for writing. What is below must
 * be writable already. Returns 0 or -errno of the ioctl. */
int dm_make_writable(const char *name, struct err *e) must_check nonnull_all;

/* The status that the target of device name gives (one line) into buf. Returns 0 or
 * -errno of the ioctl. */
int dm_status(const char *name, char *buf, size_t size, struct err *e) must_check nonnull_all;

/* Sends text to the target of device name, which knows what it means. Returns 0 or -errno
 * of the ioctl. */
int dm_message(const char *name, const char *text, struct err *e) must_check nonnull_all;

/* Removes device name and its node. Returns 0, also when there is none; -EBUSY: in use. */
int dm_drop(const char *name, struct err *e) must_check nonnull_all;

/* Removes every device there is, users before the used. Returns 0; -EBUSY: some are
 * left, one of them is named in e. */
int dm_drop_all(struct err *e) must_check nonnull_all;

/* The same, tried again for a few seconds: what was killed may still hold a device. */
int dm_drop_all_patiently(struct err *e) must_check nonnull_all;

/* Calls visit with the name of every device, until it returns other than 0. Returns that;
 * 0; -errno of the ioctl. */
int dm_for_each(int (*visit)(const char *name, void *arg), void *arg) must_check nonnull_at(1);

#endif
