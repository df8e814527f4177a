/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Swap areas.
 *
 * Recognises  swap, also one that holds a suspended system.
 * Uses        libblkid, and our own look for the marks of a suspended system (content.c): of
 *             two marks on one area libblkid says only that it is ambiguous.
 * Never       touches one. A suspended system still owns every filesystem of its guest: the
 *             walk forbids to write to any (guard.h).
 */
#include <stdio.h>
#include <string.h>

#include "registry.h"
#include "walk.h"

static enum claim swap_probe(struct walk *w, struct node *device, struct err *e)
{
	const struct content *c = &device->content;

	(void)w;
	(void)e;
	if (strcmp(c->type, "swap") == 0 || strcmp(c->type, "swsuspend") == 0)
		return MINE;
	return c->suspended && !c->type[0] && !c->table[0] ? MINE : NOT_MINE;
}

static int swap_describe(struct walk *w, struct node *n, struct err *e)
{
	const struct content *c = &n->parents[0]->content;

	(void)w;
	(void)e;
	snprintf(n->type, sizeof(n->type), "%s", c->suspended ? "swsuspend" : c->type);
	snprintf(n->name, sizeof(n->name), "%s", n->parents[0]->name);
	stack_push(n->stack, sizeof(n->stack), n->type);
	if (c->suspended)
		node_verdict(n, VERDICT_SKIPPED, "hibernated", "%s", n->parents[0]->forbids.text);
	else
		node_verdict(n, VERDICT_SKIPPED, "swap", "swap is never touched");
	return 0;
}

const struct layer_ops swap_ops = {
	.name = "swap", .kind = KIND_SWAP, .probe = swap_probe, .describe = swap_describe,
};
