/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filesystems that libblkid knows and that have no driver here.
 *
 * Recognises  whatever libblkid calls a filesystem.
 * Never       reads further or writes.
 */
#include <stdio.h>
#include <string.h>

#include "registry.h"
#include "walk.h"

static enum claim foreign_probe(struct walk *w, struct node *device, struct err *e)
{
	(void)w;
	(void)e;
	return strcmp(device->content.usage, "filesystem") == 0 ? MINE : NOT_MINE;
}

static int foreign_describe(struct walk *w, struct node *n, struct err *e)
{
	(void)w;
	(void)e;
	snprintf(n->type, sizeof(n->type), "%s", n->parents[0]->content.type);
	snprintf(n->name, sizeof(n->name), "%s", n->guest);
	stack_push(n->stack, sizeof(n->stack), n->type);
	node_verdict(n, VERDICT_SKIPPED, "unsupported", "%s has no checker here", n->type);
	return 0;
}

const struct layer_ops foreign_ops = {
	.name = "other filesystem", .kind = KIND_FILESYSTEM, .probe = foreign_probe,
	.describe = foreign_describe,
};
