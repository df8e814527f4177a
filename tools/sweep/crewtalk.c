/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the workers say and ask, by channel.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "crew.h"
#include "log.h"
#include "nodejson.h"
#include "reporttext.h"
#include "saves.h"
#include "settings_value.h"

#define MAX_NAMES 64

/* Reads the names of an acquire, a release or an end. Returns how many. */
static size_t names_of(json_object *message, const char *key, const char **names, size_t max)
{
	json_object *array;
	size_t n, i;

	if (!json_object_object_get_ex(message, key, &array) ||
	    !json_object_is_type(array, json_type_array))
		return 0;
	n = json_object_array_length(array);
	for (i = 0; i < n && i < max; i++) {
		names[i] = json_object_get_string(json_object_array_get_idx(array, i));
		if (!names[i])
			names[i] = "";
	}
	return i;
}

/* Answers an acquire, or keeps it for later. */
static void serve(struct crew *c, struct worker *w)
{
	const char *names[MAX_NAMES];
	json_object *reply;
	size_t n = names_of(w->asked, "acquire", names, ARRAY_SIZE(names));
	uint64_t amount = (uint64_t)json_number(w->asked, "amount");
	int rc = w->stop_at ? -ETIMEDOUT : locks_take(c->s->locks, w->pid, names, n, amount);

	if (rc == -EBUSY)
		return;
	reply = json_object_new_object();
	json_object_object_add(reply, "rc", json_object_new_int(rc));
	json_object_object_add(reply, "memory",
			       json_object_new_int64((int64_t)locks_memory(c->s->locks)));
	/* one that does not read its answers is broken, and must not make all others wait */
	if (channel_send(w->fd, reply) < 0)
		kill(w->pid, SIGKILL);
	json_object_put(w->asked);
	w->asked = NULL;
	crew_start_clock(c, w);
}

void crew_serve(struct crew *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!c->w[i]->over && !c->w[i]->lost && c->w[i]->asked)
			serve(c, c->w[i]);
}

/* What a person at the console wants to see as it happens. */
static void tell(json_object *node)
{
	const char *verdict = json_text(node, "verdict"), *kind = json_text(node, "kind");
	char line[1024];

	if (!verdict[0] || (strcmp(kind, "filesystem") != 0 && strcmp(kind, "hostfs") != 0 &&
			    strcmp(verdict, "error") != 0))
		return;
	reporttext_node_line(line, sizeof(line), node);
	log_line("%s", line);
}

static void take_end(struct worker *w, json_object *message)
{
	const char *lacks[MAX_LACKS];
	size_t n = names_of(message, "lacks", lacks, MAX_LACKS), i;

	snprintf(w->end, sizeof(w->end), "%s", json_text(message, "end"));
	for (i = 0; i < n; i++)
		snprintf(w->scope->lacks[i], sizeof(w->scope->lacks[i]), "%s", lacks[i]);
	w->scope->n_lacks = n;
}

/* A disk image on a host filesystem that this worker keeps open: one more volume to sweep. */
static void take_volume(struct crew *c, struct worker *w, json_object *message)
{
	struct node *image = scopes_find_room(c->s->scopes, 2);
	struct node *below = image ? image + 1 : NULL;

	if (!image)
		return;
	image->id = (unsigned)json_number(message, "id");
	image->kind = KIND_IMAGE;
	image->bytes = (uint64_t)json_number(message, "bytes");
	image->volume = true;
	image->read_only = json_number(message, "read_only") != 0;
	snprintf(image->type, sizeof(image->type), "%s", json_text(message, "type"));
	snprintf(image->name, sizeof(image->name), "%s", json_text(message, "name"));
	snprintf(image->stack, sizeof(image->stack), "%s", json_text(message, "stack"));
	snprintf(image->host_path, sizeof(image->host_path), "%s", json_text(message, "host_path"));
	if (json_text(message, "forbids")[0])
		node_forbid(image, json_text(message, "forbids"), "%s", json_text(message, "why"));
	below->id = (unsigned)json_number(message, "hostfs");
	below->kind = KIND_HOSTFS;
	snprintf(below->device, sizeof(below->device), "%s", json_text(message, "device"));
	node_add_parent(image, below);
	if (scopes_add(c->s->scopes, image, w->scope, c->s->env->settings, c->s->env->crypttab)) {
		if (c->s->journal)
			journal_note(c->s->journal, JOURNAL_PLANNED, 0, image->stack);
	} else {
		if (image->verdict == VERDICT_NONE)
			node_verdict(image, VERDICT_ERROR, "no-memory", "no memory to sweep it");
		nodes_put(c->s->results->nodes, node_to_json(image));
	}
}

static void take_looked(struct crew *c, struct worker *w, json_object *message)
{
	const char *names[MAX_NAMES];
	size_t n = names_of(message, "looked", names, ARRAY_SIZE(names)), i;
	struct err e;

	words_clear(&w->scope->opened_as);
	for (i = 0; i < n; i++) {
		char *copy = strdup(names[i]);

		if (!copy || words_add(&w->scope->opened_as, copy, &e) < 0)
			break;
	}
	w->scope->looked = w->waiting = true;
	crew_note_looked(c, w);
	crew_stop_clock(w);
}

static void take_reference(struct crew *c, const char *name)
{
	char *copy = strdup(name);
	struct err e;

	if (!copy || words_add(&c->s->scopes->references, copy, &e) < 0)
		c->broken = true; /* what may back something is not known any more */
}

static void take_idle(struct crew *c, struct worker *w, bool is_idle)
{
	if (is_idle && !w->idle)
		crew_stop_clock(w);
	else if (!is_idle && w->idle)
		crew_start_clock(c, w);
	w->idle = is_idle;
}

static void take_nodes(struct crew *c, struct worker *w, json_object *nodes)
{
	size_t n = json_object_is_type(nodes, json_type_array) ? json_object_array_length(nodes) : 0, i;

	for (i = 0; i < n; i++) {
		json_object *node = json_object_array_get_idx(nodes, i);

		if (!node)
			continue;
		if (nodes_put(w->nodes, json_object_get(node)))
			tell(node);
		crew_take_checked(c, w, node);
	}
}

void crew_take(struct crew *c, struct worker *w, json_object *message)
{
	const char *names[MAX_NAMES];
	json_object *o;
	size_t n;

	if (json_object_object_get_ex(message, "nodes", &o)) {
		take_nodes(c, w, o);
	} else if (json_object_object_get_ex(message, "step", NULL)) {
		snprintf(w->step, sizeof(w->step), "%s", json_text(message, "step"));
		crew_give_time(w, (uint64_t)json_number(message, "bytes"), false);
	} else if (json_object_object_get_ex(message, "opened", NULL)) {
		crew_take_opened(c, w);
	} else if (json_object_object_get_ex(message, "checking", NULL)) {
		crew_take_checking(c, w, json_text(message, "checking"));
	} else if (json_object_object_get_ex(message, "acquire", NULL)) {
		json_object_put(w->asked); /* one that did not wait for its answer gets none */
		w->asked = json_object_get(message);
		crew_stop_clock(w);
		serve(c, w);
	} else if ((n = names_of(message, "release", names, ARRAY_SIZE(names)))) {
		locks_release(c->s->locks, w->pid, names, n, (uint64_t)json_number(message, "amount"));
		crew_serve(c);
	} else if (json_object_object_get_ex(message, "volume", &o)) {
		take_volume(c, w, o);
	} else if (json_object_object_get_ex(message, "save", &o)) {
		if (!c->judged) /* a sweep that is done again tells it again */
			saves_add(c->s->scopes, json_object_get(o));
	} else if (json_object_object_get_ex(message, "looked", NULL)) {
		take_looked(c, w, message);
		if (c->stop_at) /* it has been told to stop, too */
			crew_let_go(c, w);
	} else if (json_object_object_get_ex(message, "refers_to", NULL)) {
		take_reference(c, json_text(message, "refers_to"));
	} else if (json_object_object_get_ex(message, "idle", &o)) {
		take_idle(c, w, json_object_get_boolean(o));
	} else if (json_object_object_get_ex(message, "holding", NULL)) {
		w->holding = true;
		crew_note_end(c, w, false);
	} else {
		take_end(w, message);
	}
}
