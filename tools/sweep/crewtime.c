/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a worker may go on, and what happens then. */
#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
#include <time.h>

#include "bounds.h"
#include "crew.h"
#include "log.h"

#define END_S 2    /* for the process to go when its channel is closed */
#define SLACK_S 30 /* before a supervisor that does not see to it is taken for stuck */

static long now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

void crew_begin_time(struct crew *c, struct worker *w)
{
	unsigned s = bounds_scope_s(c->s->env->settings, w->scope->name, c->s->scopes->n > 1);

	w->limit = now_s() + (long)s;
	w->look_limit = now_s() + (long)bounds_look_s(c->s->env->settings);
	crew_give_time(w, 0, false);
}

void crew_give_time(struct worker *w, uint64_t bytes, bool checks)
{
	w->step_limit = checks ? LONG_MAX : now_s() + (long)bounds_step_s(bytes);
}

void crew_expect_end(struct worker *w)
{
	w->step_limit = now_s() + END_S;
}

void crew_stop_clock(struct worker *w)
{
	w->asked_at = now_s();
}

void crew_start_clock(struct crew *c, struct worker *w)
{
	w->limit += now_s() - w->asked_at;
	w->look_limit += now_s() - w->asked_at;
	if (w->limit > c->s->deadline)
		w->limit = c->s->deadline;
	crew_give_time(w, 0, false);
}

bool crew_looks_too_long(const struct crew *c, const struct scope *scope)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (crew_has(c->w[i]) && c->w[i]->scope == scope)
			return !c->w[i]->asked && !c->w[i]->idle && now_s() >= c->w[i]->look_limit;
	return false;
}

static long end_of(const struct worker *w)
{
	if (w->holding || w->asked || w->waiting || w->idle)
		return LONG_MAX;
	return w->limit < w->step_limit ? w->limit : w->step_limit;
}

static void stop(struct crew *c, struct worker *w, long now)
{
	w->stop_at = now;
	w->late = true;
	kill(w->pid, SIGTERM);
	if (!c->stop_at)
		log_line("%s: its time is over%s%s", w->scope->name, w->step[0] ? ", at " : "", w->step);
}

static void enforce(struct crew *c, struct worker *w, long now)
{
	long end_s = (long)bounds_end_s(c->s->env->settings), stuck_s = (long)bounds_stuck_s(c->s->env->settings);

	if (!w->stop_at && !w->holding && (c->stop_at || now >= end_of(w)))
		stop(c, w, now);
	else if (w->stop_at && now >= w->stop_at + end_s + stuck_s)
		crew_give_up(c, w);
	else if (w->stop_at && now >= w->stop_at + end_s)
		kill(w->pid, SIGKILL);
}

void crew_enforce(struct crew *c)
{
	bool is_over = !c->stop_at && (now_s() >= c->s->deadline || c->s->cancelled());
	long now = now_s();
	size_t i;

	if (is_over)
		c->stop_at = now;
	for (i = 0; i < c->n; i++)
		if (crew_has(c->w[i]))
			enforce(c, c->w[i], now);
	if (is_over) {
		c->s->scopes->hold |= !c->judged;
		crew_let_all_go(c);
	}
	crew_serve(c);
}

bool crew_is_in_time(const struct crew *c)
{
	const struct settings *s = c->s->env->settings;
	long most = (long)bounds_end_s(s) + (long)bounds_stuck_s(s) + SLACK_S, now = now_s();
	size_t i;

	for (i = 0; i < c->n; i++) {
		const struct worker *w = c->w[i];

		if (!crew_has(w))
			continue;
		if ((w->stop_at && now > w->stop_at + most) ||
		    (end_of(w) != LONG_MAX && now > end_of(w) + most))
			return false;
	}
	return true;
}
