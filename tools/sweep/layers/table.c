/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Partition tables.
 *
 * Recognises  MBR with its extended chain, GPT with its backup, in 512-byte and
 *             4096-byte sectors. Partitions of a dynamic disk of Windows (LDM) hold
 *             other ones, by a database that is not read here: they are named.
 * Uses        libblkid to read the table, device-mapper to map it.
 * open        maps every partition that lies inside the device and overlaps no
 *             other with dm-linear, read-only where the device is.
 * close       removes those mappings.
 * Never       lets the kernel scan the table, writes one, or guesses where a
 *             partition might have been.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "blockdev.h"
#include "dm.h"
#include "looks.h"
#include "registry.h"
#include "walk.h"

struct table {
	struct partitions list;
	unsigned sector; /* of the device, whatever the table counts in */
	char (*mapped)[DM_NAME_SIZE]; /* per partition; "" where it is not mapped */
};

static enum claim probe(struct walk *w, struct node *device, struct err *e)
{
	const struct content *c = &device->content;

	(void)w;
	(void)e;
	if (c->type[0])
		return NOT_MINE;
	if (strcmp(c->table, "dos") == 0 || strcmp(c->table, "gpt") == 0)
		return MINE;
	/* a protective MBR without a readable GPT: the table is broken, not absent */
	return !c->table[0] && c->protective_mbr ? MINE : NOT_MINE;
}

static const char *scheme_of(const struct content *c)
{
	return strcmp(c->table, "dos") == 0 ? "mbr" : "gpt";
}

static int describe(struct walk *w, struct node *n, struct err *e)
{
	const struct content *c = &n->parents[0]->content;

	(void)w;
	snprintf(n->type, sizeof(n->type), "%s", scheme_of(c));
	snprintf(n->name, sizeof(n->name), "%s", n->type);
	n->uuid[0] = n->label[0] = 0;
	stack_push(n->stack, sizeof(n->stack), n->type);
	if (!c->table[0])
		return err_set_word(e, EINVAL, "bad-table",
				    "a protective MBR is there, but neither the GPT nor its backup "
				    "at the end of the disk is valid; was the disk cut off?");
	return 0;
}

static int map(struct node *n, struct table *t, size_t i, struct err *e)
{
	const struct partition *p = &t->list.p[i];
	const struct node *device = n->parents[0];
	char params[128], name[DM_NAME_SIZE];
	struct dm_line line = { .sectors = p->bytes / 512, .target = "linear", .params = params };
	int rc;

	snprintf(params, sizeof(params), "%s %llu", device->device,
		 (unsigned long long)(p->start / 512));
	snprintf(name, sizeof(name), "gs-%u-p%d", n->id, p->number);
	rc = dm_make(name, &line, device->read_only, e);
	if (rc == 0)
		memcpy(t->mapped[i], name, sizeof(name));
	return rc;
}

/* A table of a disk with smaller sectors may begin a partition within one. */
static bool is_aligned(const struct table *t, const struct partition *p)
{
	return p->start % t->sector == 0 && p->bytes % t->sector == 0;
}

/* Partition types of LDM (Linux, Documentation/admin-guide/ldm.rst; Microsoft's "PARTITION_INFORMATION_GPT"). */
static bool is_dynamic(const struct partition *p)
{
	static const char *const types[] = {
		"0x42", "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3", "af9b60a0-1431-4f62-bc68-3311714a69ad",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (strcasecmp(p->type, types[i]) == 0)
			return true;
	return false;
}

static int unmap_all(struct table *t, struct err *e)
{
	size_t i;
	int rc = 0;

	for (i = t->list.n; i-- > 0;) {
		if (!t->mapped[i][0])
			continue;
		if (dm_drop(t->mapped[i], e) < 0)
			rc = -e->code;
		else
			t->mapped[i][0] = 0;
	}
	return rc;
}

static void forget(struct node *n)
{
	struct table *t = n->state;

	if (!t)
		return;
	partitions_free(&t->list);
	free(t->mapped);
	free(t);
	n->state = NULL;
}

static int read_list(struct node *n, struct err *e)
{
	const struct node *device = n->parents[0];
	struct table *t;
	int rc;

	n->state = t = calloc(1, sizeof(*t));
	if (!t)
		return err_set(e, ENOMEM, "no memory for the partition table");
	rc = look_partitions(device->device, device->bytes, device->content.sector, &t->list, e);
	if (rc < 0)
		return rc;
	t->sector = blockdev_sector_size(device->device);
	t->mapped = calloc(t->list.n + 1, sizeof(*t->mapped));
	if (!t->mapped)
		return err_set(e, ENOMEM, "no memory for the partition table");
	memcpy(n->uuid, t->list.uuid, sizeof(t->list.uuid));
	return 0;
}

static void tell_faults(struct node *n, const struct partitions *list)
{
	if (list->is_backup)
		node_note(n, "bad-table", "the first GPT is damaged; the partitions are those of its backup at the end "
			  "of the disk, from which it can be restored (gdisk: r, b, c, w)");
	if (list->left_out)
		node_note(n, "bad-table", "%u of its entries lie outside of the area that the GPT itself allows to "
			  "partitions; they are not swept", list->left_out);
}

static int table_open(struct walk *w, struct node *n, struct err *e)
{
	struct table *t;
	struct err ignored;
	size_t i;
	int rc;

	(void)w;
	rc = read_list(n, e);
	if (rc < 0)
		return rc;
	t = n->state;
	tell_faults(n, &t->list);
	if (t->list.n == 0)
		return err_set_word(e, ENODATA, "bad-table", "the partition table has no partitions%s",
				    t->list.left_out ? " in the area that it allows to them" : "");
	for (i = 0; i < t->list.n; i++) {
		const struct partition *p = &t->list.p[i];

		if (p->is_container || !p->fits || p->overlaps || !is_aligned(t, p) || is_dynamic(p))
			continue;
		rc = map(n, t, i, e);
		if (rc < 0) {
			if (unmap_all(t, &ignored) < 0)
				return err_wrap(e, "partition %d (and %s)", p->number, ignored.text);
			return err_wrap(e, "partition %d", p->number);
		}
	}
	return 0;
}

static void judge(struct node *part, const struct table *t, const struct partition *p, uint64_t device_bytes)
{
	if (p->is_container)
		snprintf(part->reason, sizeof(part->reason), "holds the logical partitions");
	else if (!p->fits && p->start == 0)
		node_verdict(part, VERDICT_ERROR, "bad-table",
			     "partition %d begins where the partition table itself is; it is not touched",
			     p->number);
	else if (!p->fits)
		node_verdict(part, VERDICT_ERROR, "bad-table",
			     "partition %d ends at byte %llu, but the disk has only %llu bytes", p->number,
			     (unsigned long long)(p->start + p->bytes), (unsigned long long)device_bytes);
	else if (p->overlaps)
		node_verdict(part, VERDICT_ERROR, "bad-table",
			     "partition %d overlaps another one, neither is touched", p->number);
	else if (is_dynamic(p))
		node_verdict(part, VERDICT_SKIPPED, "unsupported",
			     "it is a part of a dynamic disk of Windows (LDM), whose volumes are not put together here");
	else if (!is_aligned(t, p))
		node_verdict(part, VERDICT_ERROR, "unsupported-feature",
			     "partition %d begins or ends within a sector of the device below it, which has sectors of "
			     "%u bytes; no such partition can be mapped", p->number, t->sector);
}

static int children(struct walk *w, struct node *n, struct err *e)
{
	struct table *t = n->state;
	struct node *device = n->parents[0];
	size_t i;

	for (i = 0; i < t->list.n; i++) {
		const struct partition *p = &t->list.p[i];
		char word[64];
		struct node *part;

		snprintf(word, sizeof(word), "%s:%d", n->type, p->number);
		part = walk_add(w, KIND_PARTITION, n, device, word, e);
		if (!part)
			return -ENOMEM;
		snprintf(part->name, sizeof(part->name), "%s", word);
		snprintf(part->type, sizeof(part->type), "%s", p->type);
		memcpy(part->uuid, p->uuid, sizeof(p->uuid));
		memcpy(part->label, p->label, sizeof(p->label));
		part->bytes = p->bytes;
		part->read_only = device->read_only;
		if (t->mapped[i][0])
			snprintf(part->device, sizeof(part->device), DM_DIR_PREFIX "%s",
				 t->mapped[i]);
		judge(part, t, p, device->bytes);
	}
	return 0;
}

static int table_close(struct walk *w, struct node *n, struct err *e)
{
	(void)w;
	return unmap_all(n->state, e);
}

const struct layer_ops table_ops = {
	.name = "table", .kind = KIND_TABLE, .probe = probe, .describe = describe,
	.open = table_open, .children = children, .close = table_close, .forget = forget,
};
