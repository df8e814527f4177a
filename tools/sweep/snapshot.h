/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A throw-away copy-on-write view of a device that is never written: a
 * dm-snapshot, not persistent, its store a loop device over a file in RAM.
 */
#ifndef GS_SNAPSHOT_H
#define GS_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

struct snapshot {
	char name[64];   /* of the dm device */
	char device[80]; /* what to work on */
	char loop[32];   /* the store's loop device */
	char store[160]; /* the store's file */
};

/* Makes one over origin (bytes long), named after id, its store below work_dir and
 * bounded by the free memory. Returns 0 or -errno; nothing is left behind then. */
int snapshot_make(struct snapshot *s, const char *origin, uint64_t bytes, unsigned id,
		  const char *work_dir, struct err *e) must_check nonnull_all;

/* One for each of n origins, called PREFIX0 and so on, that share the room in RAM, as a new array
 * *set. Returns 0 or -errno; nothing is left behind then. */
int snapshot_make_set(struct snapshot **set, const char *const *origins, const uint64_t *bytes,
		      size_t n, const char *prefix, const char *work_dir, struct err *e)
	must_check nonnull_all;

/* Removes all n of *set, which may be NULL, and the array. Returns 0, or -errno where something
 * stays busy; call it again then. */
int snapshot_drop_set(struct snapshot **set, size_t n, struct err *e) must_check nonnull_at(1, 3);

/* From here on what is written goes to origin itself, and what was written before is forgotten;
 * the device stays in use meanwhile. Returns 0 or -errno. */
int snapshot_pass_through(struct snapshot *s, const char *origin, uint64_t bytes, struct err *e)
	must_check nonnull_all;

/* true where more was written to it than its store holds: it is then good for nothing. */
bool snapshot_is_full(const struct snapshot *s) nonnull_all;

/* How many bytes of it were written, in its chunks; 0 where that can't be told. */
uint64_t snapshot_written(const struct snapshot *s) nonnull_all;

/* Removes all of it. Returns 0, or -errno where something stays busy. */
int snapshot_drop(struct snapshot *s, struct err *e) must_check nonnull_all;

#endif
