/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Undo files of e2fsck -z: what a repair overwrote, and playing it back. The format is that of e2fsprogs'
 * lib/ext2fs/undo_io.c, with our patch of it. */
#ifndef GS_UNDOFILE_H
#define GS_UNDOFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

#define UNDOFILE_HASH_SIZE 129 /* hex digits and a NUL */

struct undo_extent {
	uint64_t device; /* byte on the volume */
	uint64_t file;   /* byte in the undo file where its old content stands */
	uint32_t size;   /* bytes */
};

struct undofile {
	int fd;
	bool finished;       /* the run that wrote it came to its end */
	uint32_t super_crc;  /* of the superblock that the last run left, */
	uint32_t next_crc;   /* or would have left, had it not been cut */
	struct undo_extent *extents;
	size_t n;
	size_t largest;      /* bytes of an extent */
};

/* Reads the undo file at path and checks every checksum in it. Returns 0; -ENODATA: nothing was saved in
 * it, since nothing was written; -EUCLEAN: it is damaged; or -errno. Close it in the first case only. */
int undofile_open(struct undofile *u, const char *path, struct err *e) must_check nonnull_all;
void undofile_close(struct undofile *u) nonnull_all;

/* SHA-512 of what stands on device now, in all places that u would write to and in the superblock. */
int undofile_hash(const struct undofile *u, const char *device, char hash[UNDOFILE_HASH_SIZE],
		  struct err *e) must_check nonnull_all;

/* true where the superblock on device is one that the repair left, or that was there before the
 * last of its writes when it was cut. */
bool undofile_knows_super(const struct undofile *u, const char *device) nonnull_all;

/* Writes the old content back, syncs, and reads it again to compare. Returns 0 or -errno. */
int undofile_play(const struct undofile *u, const char *device, struct err *e) must_check nonnull_all;

#endif
