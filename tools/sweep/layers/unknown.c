/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever no other driver claims: named as far as libblkid, or likeness.h, knows it.
 *
 * Recognises  everything.
 * Never       touches it. Content without any signature is an error, since a
 *             wiped partition table looks like that; nothing but zeros is none, nor
 *             is a partition whose type says that it holds no filesystem.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "knownas.h"
#include "likeness.h"
#include "registry.h"
#include "walk.h"

static enum claim unknown_probe(struct walk *w, struct node *device, struct err *e)
{
	(void)w;
	(void)device;
	(void)e;
	return MINE;
}

/* Partition types that hold code or nothing (UEFI 2.10, table 5.7; GRUB manual, "BIOS
 * installation"; Microsoft's "PARTITION_INFORMATION_GPT"; FreeBSD, sys/sys/disk/gpt.h), or swap without a mark. */
static const char *purpose_of(const struct node *device)
{
	static const struct {
		const char *type, *purpose;
	} known[] = {
		{ "21686148-6449-6e6f-744e-656564454649", "a BIOS boot partition, holds GRUB's core image" },
		{ "9e1a2d38-c612-4316-aa26-8b49521e5a8b", "a PReP boot partition, holds a boot loader" },
		{ "e3c9e316-0b5c-4db8-817d-f92df00215ae", "reserved by Windows, holds nothing" },
		{ "83bd6b9d-7f41-11dc-be0b-001560b84f0f", "a boot partition of FreeBSD, holds a boot loader" },
		{ "516e7cb5-6ecf-11d6-8ff8-00022d09712b", "swap of FreeBSD" },
		{ "49f48d32-b10e-11dc-b99b-0019d1879648", "swap of NetBSD" },
		{ "0x41", "a PReP boot partition, holds a boot loader" },
	};
	size_t i;

	for (i = 0; device->kind == KIND_PARTITION && i < ARRAY_SIZE(known); i++)
		if (strcasecmp(device->type, known[i].type) == 0)
			return known[i].purpose;
	return NULL;
}

/* libblkid counts checksums of dm-verity and dm-integrity as encryption. */
static bool is_encrypted(const struct content *c, const char *type)
{
	return (strcmp(c->usage, "crypto") == 0 && strncmp(type, "DM_", 3) != 0) || strcmp(type, "geli") == 0;
}

/* What it is called, or "". */
static const char *type_of(const struct node *device)
{
	const struct content *c = &device->content;
	const char *like;

	if (c->type[0] || c->table[0])
		return c->type[0] ? c->type : c->table;
	like = c->all_zero ? NULL : likeness_of(device->device, device->bytes);
	return like ? like : "";
}

static int no_signature(const struct node *device, struct err *e)
{
	unsigned block_size;
	uint64_t block;

	if (likeness_ext_backup(device->device, device->bytes, &block, &block_size))
		return err_set_word(e, EINVAL, "no-signature",
				    "no partition table, filesystem or LVM label is recognised, only one backup superblock of an "
				    "ext filesystem, which is no proof that this still is one; look with e2fsck -n -b %llu -B %u",
				    (unsigned long long)block, block_size);
	return err_set_word(e, EINVAL, "no-signature",
			    "no partition table, filesystem or LVM label is recognised; if it is "
			    "a guest's disk, its partition table may have been wiped");
}

static int unknown_describe(struct walk *w, struct node *n, struct err *e)
{
	const struct content *c = &n->parents[0]->content;
	const char *type = type_of(n->parents[0]);
	const char *purpose = purpose_of(n->parents[0]), *words = known_as(type);

	(void)w;
	snprintf(n->type, sizeof(n->type), "%s", type[0] ? type : "unknown");
	snprintf(n->name, sizeof(n->name), "%s", n->parents[0]->name);
	stack_push(n->stack, sizeof(n->stack), n->type);
	if (is_encrypted(c, type))
		node_verdict(n, VERDICT_SKIPPED, "guest-encrypted", "encrypted by the guest itself (%s)",
			     words ? words : type);
	else if (words)
		node_verdict(n, VERDICT_SKIPPED, "unsupported", "it is %s, which is not handled here", words);
	else if (type[0])
		node_verdict(n, VERDICT_SKIPPED, "unsupported", "%s is not handled here", type);
	else if (purpose)
		node_verdict(n, VERDICT_OK, "", "%s", purpose);
	else if (c->all_zero)
		node_verdict(n, VERDICT_OK, "", "nothing has been written to it");
	else
		return no_signature(n->parents[0], e);
	return 0;
}

const struct layer_ops unknown_ops = {
	.name = "unknown", .kind = KIND_UNKNOWN, .probe = unknown_probe,
	.describe = unknown_describe,
};
