/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever no other driver claims: named as far as libblkid knows it.
 *
 * Recognises  everything.
 * Never       touches it. Content without any signature is an error, since a
 *             wiped partition table looks like that; nothing but zeros is not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registry.h"
#include "walk.h"

static enum claim unknown_probe(struct walk *w, struct node *device, struct err *e)
{
	(void)w;
	(void)device;
	(void)e;
	return MINE;
}

static int unknown_describe(struct walk *w, struct node *n, struct err *e)
{
	const struct content *c = &n->parents[0]->content;
	const char *type = c->type[0] ? c->type : c->table;

	(void)w;
	snprintf(n->type, sizeof(n->type), "%s", type[0] ? type : c->all_zero ? "empty" : "unknown");
	snprintf(n->name, sizeof(n->name), "%s", n->parents[0]->name);
	stack_push(n->stack, sizeof(n->stack), n->type);
	if (strcmp(type, "BitLocker") == 0)
		node_verdict(n, VERDICT_SKIPPED, "guest-encrypted", "encrypted by the guest itself");
	else if (type[0])
		node_verdict(n, VERDICT_SKIPPED, "unsupported", "%s is not handled here", type);
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
