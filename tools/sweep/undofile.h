/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Undo files of e2fsck -z: what a repair overwrote, and playing it back. The format is that of e2fsprogs'
 * lib/ext2fs/undo_io.c, with our patch of it. Whatever a file says, no more than a few blocks of it are in memory. */
#ifndef GS_UNDOFILE_H
#define GS_UNDOFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

#define UNDOFILE_HASH_BYTES 64

struct undofile {
	int fd;
	uint64_t bytes;         /* of the file */
	uint64_t keys;          /* their number, in its index */
	uint64_t first;         /* byte where that begins */
	uint64_t offset;        /* byte of the device that the filesystem begins at */
	uint32_t block;         /* bytes, of the file */
	uint32_t fs_block;      /* bytes, of the filesystem */
	bool finished;          /* the run that wrote it came to its end */
	uint32_t super_crc;     /* of the superblock that the last run left, */
	uint32_t next_crc;      /* or would have left, had it not been cut */
};

/* Reads the undo file that is open as fd, which has to stay open, and checks every checksum in it. Returns 0; -ENODATA:
 * nothing was saved in it, since nothing was written; -EUCLEAN: it is damaged; or -errno. */
int undofile_open(struct undofile *u, int fd, struct err *e) must_check nonnull_all;

/* SHA-512 of what stands now on what is open as device, in all places that u would write to and in the superblock.
 * Returns 0 or -errno, code io-error. */
int undofile_hash(const struct undofile *u, int device, unsigned char hash[UNDOFILE_HASH_BYTES], struct err *e)
	must_check nonnull_all;

/* true where the superblock on device is one that the repair left, or that was there before the
 * last of its writes when it was cut. */
bool undofile_knows_super(const struct undofile *u, int device) nonnull_all;

/* Writes the old content back to device, open for reading and writing, syncs, and reads it again from the disk to compare.
 * Returns 0; -EUCLEAN: it names a place behind the device's end, and nothing is written; -errno, code io-error. */
int undofile_play(const struct undofile *u, int device, struct err *e) must_check nonnull_all;

#endif
