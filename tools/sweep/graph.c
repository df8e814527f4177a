/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The graph itself: its nodes and their edges. What is done with them is in walk.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "held.h"
#include "walk.h"

void walk_init(struct walk *w, const struct walk_env *env)
{
	memset(w, 0, sizeof(*w));
	w->env = env;
}

int nodes_grow(struct node ***list, size_t n)
{
	struct node **grown = realloc(*list, (n + 1) * sizeof(**list));

	if (!grown)
		return -ENOMEM;
	*list = grown;
	return 0;
}

void node_add_parent(struct node *n, struct node *parent)
{
	if (n->n_parents < MAX_PARENTS)
		n->parents[n->n_parents++] = parent;
}

struct node *walk_add(struct walk *w, enum kind kind, struct node *parent, const struct node *base,
		      const char *word, struct err *e)
{
	struct node *n;

	if (nodes_grow(&w->nodes, w->n_nodes) < 0 || nodes_grow(&w->opened, w->n_nodes) < 0 ||
	    !(n = calloc(1, sizeof(*n)))) {
		err_set(e, ENOMEM, "no memory for another layer");
		return NULL;
	}
	n->id = __atomic_add_fetch(w->env->next_id, 1, __ATOMIC_RELAXED);
	n->kind = kind;
	n->held = -1;
	if (parent) {
		node_add_parent(n, parent);
		n->host = parent->host;
		memcpy(n->guest, parent->guest, sizeof(n->guest));
	} else {
		strncpy(n->guest, w->env->guest, sizeof(n->guest) - 1);
		n->host = w->host;
	}
	if (base)
		memcpy(n->stack, base->stack, sizeof(n->stack));
	if (word)
		stack_push(n->stack, sizeof(n->stack), word);
	w->nodes[w->n_nodes++] = n;
	return n;
}

const struct layer_ops *walk_driver(const struct walk *w, enum kind kind)
{
	const struct layer_ops *const *ops = w->env->registry;

	while (*ops && (*ops)->kind != kind)
		ops++;
	return *ops;
}

struct node *walk_adopt(struct walk *w, const struct node *volume, struct err *e)
{
	struct node *n = walk_add(w, volume->kind, NULL, NULL, NULL, e);
	char guest[sizeof(n->guest)];

	if (!n)
		return NULL;
	memcpy(guest, n->guest, sizeof(guest));
	*n = *volume;
	memcpy(n->guest, guest, sizeof(guest));
	/* an image has to be opened before it can be probed; all others are devices already */
	n->ops = n->kind == KIND_IMAGE ? walk_driver(w, KIND_IMAGE) : NULL;
	n->state = NULL;
	n->held = -1;
	n->opened = n->probed = n->host = n->kept = n->handed_over = false;
	n->volume = true;
	return n;
}

void walk_free(struct walk *w)
{
	size_t i;

	for (i = 0; i < w->n_nodes; i++) {
		struct node *n = w->nodes[i];

		if (n->ops && n->ops->forget)
			n->ops->forget(n);
		else
			free(n->state);
		device_let_go(n);
		free(n);
	}
	free(w->nodes);
	free(w->opened);
	memset(w, 0, sizeof(*w));
}
