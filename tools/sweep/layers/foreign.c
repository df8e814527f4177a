/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filesystems that libblkid knows and that have no driver here.
 *
 * Recognises  whatever libblkid calls a filesystem.
 * Uses        what libblkid found, nothing else.
 * Never       reads further or writes.
 */
#include <string.h>

#include "fscheck.h"
#include "knownas.h"
#include "registry.h"

static enum claim foreign_probe(struct walk *w, struct node *device, struct err *e)
{
	(void)w;
	(void)e;
	return strcmp(device->content.usage, "filesystem") == 0 ? MINE : NOT_MINE;
}

static int foreign_describe(struct walk *w, struct node *n, struct err *e)
{
	const char *words = known_as(n->parents[0]->content.type);
	int rc = fscheck_describe(w, n, e);

	if (words)
		node_verdict(n, VERDICT_SKIPPED, "unsupported", "it is %s; there is no checker for that here", words);
	else
		node_verdict(n, VERDICT_SKIPPED, "unsupported", "%s has no checker here", n->type);
	return rc;
}

const struct layer_ops foreign_ops = {
	.name = "other filesystem", .kind = KIND_FILESYSTEM, .probe = foreign_probe,
	.describe = foreign_describe,
};
