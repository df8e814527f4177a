/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "schedule.h"

#include "crew.h"
#include "saves.h"

static bool is_one_alone(const struct crew *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (crew_has(c->w[i]) && !c->w[i]->holding && !c->w[i]->waiting && c->w[i]->scope->alone)
			return true;
	return false;
}

/* true while a host filesystem may still turn up, with images that back others or belong to a
 * guest's other disks. */
static bool is_searching(const struct crew *c)
{
	size_t i;

	for (i = 0; i < c->s->scopes->n; i++) {
		const struct scope *s = c->s->scopes->s[i];

		if (s->n_holders == 0 && !s->done && !s->incomplete && !is_waiting(s) && !crew_holds(c, s))
			return true;
	}
	return false;
}

/* true while a save of a guest may still turn up. */
static bool is_looking(const struct crew *c)
{
	size_t i;

	for (i = 0; i < c->s->scopes->n; i++) {
		const struct scope *s = c->s->scopes->s[i];

		if (s->n_holders == 0 && !s->looked && !s->done && !is_waiting(s) && !crew_looks_too_long(c, s))
			return true;
	}
	return false;
}

/* The next worker that may go on from its volumes to what is inside, or NULL. */
static struct worker *next_to_go(struct crew *c)
{
	unsigned working = crew_working(c);
	size_t i;

	if (is_looking(c) || crew_busy(c) >= c->s->jobs || is_one_alone(c) || c->unclean)
		return NULL;
	if (!c->judged)
		saves_judge(c->s->scopes, c->s->env->settings, c->s->results);
	c->judged = true;
	for (i = 0; i < c->n; i++)
		if (crew_has(c->w[i]) && c->w[i]->waiting && !(c->w[i]->scope->alone && working))
			return c->w[i];
	return NULL;
}

static bool is_ready(const struct scope *scope, bool searching)
{
	return !scope->started && !scope->done && !scope->incomplete &&
	       (!searching || (scope->n_holders == 0 && !is_waiting(scope)));
}

/* The next scope that may start now, or NULL. Those go first, each alone, at which the last sweep
 * was cut off. Image files come when all of them have been found. */
static struct scope *next_scope(const struct crew *c)
{
	unsigned working = crew_working(c);
	bool searching = is_searching(c);
	struct scope *found = NULL;
	size_t i;

	if (crew_busy(c) >= c->s->jobs || is_one_alone(c) || c->unclean)
		return NULL;
	for (i = 0; i < c->s->scopes->n; i++) {
		struct scope *scope = c->s->scopes->s[i];

		if (!is_ready(scope, searching))
			continue;
		if (crew_was_interrupted(c, scope))
			return working ? NULL : scope;
		if (!found && !(scope->alone && working))
			found = scope;
	}
	return found;
}

static void fail_what_is_left(struct crew *c)
{
	size_t i;

	for (i = 0; i < c->s->scopes->n; i++)
		if (!c->s->scopes->s[i]->done)
			crew_fail_scope(c, c->s->scopes->s[i], "timeout",
					"not swept: the deadline had passed");
}

static void run_all(struct crew *c)
{
	struct scope *scope;
	struct worker *w;

	while (crew_working(c) || c->unclean || (!c->stop_at && (next_to_go(c) || next_scope(c)))) {
		if (c->unclean && crew_working(c) == 0)
			crew_clean(c);
		while (!c->stop_at && (w = next_to_go(c)))
			crew_let_go(c, w);
		crew_commit(c, false);
		while (!c->stop_at && (scope = next_scope(c)))
			crew_start(c, scope);
		if (crew_working(c))
			crew_listen(c);
		crew_enforce(c);
		if (crew_is_in_time(c))
			c->s->alive();
	}
	crew_commit(c, true);
}

bool schedule_run(struct schedule *s)
{
	struct crew c = { .s = s };
	struct err e;
	bool good;

	run_all(&c);
	if (scopes_join(s->scopes, &e) == 0)
		run_all(&c);
	if (c.stop_at)
		fail_what_is_left(&c);
	crew_close_holders(&c);
	run_all(&c);
	if (s->env->settings->only.n == 0)
		saves_report(s->scopes, s->results);
	good = !c.broken && !c.stop_at;
	crew_free(&c);
	return good;
}
