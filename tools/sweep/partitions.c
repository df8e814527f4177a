/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "partitions.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define BLKID_UNIT 512 /* libblkid counts in these, whatever the table does */

static void free_probe(blkid_probe *pr)
{
	blkid_free_probe(*pr);
}

static void take_text(char *dst, size_t size, const char *src)
{
	if (src)
		escape_text(dst, size, src);
}

static void fill(struct partition *p, blkid_partition par, uint64_t device_bytes)
{
	uint64_t start = (uint64_t)blkid_partition_get_start(par);
	uint64_t sectors = (uint64_t)blkid_partition_get_size(par);
	uint64_t units = device_bytes / BLKID_UNIT;

	p->number = blkid_partition_get_partno(par);
	p->start = start * BLKID_UNIT;
	p->bytes = sectors * BLKID_UNIT;
	/* one that begins at the table would hold it, and all of the disk once more */
	p->fits = start > 0 && start < units && sectors > 0 && sectors <= units - start;
	p->is_container = blkid_partition_is_extended(par);
	take_text(p->uuid, sizeof(p->uuid), blkid_partition_get_uuid(par));
	take_text(p->label, sizeof(p->label), blkid_partition_get_name(par));
	if (blkid_partition_get_type_string(par))
		take_text(p->type, sizeof(p->type), blkid_partition_get_type_string(par));
	else
		snprintf(p->type, sizeof(p->type), "0x%02x", blkid_partition_get_type(par));
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

/* Takes over the root table's partitions. Those of a table nested in one of them
 * (BSD, Solaris) are content of that partition. */
static int take_list(blkid_partlist list, uint64_t device_bytes, struct partitions *t, struct err *e)
{
	blkid_parttable root = blkid_partlist_get_table(list);
	int n = blkid_partlist_numof_partitions(list), i;

	if (!root)
		return 0;
	if (n > MAX_PARTITIONS)
		return err_set_word(e, E2BIG, "bad-table", "the partition table lists %d partitions", n);
	t->p = calloc((size_t)n + 1, sizeof(*t->p));
	if (!t->p)
		return err_set(e, ENOMEM, "no memory for the partition table");
	take_text(t->scheme, sizeof(t->scheme), blkid_parttable_get_type(root));
	take_text(t->uuid, sizeof(t->uuid), blkid_parttable_get_id(root));
	for (i = 0; i < n; i++) {
		blkid_partition par = blkid_partlist_get_partition(list, i);
		blkid_parttable table = blkid_partition_get_table(par);

		if (strcmp(blkid_parttable_get_type(table), t->scheme) == 0)
			fill(&t->p[t->n++], par, device_bytes);
	}
	partitions_mark_overlaps(t);
	return 0;
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
	rc = take_list(list, (uint64_t)blkid_probe_get_size(pr), t, e);
	if (rc < 0)
		partitions_free(t);
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
