/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "schedule.h"

#include <signal.h>
#include <time.h>

#include "crew.h"
#include "saves.h"

#define GRACE_S 45  /* for a worker to close everything after the deadline */
#define STUCK_S 10  /* for the kernel to let go of a killed one */

static long now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static bool is_one_alone(const struct crew *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!c->w[i]->over && !c->w[i]->lost && !c->w[i]->holding && c->w[i]->scope->alone)
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

		if (s->n_holders == 0 && !s->looked && !s->done && !is_waiting(s))
			return true;
	}
	return false;
}

/* The next worker that may go on from its volumes to what is inside, or NULL. */
static struct worker *next_to_go(struct crew *c)
{
	unsigned working = crew_working(c);
	size_t i;

	if (is_looking(c) || working >= c->s->jobs || c->unclean)
		return NULL;
	if (!c->judged)
		saves_judge(c->s->scopes, c->s->env->settings, c->s->results);
	c->judged = true;
	for (i = 0; i < c->n; i++) {
		struct worker *w = c->w[i];

		if (w->over || w->lost)
			continue;
		if (!w->waiting && !w->holding && w->scope->alone)
			return NULL;
	}
	for (i = 0; i < c->n; i++)
		if (!c->w[i]->over && !c->w[i]->lost && c->w[i]->waiting && !(c->w[i]->scope->alone && working))
			return c->w[i];
	return NULL;
}

/* The next scope that may start now, or NULL. Image files come when all of them have been found. */
static struct scope *next_scope(const struct crew *c)
{
	unsigned working = crew_working(c);
	bool searching = is_searching(c);
	size_t i;

	if (crew_busy(c) >= c->s->jobs || is_one_alone(c) || c->unclean)
		return NULL;
	for (i = 0; i < c->s->scopes->n; i++) {
		struct scope *scope = c->s->scopes->s[i];

		if (scope->started || scope->done || scope->incomplete || (scope->alone && working))
			continue;
		if (!searching || (scope->n_holders == 0 && !is_waiting(scope)))
			return scope;
	}
	return NULL;
}

/* After the deadline: first asked, then killed, then left behind. */
static void enforce_deadline(struct crew *c)
{
	if (!c->stop_at && (now_s() >= c->s->deadline || c->s->cancelled())) {
		c->stop_at = now_s();
		crew_signal(c, SIGTERM, false);
		c->s->scopes->hold |= !c->judged;
		crew_let_all_go(c);
		crew_serve(c);
	} else if (c->stop_at && now_s() >= c->stop_at + GRACE_S) {
		crew_signal(c, SIGKILL, true);
	}
	if (c->stop_at && now_s() >= c->stop_at + GRACE_S + STUCK_S)
		crew_give_up(c);
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
		while (!c->stop_at && (scope = next_scope(c)))
			crew_start(c, scope);
		if (crew_working(c))
			crew_listen(c);
		enforce_deadline(c);
		c->s->alive();
	}
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
