/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "partitions.h"

#include <blkid/blkid.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

#define BLKID_UNIT 512 /* libblkid counts in these, whatever the table does */
#define GPT_ENTRIES_MAX (1u << 20) /* bytes of all entries */

static void free_probe(blkid_probe *pr)
{
	blkid_free_probe(*pr);
}

static void take_text(char *dst, size_t size, const char *src)
{
	if (src)
		escape_text(dst, size, src);
}

/* In bytes; what does not go into 64 bits lies behind the end of any device. */
static uint64_t bytes_of(blkid_loff_t units)
{
	return (uint64_t)units > INT64_MAX / BLKID_UNIT ? INT64_MAX : (uint64_t)units * BLKID_UNIT;
}

static void fill(struct partition *p, blkid_partition par)
{
	p->number = blkid_partition_get_partno(par);
	p->start = bytes_of(blkid_partition_get_start(par));
	p->bytes = bytes_of(blkid_partition_get_size(par));
	p->is_container = blkid_partition_is_extended(par);
	take_text(p->uuid, sizeof(p->uuid), blkid_partition_get_uuid(par));
	take_text(p->label, sizeof(p->label), blkid_partition_get_name(par));
	if (blkid_partition_get_type_string(par))
		take_text(p->type, sizeof(p->type), blkid_partition_get_type_string(par));
	else
		snprintf(p->type, sizeof(p->type), "0x%02x", blkid_partition_get_type(par));
}

void partitions_mark_fits(struct partitions *t, uint64_t device_bytes)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		struct partition *p = &t->p[i];

		p->fits = p->start > 0 && p->start < device_bytes && p->bytes > 0 && p->bytes <= device_bytes - p->start;
	}
}

void partitions_mark_overlaps(struct partitions *t)
{
	size_t i, k;

	for (i = 0; i < t->n; i++)
		for (k = 0; k < i; k++) {
			struct partition *a = &t->p[i], *b = &t->p[k];

			if (a->is_container || b->is_container || !a->fits || !b->fits)
				continue;
			if (a->start < b->start + b->bytes && b->start < a->start + a->bytes)
				a->overlaps = b->overlaps = true;
		}
}

/* From byte 72 of a GPT's header on (UEFI 2.10, section 5.3.2); little-endian. */
struct gpt_entries {
	uint64_t lba;
	uint32_t n, bytes; /* of one */
};

/* How many entries are in use of the GPT with its header at byte at; libblkid has checked both. */
static unsigned count_gpt_entries(int fd, off_t at, unsigned sector)
{
	static const unsigned char unused[16];
	cleanup_free unsigned char *entry = NULL;
	struct gpt_entries where;
	size_t size, step, i;
	unsigned n = 0;

	if (pread(fd, &where, sizeof(where), at + 72) != (ssize_t)sizeof(where))
		return 0;
	step = le32toh(where.bytes);
	size = step * le32toh(where.n);
	if (step < sizeof(unused) || step > GPT_ENTRIES_MAX || size > GPT_ENTRIES_MAX)
		return 0;
	entry = malloc(size + 1);
	if (!entry || pread(fd, entry, size, (off_t)(le64toh(where.lba) * sector)) != (ssize_t)size)
		return 0;
	for (i = 0; i + step <= size; i += step)
		n += memcmp(entry + i, unused, sizeof(unused)) != 0;
	return n;
}

/* Takes over the root table's partitions. Those of a table nested in one of them
 * (BSD, Solaris) are content of that partition. */
static int take_list(blkid_partlist list, unsigned sector, uint64_t device_bytes, struct partitions *t,
		     struct err *e)
{
	blkid_parttable root = blkid_partlist_get_table(list);
	int n = blkid_partlist_numof_partitions(list), i;

	if (!root)
		return 0;
	if (n > MAX_PARTITIONS)
		return err_set_word(e, E2BIG, "bad-table", "the partition table lists %d partitions; no more than %d are handled here", n,
				    MAX_PARTITIONS);
	t->p = calloc((size_t)n + 1, sizeof(*t->p));
	if (!t->p)
		return err_set(e, ENOMEM, "no memory for the partition table");
	take_text(t->scheme, sizeof(t->scheme), blkid_parttable_get_type(root));
	take_text(t->uuid, sizeof(t->uuid), blkid_parttable_get_id(root));
	/* the first header is in sector 1 */
	t->is_backup = strcmp(t->scheme, "gpt") == 0 && blkid_parttable_get_offset(root) != (blkid_loff_t)sector;
	for (i = 0; i < n; i++) {
		blkid_partition par = blkid_partlist_get_partition(list, i);
		blkid_parttable table = blkid_partition_get_table(par);

		if (strcmp(blkid_parttable_get_type(table), t->scheme) == 0)
			fill(&t->p[t->n++], par);
	}
	partitions_mark_fits(t, device_bytes);
	partitions_mark_overlaps(t);
	return 0;
}

static void note_left_out(int fd, blkid_partlist list, unsigned sector, struct partitions *t)
{
	off_t header = blkid_parttable_get_offset(blkid_partlist_get_table(list));
	unsigned used = count_gpt_entries(fd, header, sector);

	t->left_out = used > t->n ? used - (unsigned)t->n : 0;
}

int partitions_read(int fd, unsigned sector, struct partitions *t, struct err *e)
{
	__attribute__((cleanup(free_probe))) blkid_probe pr = blkid_new_probe();
	blkid_partlist list;
	int rc;

	memset(t, 0, sizeof(*t));
	if (!pr || blkid_probe_set_device(pr, fd, 0, 0) < 0)
		return err_set_word(e, EIO, "io-error", "its size can't be read");
	if (blkid_probe_set_sectorsize(pr, sector) < 0)
		return err_set(e, EINVAL, "no table in sectors of %u bytes can be read", sector);
	blkid_probe_enable_superblocks(pr, 0);
	blkid_probe_enable_partitions(pr, 1);
	/* a GPT is one also where its protective MBR is gone */
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_FORCE_GPT);
	rc = blkid_do_safeprobe(pr);
	if (rc == 1)
		return 0;
	if (rc != 0)
		return err_set_word(e, EIO, "io-error", "reading the partition table failed");
	list = blkid_probe_get_partitions(pr);
	if (!list)
		return 0;
	rc = take_list(list, sector, (uint64_t)blkid_probe_get_size(pr), t, e);
	if (rc < 0)
		partitions_free(t);
	else if (strcmp(t->scheme, "gpt") == 0)
		note_left_out(fd, list, sector, t);
	return rc;
}

void partitions_free(struct partitions *t)
{
	free(t->p);
	memset(t, 0, sizeof(*t));
}

size_t partitions_plausible(const struct partitions *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++) {
		if (!t->p[i].fits || t->p[i].overlaps)
			return 0;
		n += !t->p[i].is_container;
	}
	return n;
}
