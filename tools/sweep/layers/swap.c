/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Swap areas.
 *
 * Recognises  swap, also one that holds a suspended system.
 * Uses        libblkid.
 * Never       touches one. A suspended system still owns every filesystem of
 *             its guest: the walk's owner looks for that code before a check.
 */
#include <stdio.h>
#include <string.h>

#include "registry.h"
#include "walk.h"

static enum claim swap_probe(struct walk *w, struct node *device, struct err *e)
{
	const char *type = device->content.type;

	(void)w;
	(void)e;
	return strcmp(type, "swap") == 0 || strcmp(type, "swsuspend") == 0 ? MINE : NOT_MINE;
}

static int swap_describe(struct walk *w, struct node *n, struct err *e)
{
	const struct content *c = &n->parents[0]->content;

	(void)w;
	(void)e;
	snprintf(n->type, sizeof(n->type), "%s", c->type);
	snprintf(n->name, sizeof(n->name), "%s", n->parents[0]->name);
	stack_push(n->stack, sizeof(n->stack), n->type);
	if (strcmp(c->type, "swap") == 0)
		node_verdict(n, VERDICT_SKIPPED, "swap", "swap is never touched");
	else
		node_verdict(n, VERDICT_SKIPPED, "hibernated",
			     "it holds a suspended system, which still owns this guest's filesystems");
	return 0;
}

const struct layer_ops swap_ops = {
	.name = "swap", .kind = KIND_SWAP, .probe = swap_probe, .describe = swap_describe,
};
