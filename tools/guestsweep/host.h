/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This host: where its files are, and running its programs. For tests everything is looked for below
 * the folder that GUESTSWEEP_ROOT names.
 */
#ifndef GS_HOST_H
#define GS_HOST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "configset.h"
#include "err.h"

#define STATE_FOLDER "/var/lib/guestsweep"
#define IMAGE_FOLDER "/boot/guestsweep"
#define LIB_FOLDER "/usr/local/lib/guestsweep"
#define SUMS_PATH LIB_FOLDER "/sums"       /* what install put into IMAGE_FOLDER: SHA-256 and name a line */
#define MODULES_PATH LIB_FOLDER "/modules" /* the image's kernel modules, a name a line */

/* The folder that GUESTSWEEP_ROOT names, "" as a rule. */
const char *host_root(void);

/* Makes a path of this host, below host_root(), in buf (PATH_MAX bytes). Returns buf. */
char *host_path(char *buf, const char *fmt, ...) printf_like(2, 3) nonnull_all;

bool host_has(const char *path) nonnull_all;

/* Finds a program of this host by its name. Returns 0 or -ENOENT; path has PATH_MAX bytes. */
int host_program(const char *name, char *path, struct err *e) must_check nonnull_all;

/* Runs a program by its name (argv[0]) for timeout_s seconds at most. out: its output (free it), or
 * NULL. Returns its exit status; -ENOENT: no such program; -errno where it was not started, -EINTR where
 * it came to no end of its own; *e has a sentence then, and where the status is not 0. */
int host_run(const char *const argv[], unsigned timeout_s, char **out, struct err *e)
	must_check nonnull_at(1, 4);

/* The same with the file in_path as standard input. */
int host_run_with_input(const char *const argv[], const char *in_path, unsigned timeout_s,
			struct err *e) must_check nonnull_all;

/* Reads a small text file of this host without its last newline, "" where there is none, into buf. Returns buf. */
char *host_text(const char *path, char *buf, size_t size) nonnull_all;

/* This host's machine-id (32 hex digits) into id (PLAN_HEX128 bytes). Returns 0 or -errno. */
int host_machine_id(char *id, struct err *e) must_check nonnull_all;

/* The device file that a report's or guest's device spec names ("LABEL=", "UUID=", "PARTUUID=", "VG/LV",
 * "/dev/..."), links followed, into device (PATH_MAX bytes, host_root() in front). Returns 0 or -ENODEV. */
int host_device(const char *spec, char *device, struct err *e) must_check nonnull_all;

/* The UUID of the filesystem on a device file of this host, by udev's links. false: none. */
bool host_uuid_of(const char *source, char *uuid, size_t size) nonnull_all;

/* This host's own kernel and initrd, for a plan's `next`, into spec (PLAN_NEXT_MAX bytes). Returns 0; -ENOENT: they are not
 * where distributions have them, or on nothing that has a UUID. */
int host_own_kernel(char *spec, struct err *e) must_check nonnull_all;

/* One line of this host's mounts. */
struct mount_point {
	char folder[PATH_MAX]; /* without host_root() */
	char type[32];
	char source[PATH_MAX];
	char root[PATH_MAX];   /* the part of the filesystem that is mounted, "/" for all of it */
	unsigned major, minor; /* of the device */
	bool read_only;
};

/* The mount that a path of this host (without host_root()) lies on. Returns 0 or -errno. */
int host_mount_of(const char *path, struct mount_point *m, struct err *e) must_check nonnull_all;

/* Where a device file (as of host_device()) is mounted whole. Returns 0; -ENOENT: nowhere. */
int host_mount_of_device(const char *device, struct mount_point *m, struct err *e) must_check nonnull_all;

#endif
