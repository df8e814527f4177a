/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "content.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blockdev.h"
#include "cleanup.h"
#include "log.h"
#include "partitions.h"
#include "probebuf.h"

#ifndef BLKID_SUBLKS_FSINFO
#define BLKID_SUBLKS_FSINFO 0 /* libblkid before 2.39, the native tests' on Debian 12 */
#endif

#define SWAP_PAGE_MIN 4096
#define SWAP_PAGE_MAX 65536
#define SWAP_MARK 10 /* bytes, at the end of the first page */
#define ZERO_CHUNK 65536
#define ZERO_SAMPLES 64
/* Of an MBR (UEFI 2.10, section 5.2): its entries, where the type stands in one, and its mark behind them. */
#define MBR_ENTRIES 446
#define MBR_ENTRY_SIZE 16
#define MBR_ENTRY_TYPE 4
#define MBR_MARK 510

static void free_probe(blkid_probe *pr)
{
	blkid_free_probe(*pr);
}

static void take(blkid_probe pr, const char *name, char *dst, size_t size)
{
	const char *value;

	if (blkid_probe_lookup_value(pr, name, &value, NULL) == 0)
		escape_text(dst, size, value);
}

static uint64_t take_number(blkid_probe pr, const char *name)
{
	const char *value;

	return blkid_probe_lookup_value(pr, name, &value, NULL) == 0 ? strtoull(value, NULL, 10) : 0;
}

/* libblkid leaves the log out of an XFS's FSSIZE, and knows no last block for most others. A
 * forged count may say more than 64 bits hold: all of them then. */
static uint64_t filesystem_bytes(blkid_probe pr)
{
	uint64_t blocks = take_number(pr, "FSLASTBLOCK"), size = take_number(pr, "FSBLOCKSIZE");

	if (!blocks || !size)
		return take_number(pr, "FSSIZE");
	return blocks > UINT64_MAX / size ? UINT64_MAX : blocks * size;
}

/* Since libblkid 2.39 a safe probe says of two superblocks what it says of a failed read. */
static bool has_several(blkid_probe pr)
{
	unsigned found = 0;
	int rc;

	blkid_reset_probe(pr);
	while ((rc = blkid_do_probe(pr)) == 0)
		found++;
	return rc == 1 && found > 1;
}

/* Superblocks. More than one strong claim makes the content ambivalent. */
static int read_superblock(blkid_probe pr, struct content *c)
{
	int rc;

	blkid_probe_enable_partitions(pr, 0);
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID |
						      BLKID_SUBLKS_LABEL | BLKID_SUBLKS_USAGE |
						      BLKID_SUBLKS_VERSION | BLKID_SUBLKS_BADCSUM |
						      BLKID_SUBLKS_FSINFO);
	rc = blkid_do_safeprobe(pr);
	c->ambivalent = rc < 0 && has_several(pr);
	if (rc != 0)
		return rc < 0 && !c->ambivalent ? -EIO : 0;
	take(pr, "TYPE", c->type, sizeof(c->type));
	take(pr, "USAGE", c->usage, sizeof(c->usage));
	take(pr, "VERSION", c->version, sizeof(c->version));
	take(pr, "UUID", c->uuid, sizeof(c->uuid));
	take(pr, "LABEL", c->label, sizeof(c->label));
	c->fs_bytes = filesystem_bytes(pr);
	c->bad_checksum = blkid_probe_has_value(pr, "SBBADCSUM");
	return 0;
}

/* How many partitions begin with something that is recognised. */
static unsigned known_contents(int fd, const struct partitions *t)
{
	unsigned hits = 0;
	size_t i;

	for (i = 0; i < t->n; i++) {
		__attribute__((cleanup(free_probe))) blkid_probe pr = blkid_new_probe();
		const struct partition *p = &t->p[i];

		if (pr && p->fits && !p->is_container &&
		    blkid_probe_set_device(pr, fd, (blkid_loff_t)p->start, (blkid_loff_t)p->bytes) == 0)
			hits += blkid_do_safeprobe(pr) == 0;
	}
	return hits;
}

static bool has_bytes(int fd, off_t offset, const char *bytes, size_t n)
{
	char buf[16];

	return pread(fd, buf, n, offset) == (ssize_t)n && memcmp(buf, bytes, n) == 0;
}

/* Looks for the marks of MBR and GPT (UEFI 2.10, sections 5.2 and 5.3), so that not every
 * filesystem is searched for the tables of all the world. */
static bool has_table_mark(int fd, off_t bytes)
{
	static const off_t sectors[] = { 512, 4096 };
	size_t i;

	if (has_bytes(fd, MBR_MARK, "\x55\xaa", 2))
		return true;
	for (i = 0; i < ARRAY_SIZE(sectors); i++)
		if (has_bytes(fd, sectors[i], "EFI PART", 8) ||
		    has_bytes(fd, bytes - sectors[i], "EFI PART", 8))
			return true;
	return false;
}

/* Reads the table in one sector size. Keeps it if more of its partitions begin with
 * something than of the one before. */
static int read_table_in(int fd, unsigned sector, bool compare, unsigned *best, struct content *c,
			 struct err *e)
{
	struct partitions t;
	int rc = partitions_read(fd, sector, &t, e);
	unsigned hits;

	if (rc < 0)
		return rc;
	hits = compare ? known_contents(fd, &t) : 0;
	if (t.scheme[0] && (!c->table[0] || hits > *best)) {
		memcpy(c->table, t.scheme, sizeof(c->table));
		c->plausible_table = partitions_plausible(&t) > 0;
		c->sector = sector;
		*best = hits;
	}
	partitions_free(&t);
	return 0;
}

/* A guest's disk is partitioned in 512-byte sectors whatever lies below it, but a disk may
 * also have come from another machine. GPT says by itself which it is; of two readings of
 * an MBR the one is right whose partitions begin with something. */
static int read_table(int fd, unsigned native, struct content *c, struct err *e)
{
	unsigned best = 0;
	int rc;

	rc = read_table_in(fd, 512, native != 512, &best, c, e);
	if (rc == 0 && (native != 512 || !c->table[0]))
		rc = read_table_in(fd, native == 512 ? 4096 : native, true, &best, c, e);
	return rc;
}

/* A superblock and a partition table on one device: the table is what a boot
 * sector, an old MBR or the inside of a RAID member look like, unless its
 * partitions lie well; two strong claims contradict each other. */
static void settle_claims(struct content *c)
{
	bool own = strcmp(c->usage, "raid") == 0 || strcmp(c->type, "iso9660") == 0;

	if (!c->table[0] || (!c->type[0] && !c->ambivalent))
		return;
	if (own || !c->plausible_table) {
		c->table[0] = 0;
	} else if (c->bad_checksum) {
		memset(c->type, 0, sizeof(c->type));
		memset(c->usage, 0, sizeof(c->usage));
	} else {
		c->ambivalent = true;
	}
}

static bool is_zero(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static bool is_zero_at(const char *device, uint64_t offset, size_t n)
{
	static unsigned char chunk[ZERO_CHUNK];
	struct err e;

	return blockdev_read(device, offset & ~511ULL, chunk, n, &e) == 0 && is_zero(chunk, n);
}

/* Looks at the start, the end and samples between: whether a device was ever
 * written is not worth reading all of it. What a wiped start leaves on a large one
 * lies between the samples: the first partition, which every tool begins at
 * 1 MiB, and an ext filesystem's first backup superblock, whose place depends on
 * the size of its blocks. */
static bool looks_empty(const char *device, uint64_t bytes)
{
	static const uint64_t likely[] = { 1 << 20, 8 << 20, 32 << 20, 128 << 20 };
	uint64_t i;

	if (bytes < ZERO_CHUNK)
		return is_zero_at(device, 0, bytes);
	for (i = 0; i < ARRAY_SIZE(likely); i++)
		if (likely[i] + ZERO_CHUNK <= bytes && !is_zero_at(device, likely[i], ZERO_CHUNK))
			return false;
	for (i = 0; i < ZERO_SAMPLES - 1; i++)
		if (!is_zero_at(device, (bytes - ZERO_CHUNK) / (ZERO_SAMPLES - 1) * i, ZERO_CHUNK))
			return false;
	return is_zero_at(device, bytes - ZERO_CHUNK, ZERO_CHUNK);
}

static bool has_protective_mbr(int fd)
{
	off_t entry;

	if (!has_bytes(fd, MBR_MARK, "\x55\xaa", 2))
		return false;
	for (entry = MBR_ENTRIES; entry < MBR_MARK; entry += MBR_ENTRY_SIZE)
		if (has_bytes(fd, entry + MBR_ENTRY_TYPE, "\xee", 1))
			return true;
	return false;
}

/* The words that the kernel (S1SUSPEND, LINHIB0001), uswsusp and TuxOnIce put in the place of swap's
 * own, which is where the first page ends, of whatever size that is; TuxOnIce puts its mark in front
 * and leaves swap's. A shorter read finds nothing behind its end. */
static bool has_suspend_mark(int fd)
{
	static const char *const marks[] = { "S1SUSPEND", "S2SUSPEND", "ULSUSPEND", "LINHIB0001" };
	static const char toi[] = "\xed\xc3\x02\xe9\x98\x56\xe5\x0c";
	static unsigned char head[SWAP_PAGE_MAX];
	ssize_t got = pread(fd, head, sizeof(head), 0);
	size_t page, i;

	for (page = SWAP_PAGE_MIN; page <= SWAP_PAGE_MAX && got >= (ssize_t)page; page *= 2)
		for (i = 0; i < ARRAY_SIZE(marks); i++)
			if (memcmp(head + page - SWAP_MARK, marks[i], strlen(marks[i])) == 0)
				return true;
	return got >= (ssize_t)sizeof(toi) && memcmp(head, toi, sizeof(toi) - 1) == 0;
}

/* Of content that is something else without doubt an old mark means nothing. */
static bool may_be_swap(const struct content *c)
{
	return c->ambivalent || !c->type[0] || strcmp(c->type, "swap") == 0 || strcmp(c->type, "swsuspend") == 0;
}

static bool is_whole_device;

void content_say_whole(bool is_whole)
{
	is_whole_device = is_whole;
}

/* In the place of libblkid's own, which asks sysfs; there is none in the reader. A RAID of the firmware's only counts on
 * whole disks. */
int __wrap_blkid_devno_to_wholedisk(dev_t dev, char *name, size_t size, dev_t *disk);

int __wrap_blkid_devno_to_wholedisk(dev_t dev, char *name, size_t size, dev_t *disk)
{
	(void)name;
	(void)size;
	if (!is_whole_device)
		return -1;
	*disk = dev;
	return 0;
}

static int look(blkid_probe pr, int fd, struct node *n, struct err *e)
{
	struct content *c = &n->content;
	int rc;

	if (read_superblock(pr, c) < 0)
		return err_set_word(e, EIO, "io-error", "reading it failed");
	c->suspended = strcmp(c->type, "swsuspend") == 0 || (may_be_swap(c) && has_suspend_mark(fd));
	if (!c->type[0] || has_table_mark(fd, (off_t)blkid_probe_get_size(pr))) {
		rc = read_table(fd, blockdev_sector_size(n->device), c, e);
		if (rc < 0)
			return rc;
		settle_claims(c);
	}
	if (c->type[0] || c->table[0])
		return 0;
	c->protective_mbr = has_protective_mbr(fd);
	c->reencrypting = has_bytes(fd, 0, "LUKS\xde\xad", 6);
	c->all_zero = !c->ambivalent && looks_empty(n->device, n->bytes);
	return 0;
}

int content_read(struct node *n, struct err *e)
{
	__attribute__((cleanup(free_probe))) blkid_probe pr = blkid_new_probe();
	cleanup_fd int fd = blockdev_open(n->device, e);
	int rc;

	memset(&n->content, 0, sizeof(n->content));
	if (fd < 0)
		return fd;
	if (!pr || blkid_probe_set_device(pr, fd, 0, 0) < 0)
		return err_set_word(e, EIO, "io-error", "its size can't be read");
	probebuf_fill(fd, (uint64_t)blkid_probe_get_size(pr), is_whole_device);
	rc = look(pr, fd, n, e);
	probebuf_empty();
	return rc;
}
