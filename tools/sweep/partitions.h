/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Partition tables as libblkid reads them: MBR with its extended chain, GPT with
 * its backup. */
#ifndef GS_PARTITIONS_H
#define GS_PARTITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

#define MAX_PARTITIONS 256

struct partition {
	int number;
	uint64_t start; /* bytes from the start of the device */
	uint64_t bytes;
	char type[40];  /* MBR: "0x83"; GPT: the type's UUID */
	char uuid[40];
	char label[128];   /* GPT only, escaped */
	bool is_container; /* an extended partition: holds the logical ones */
	bool fits;         /* lies wholly inside the device */
	bool overlaps;     /* shares bytes with another one (containers aside) */
};

struct partitions {
	char scheme[16]; /* libblkid's name: "dos", "gpt", "sun", ...; "": no table */
	char uuid[40];
	bool is_backup;  /* a GPT whose first header or entries are damaged: the ones at the disk's end */
	unsigned left_out; /* entries of a GPT outside of the area that its header allows: none of p */
	struct partition *p;
	size_t n;
};

/* Reads the table on the device open as fd, in sectors of sector bytes. No table:
 * 0 and an empty scheme. Returns 0; -EIO; -ENOMEM; -E2BIG more than MAX_PARTITIONS.
 * Release with partitions_free(). */
int partitions_read(int fd, unsigned sector, struct partitions *t, struct err *e)
	must_check nonnull_all;
void partitions_free(struct partitions *t) nonnull_all;

/* Sets fits of all of a device of device_bytes bytes. One that begins at the table would hold it, and all of the
 * disk once more: it does not fit. */
void partitions_mark_fits(struct partitions *t, uint64_t device_bytes) nonnull_all;

/* Sets overlaps of those that share bytes with another one. */
void partitions_mark_overlaps(struct partitions *t) nonnull_all;

/* How many partitions hold data and lie inside the device without overlap;
 * 0 where a single one does not. */
size_t partitions_plausible(const struct partitions *t) nonnull_all;

#endif
