/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the crew writes into the state journal. A worker that is about to open its volumes, or to
 * have a filesystem checked, asks and waits; all that ask in one turn get their answer after one
 * commit. What has ended goes with the next of these, or half a second later: where the power is cut
 * in between, it is taken for interrupted. Without a journal the answer comes at once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "crew.h"
#include "log.h"
#include "nodejson.h"

static unsigned times(const struct crew *c, const char *key)
{
	return c->s->journal ? journal_times(c->s->journal, key) : 0;
}

static void note(struct crew *c, enum journal_state state, const struct worker *w, const char *key)
{
	if (c->s->journal)
		journal_note(c->s->journal, state, w->attempt, key);
}

static void note_volumes(struct crew *c, enum journal_state state, const struct worker *w)
{
	size_t i;

	for (i = 0; i < w->scope->n_volumes; i++)
		note(c, state, w, w->scope->volumes[i]->stack);
}

bool crew_was_interrupted(const struct crew *c, const struct scope *scope)
{
	size_t i;

	for (i = 0; c->s->journal && i < scope->n_volumes; i++)
		if (journal_concerns(c->s->journal, scope->volumes[i]->stack))
			return true;
	return false;
}

static bool is_quarantined(const struct crew *c, const struct scope *scope, const struct node *volume,
			   const char *key)
{
	return times(c, key) >= JOURNAL_QUARANTINE &&
	       !scope_is_asked_for(c->s->env->settings, volume, scope->name);
}

/* One disk that is left alone: the whole guest is. */
bool crew_quarantine(struct crew *c, struct scope *scope)
{
	const struct node *found = NULL;
	char path[NODE_PATH_SIZE];
	size_t i;

	for (i = 0; i < scope->n_volumes && !found; i++)
		if (is_quarantined(c, scope, scope->volumes[i], scope->volumes[i]->stack))
			found = scope->volumes[i];
	if (!found)
		return false;
	node_path(found, path);
	for (i = 0; i < scope->n_volumes; i++) {
		node_verdict(scope->volumes[i], VERDICT_SKIPPED, "quarantined",
			     "left alone: the last %u sweeps that opened %s were cut off while they did; to "
			     "have it swept again, name it: guestsweep.only=%s", times(c, found->stack),
			     found->stack, path);
		nodes_put(c->s->results->nodes, node_to_json(scope->volumes[i]));
	}
	return true;
}

static void answer(struct worker *w, int rc, const char *text)
{
	json_object *reply = json_object_new_object();

	json_object_object_add(reply, "rc", json_object_new_int(rc));
	json_object_object_add(reply, "text", json_object_new_string(text));
	channel_send(w->fd, reply);
}

void crew_take_opened(struct crew *c, struct worker *w)
{
	note_volumes(c, JOURNAL_OPENED, w);
	w->waits_for_journal = true;
}

/* One that waits is not at its volumes: a cut is not theirs then. */
void crew_note_looked(struct crew *c, const struct worker *w)
{
	note_volumes(c, JOURNAL_LEFT, w);
}

void crew_note_leave(struct crew *c, struct worker *w)
{
	w->attempt = ++c->attempts;
	note_volumes(c, JOURNAL_OPENED, w);
}

/* The volume of w's scope in which the filesystem called stack lies. */
static const struct node *volume_of(const struct worker *w, const char *stack)
{
	size_t i, n;

	for (i = 0; i < w->scope->n_volumes; i++) {
		n = strlen(w->scope->volumes[i]->stack);
		if (strncmp(stack, w->scope->volumes[i]->stack, n) == 0 && strncmp(stack + n, " > ", 3) == 0)
			return w->scope->volumes[i];
	}
	return w->scope->volumes[0];
}

void crew_take_checking(struct crew *c, struct worker *w, const char *stack)
{
	const struct node *volume = volume_of(w, stack);
	char path[NODE_PATH_SIZE], text[ERR_TEXT_MAX];

	if (is_quarantined(c, w->scope, volume, stack)) {
		node_path(volume, path);
		snprintf(text, sizeof(text),
			 "left alone: the last %u sweeps that checked it were cut off while they did; to have "
			 "it checked again, name it: guestsweep.only=%s", times(c, stack), path);
		answer(w, -EPERM, text);
		return;
	}
	snprintf(w->checking, sizeof(w->checking), "%s", stack);
	snprintf(w->step, sizeof(w->step), "%s", stack);
	crew_give_time(w, 0, true);
	note(c, JOURNAL_CHECKING, w, stack);
	w->waits_for_journal = true;
}

void crew_take_checked(struct crew *c, struct worker *w, json_object *node)
{
	if (!w->checking[0] || strcmp(w->checking, json_text(node, "stack")) != 0 ||
	    !json_text(node, "verdict")[0])
		return;
	note(c, JOURNAL_DONE, w, w->checking);
	w->checking[0] = w->step[0] = 0;
}

void crew_note_end(struct crew *c, struct worker *w, bool to_be_tried_again)
{
	if (w->checking[0])
		note(c, JOURNAL_DONE, w, w->checking);
	w->checking[0] = 0;
	note_volumes(c, to_be_tried_again ? JOURNAL_LEFT : JOURNAL_DONE, w);
}

static void say_once(struct crew *c, const struct err *e)
{
	log_line("the state journal could not be kept: %s", e->text);
	results_problem(c->s->results, SWEEP_CLEAN, "no-journal",
			"the state journal could not be kept, so that the next sweep would not know where this "
			"one was cut off: %s", e->text);
}

static bool somebody_waits(const struct crew *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->w[i]->leave || c->w[i]->waits_for_journal)
			return true;
	return false;
}

void crew_commit(struct crew *c, bool is_quiet)
{
	struct err e;
	size_t i;

	if (!is_quiet && !somebody_waits(c))
		return;
	if (c->s->journal && journal_commit(c->s->journal, &e) < 0)
		say_once(c, &e);
	for (i = 0; i < c->n; i++) {
		if (c->w[i]->leave && crew_has(c->w[i]))
			channel_send(c->w[i]->fd, c->w[i]->leave);
		c->w[i]->leave = NULL;
		if (!c->w[i]->waits_for_journal)
			continue;
		c->w[i]->waits_for_journal = false;
		if (!c->w[i]->over && !c->w[i]->lost)
			answer(c->w[i], 0, "");
	}
}
