/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * btrfs.
 *
 * Recognises  it by its superblock. Several devices of one filesystem know each other by its
 *             UUID; the first of them stands for it and has the others as parents.
 * Uses        btrfs check --readonly with our patch, by which it reads the devices that it is
 *             told and never looks for others, which might be those of a clone.
 * Never       repairs: btrfs check --repair is for a developer's eyes. Checks one that lacks a device.
 *
 * Measured with 6.14: it says 0 where one of two copies of a block is damaged, and only its words
 * tell; a log that was not replayed is checked too, and is no error; 1 is everything else.
 */
#include <errno.h>
#include <string.h>

#include "fstools.h"
#include "looks.h"
#include "registry.h"

#define BTRFS "/usr/bin/btrfs"

/* Of struct btrfs_super_block (kernel, include/uapi/linux/btrfs_tree.h). */
#define SB_OFFSET 65536
#define SB_NUM_DEVICES 0x88
#define SB_DEV_ITEM 0xc9 /* this device's ID and size in bytes stand in front there */

static const struct fs_row look_table[] = {
	{ .exit = 0, .words = "warning, device ", .also = " is missing\n", .outcome = FS_PARTS_MISSING },
	{ .exit = 0, .words = "checksum verify failed on ", .outcome = FS_BY_HAND,
	  .sentence = "one of two copies of its metadata is damaged, the other is good; btrfs scrub in the "
		      "guest corrects that" },
	{ .exit = 0, .words = "] checking log\n", .outcome = FS_CLEAN,
	  .sentence = "it was cut off; its log is replayed when it is mounted next" },
	{ .exit = 0, .outcome = FS_CLEAN },
	{ .exit = 1, .words = "warning, device ", .also = " is missing\n", .outcome = FS_PARTS_MISSING },
	{ .exit = 1, .words = "because of unsupported ", .outcome = FS_NEWER },
	{ .exit = 1, .outcome = FS_BY_HAND,
	  .sentence = "it has errors; btrfs is repaired by hand only: make a backup first, and see what the "
		      "log names" },
	{ .exit = FS_TABLE_END },
};

const struct fs_tool btrfs_tool = {
	.name = "btrfs", .package = "btrfs-progs", .profile = &sandbox_btrfs, .look = { BTRFS, "check", "--readonly" },
	.look_table = look_table,
};

struct member {
	uint64_t of, id, bytes; /* how many devices; this one's number and size */
};

static const struct field fields[] = {
	{ SB_OFFSET + SB_NUM_DEVICES, 8, false }, { SB_OFFSET + SB_DEV_ITEM, 8, false },
	{ SB_OFFSET + SB_DEV_ITEM + 8, 8, false },
};

static int read_member(const struct node *n, struct member *m, struct err *e)
{
	uint64_t value[ARRAY_SIZE(fields)];
	int rc = look_fields(n->parents[0]->device, fields, ARRAY_SIZE(fields), false, value, e);

	if (rc < 0)
		return rc;
	*m = (struct member){ .of = value[0], .id = value[1], .bytes = value[2] };
	if (m->bytes > n->bytes)
		return err_set_word(e, EFBIG, "truncated",
				    "the filesystem is larger than its device (%llu and %llu bytes); the "
				    "device was cut off, or its partition table is wrong",
				    (unsigned long long)m->bytes, (unsigned long long)n->bytes);
	return 0;
}

static enum claim btrfs_probe(struct walk *w, struct node *device, struct err *e)
{
	(void)w;
	(void)e;
	return strcmp(device->content.type, "btrfs") == 0 ? MINE : NOT_MINE;
}

static bool is_other_of(const struct node *n, const struct node *other)
{
	return other != n && other->verdict == VERDICT_NONE && strcmp(other->uuid, n->uuid) == 0;
}

/* Looks for all devices of n among the nodes, each once. *all: they are there. Returns 0 or -errno. */
static int find_members(struct node *const *nodes, size_t n_nodes, const struct node *n, const struct member *own,
			bool *all, struct err *e)
{
	uint64_t ids[MAX_PARENTS] = { own->id };
	size_t found = 1, i, k;

	for (i = 0; i < n_nodes; i++) {
		struct member m;
		int rc = is_other_of(n, nodes[i]) ? read_member(nodes[i], &m, e) : 1;

		if (rc > 0)
			continue;
		if (rc < 0)
			return err_wrap(e, "%s", nodes[i]->stack);
		for (k = 0; k < found && ids[k] != m.id; k++)
			;
		if (k < found || found == MAX_PARENTS)
			return err_set_word(e, EINVAL, "ambiguous",
					    "this guest has its device %llu twice: a clone beside its original",
					    (unsigned long long)m.id);
		ids[found++] = m.id;
	}
	*all = found == own->of;
	if (!*all)
		err_set_word(e, ENODEV, "missing-device",
			     "it lies on %llu devices, and %zu of them are among this guest's disks; a "
			     "[guest] section can name them", (unsigned long long)own->of, found);
	return 0;
}

/* The other devices become n's, and there is nothing to tell of their own nodes. */
static void take_members(struct node *const *nodes, size_t n_nodes, struct node *n)
{
	size_t i;

	for (i = 0; i < n_nodes; i++) {
		struct node *other = nodes[i];

		if (!is_other_of(n, other))
			continue;
		node_add_parent(n, other->parents[0]);
		node_verdict(other->parents[0], VERDICT_OK, "", "part of %s", n->stack);
		other->verdict = VERDICT_OK;
		other->hidden = true;
	}
}

static void fail_members(struct node *const *nodes, size_t n_nodes, struct node *n, const struct err *why)
{
	size_t i;

	for (i = 0; i < n_nodes; i++)
		if (is_other_of(n, nodes[i]))
			node_fail(nodes[i], why, "io-error");
	node_fail(n, why, "io-error");
}

/* One on a single device is for itself, a clone beside it or not. */
static int btrfs_gather(struct walk *w, struct node *const *members, size_t n, bool final, struct err *e)
{
	size_t i;

	(void)w;
	(void)e;
	for (i = 0; i < n; i++) {
		struct err why = { 0 };
		struct member own;
		bool all = true;
		int rc;

		if (members[i]->verdict != VERDICT_NONE || members[i]->n_parents > 1)
			continue;
		rc = read_member(members[i], &own, &why);
		if (rc == 0 && own.of == 1)
			continue;
		if (rc == 0)
			rc = find_members(members, n, members[i], &own, &all, &why);
		if (rc < 0 || (!all && final))
			fail_members(members, n, members[i], &why);
		else if (all)
			take_members(members, n, members[i]);
	}
	return 0;
}

static int btrfs_check(struct walk *w, struct node *n, struct err *e)
{
	return fscheck(w, n, &btrfs_tool, e);
}

const struct layer_ops btrfs_ops = {
	.name = "btrfs", .kind = KIND_FILESYSTEM, .probe = btrfs_probe, .describe = fscheck_describe,
	.gather = btrfs_gather, .check = btrfs_check, .looks_only = true,
};
