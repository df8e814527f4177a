/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever no other driver claims: named as far as libblkid knows it.
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
 * installation"; Microsoft's "PARTITION_INFORMATION_GPT"). */
static const char *purpose_of(const struct node *device)
{
	static const struct {
		const char *type, *purpose;
	} known[] = {
		{ "21686148-6449-6e6f-744e-656564454649", "a BIOS boot partition, holds GRUB's core image" },
		{ "9e1a2d38-c612-4316-aa26-8b49521e5a8b", "a PReP boot partition, holds a boot loader" },
		{ "e3c9e316-0b5c-4db8-817d-f92df00215ae", "reserved by Windows, holds nothing" },
		{ "0x41", "a PReP boot partition, holds a boot loader" },
	};
	size_t i;

	for (i = 0; device->kind == KIND_PARTITION && i < ARRAY_SIZE(known); i++)
		if (strcasecmp(device->type, known[i].type) == 0)
			return known[i].purpose;
	return NULL;
}

/* libblkid counts checksums of dm-verity and dm-integrity as encryption. */
static bool is_encrypted(const struct content *c)
{
	return strcmp(c->usage, "crypto") == 0 && strncmp(c->type, "DM_", 3) != 0;
}

static int unknown_describe(struct walk *w, struct node *n, struct err *e)
{
	const struct content *c = &n->parents[0]->content;
	const char *type = c->type[0] ? c->type : c->table;
	const char *purpose = purpose_of(n->parents[0]), *words = known_as(type);

	(void)w;
	snprintf(n->type, sizeof(n->type), "%s", type[0] ? type : "unknown");
	snprintf(n->name, sizeof(n->name), "%s", n->parents[0]->name);
	stack_push(n->stack, sizeof(n->stack), n->type);
	if (is_encrypted(c))
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
		return err_set_word(e, EINVAL, "no-signature",
				    "no partition table, filesystem or LVM label is recognised; if it is "
				    "a guest's disk, its partition table may have been wiped");
	return 0;
}

const struct layer_ops unknown_ops = {
	.name = "unknown", .kind = KIND_UNKNOWN, .probe = unknown_probe,
	.describe = unknown_describe,
};
