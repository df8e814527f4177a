/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The superblock of ext2, ext3 and ext4, read by us before any tool touches the
 * filesystem. Format: Documentation/filesystems/ext4/super.rst. */
#ifndef GS_EXTSUPER_H
#define GS_EXTSUPER_H

#include <stdbool.h>
#include <stdint.h>

#include "layer.h"

struct extsuper {
	uint64_t bytes;          /* of the filesystem, by its own account */
	unsigned block_size;     /* bytes */
	uint64_t undo_room;      /* bytes: all its metadata and journal, the most a repair overwrites */
	char type[8];            /* "ext2", "ext3", "ext4" by its features */
	char unsupported[128];   /* features that this e2fsck does not know, or "" */
	char journal_uuid[64];   /* of an external journal, or "" */
	bool is_pending;         /* journal to replay, orphans to clear, or errors noted in it */
	uint64_t mmp_at;         /* byte of its multi-mount protection's block; 0: it has none */
	unsigned mmp_wait_s;     /* so long a system that has it mounted may leave that unchanged */
	uint32_t mmp_seq;        /* what stood there */
	struct ext_facts facts;
};

/* A backup superblock to go by when the primary one is gone. */
struct extsuper_backup {
	uint64_t block;
	unsigned block_size; /* bytes */
	char uuid[64];
};

/* Reads the primary superblock of device. Returns 0 or -errno of reading it. */
int extsuper_read(const char *device, struct extsuper *s, struct err *e) must_check nonnull_all;

#define LAST_MOUNTED_SIZE 65

/* Where the filesystem on device was mounted last, by its own account ("" where it does not
 * say), and noting that anew: these 64 bytes, and the superblock's checksum where it has one, whatever else
 * stands there. Return 0 or -errno, code io-error. */
int extsuper_last_mounted(const char *device, char folder[LAST_MOUNTED_SIZE], struct err *e)
	must_check nonnull_all;
int extsuper_set_last_mounted(const char *device, const char *folder, struct err *e) must_check nonnull_all;

/* Looks for backup superblocks of a filesystem whose primary one is gone: two of one
 * UUID that name their own place and fit into bytes. Returns true and fills *b. */
bool extsuper_find_backup(const char *device, uint64_t bytes, struct extsuper_backup *b,
			  struct extsuper *s) nonnull_all;

#endif
