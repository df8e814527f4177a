/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard.h"

#include <stdlib.h>

#include "blockdev.h"
#include "log.h"

const struct node *guard_find(const struct walk *w)
{
	size_t i;

	for (i = 0; i < w->n_nodes; i++)
		if (w->nodes[i]->forbids.code)
			return w->nodes[i];
	return NULL;
}

void guard_hold(struct walk *w)
{
	struct err e;
	size_t i;

	for (i = 0; i < w->n_nodes; i++) {
		struct node *n = w->nodes[i];

		if (n->read_only)
			continue;
		n->read_only = true;
		if (n->device[0] && blockdev_set_read_only(n->device, true, &e) < 0)
			log_line("%s: %s", n->stack, e.text);
	}
}

static void ask(struct walk *w, const struct layer_ops *ops)
{
	struct node **nodes = NULL;
	size_t n = 0, i;

	for (i = 0; i < w->n_nodes; i++)
		if (w->nodes[i]->ops == ops && w->nodes[i]->verdict == VERDICT_NONE &&
		    nodes_grow(&nodes, n) == 0)
			nodes[n++] = w->nodes[i];
	if (n)
		ops->guard(w, nodes, n);
	free(nodes);
}

const struct node *guard_ask(struct walk *w)
{
	const struct layer_ops *const *ops;
	const struct node *found = guard_find(w);

	for (ops = w->env->registry; *ops && !found; ops++) {
		if (!(*ops)->guard)
			continue;
		ask(w, *ops);
		found = guard_find(w);
	}
	if (found)
		guard_hold(w);
	return found;
}

void guard_tell(struct node *n, const struct node *why)
{
	if (n == why)
		node_verdict(n, VERDICT_SKIPPED, why->forbids.word, "%s", why->forbids.text);
	else
		node_verdict(n, VERDICT_SKIPPED, why->forbids.word,
			     "nothing of this guest is touched because of %s: %s", why->stack, why->forbids.text);
}
