/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "crew.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bounds.h"
#include "channel.h"
#include "log.h"
#include "nodejson.h"
#include "sandbox.h"
#include "saves.h"
#include "worker.h"

#define TICK_MS 500

void crew_fail_scope(struct crew *c, struct scope *scope, const char *code, const char *why)
{
	size_t i;

	for (i = 0; i < scope->n_volumes && !scope->looks_only; i++) {
		struct node *n = scope->volumes[i];

		node_verdict(n, VERDICT_ERROR, code, "%s", why);
		nodes_put(c->s->results->nodes, node_to_json(n));
	}
	scope->started = scope->done = true;
}

static struct worker *new_worker(struct crew *c)
{
	struct worker **grown = realloc(c->w, (c->n + 1) * sizeof(*grown));
	struct worker *w = grown ? calloc(1, sizeof(*w)) : NULL;

	if (grown)
		c->w = grown;
	if (w)
		c->w[c->n++] = w;
	return w;
}

bool crew_has(const struct worker *w)
{
	return !w->over && !w->lost;
}

unsigned crew_working(const struct crew *c)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < c->n; i++)
		n += crew_has(c->w[i]) && !c->w[i]->holding && !c->w[i]->waiting;
	return n;
}

unsigned crew_busy(const struct crew *c)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < c->n; i++)
		n += crew_has(c->w[i]) && !c->w[i]->holding && !c->w[i]->waiting && !c->w[i]->idle;
	return n;
}

bool crew_holds(const struct crew *c, const struct scope *scope)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (crew_has(c->w[i]) && c->w[i]->holding && c->w[i]->scope == scope)
			return true;
	return false;
}

/* Image files that must not be opened after all. Returns whether something is left to sweep. */
static bool spare_backing(struct crew *c, struct scope *scope)
{
	struct node **all = malloc((scope->n_volumes + 1) * sizeof(*all));
	size_t n = scope->n_volumes, i;

	if (!all)
		return false;
	memcpy(all, scope->volumes, n * sizeof(*all));
	if (scopes_spare_backing(c->s->scopes, scope))
		for (i = 0; i < n; i++)
			if (all[i]->verdict != VERDICT_NONE)
				nodes_put(c->s->results->nodes, node_to_json(all[i]));
	free(all);
	return scope->n_volumes > 0;
}

/* The supervisor has two descriptors of each worker, and all of them may wait at the same time for what the
 * last finds. */
static void raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

/* In a new worker: the descriptors of those before it. */
static void leave_others(const struct crew *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (!crew_has(c->w[i]) || !c->w[i]->pid)
			continue;
		close(c->w[i]->fd);
		if (c->w[i]->pidfd >= 0)
			close(c->w[i]->pidfd);
	}
}

void crew_start(struct crew *c, struct scope *scope)
{
	struct worker *w;
	struct err e = { 0 };
	int ends[2] = { -1, -1 };
	pid_t pid = -1;

	if (!spare_backing(c, scope)) {
		scope->started = scope->done = true;
		return;
	}
	if (crew_quarantine(c, scope)) {
		scope->started = scope->done = true;
		return;
	}
	scope->alone |= crew_was_interrupted(c, scope);
	if (c->n == 0)
		raise_limit();
	w = new_worker(c);
	if (w && channel_make(ends, &e) == 0) {
		fflush(NULL);
		pid = fork();
	}
	if (pid == 0) {
		close(ends[0]);
		leave_others(c);
		if (c->s->journal)
			journal_abandon(c->s->journal);
		worker_main(c->s->env, scope, ends[1], c->s->deadline,
			    bounds_scope_s(c->s->env->settings, scope->name, c->s->scopes->n > 1));
	}
	if (ends[1] >= 0)
		close(ends[1]);
	if (pid < 0) {
		if (ends[0] >= 0)
			close(ends[0]);
		if (w)
			w->over = true;
		crew_fail_scope(c, scope, "tool-failed", "no process could be started for it");
		return;
	}
	/* an answer that finds no room fails: the supervisor waits for nobody */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	w->pid = pid;
	w->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	w->fd = ends[0];
	w->scope = scope;
	w->attempt = ++c->attempts;
	w->nodes = nodes_new();
	scope->started = true;
	crew_begin_time(c, w);
}

void crew_let_go(struct crew *c, struct worker *w)
{
	json_object *o = json_object_new_object();
	size_t i;

	saves_place(c->s->scopes, w->scope);
	for (i = 0; i < w->scope->n_volumes; i++) {
		const struct err *why = &w->scope->volumes[i]->forbids;

		if (!why->code)
			continue;
		json_object_object_add(o, "id", json_object_new_int64(w->scope->volumes[i]->id));
		json_object_object_add(o, "forbids", json_object_new_string(why->word));
		json_object_object_add(o, "why", json_object_new_string(why->text));
		break;
	}
	json_object_object_add(o, "hold", json_object_new_int(c->s->scopes->hold));
	w->leave = o;
	w->waiting = false;
	crew_note_leave(c, w);
	crew_start_clock(c, w);
}

void crew_let_all_go(struct crew *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (crew_has(c->w[i]) && c->w[i]->waiting)
			crew_let_go(c, c->w[i]);
}

static void keep_nodes(struct crew *c, struct worker *w)
{
	json_object_object_foreach(w->nodes, key, node) {
		(void)key;
		nodes_put(c->s->results->nodes, json_object_get(node));
	}
}

static bool is_checked_kind(json_object *node)
{
	const char *kind = json_text(node, "kind");

	return strcmp(kind, "filesystem") == 0 || strcmp(kind, "hostfs") == 0;
}

/* Of a worker that did not come to its end: what it was at is an error. */
static void finish_nodes(struct worker *w, const char *code, const char *why)
{
	json_object_object_foreach(w->nodes, key, node) {
		bool checked = is_checked_kind(node);

		(void)key;
		if (json_text(node, "verdict")[0])
			continue;
		json_object_object_add(node, "verdict", json_object_new_string(checked ? "error" : "ok"));
		if (!checked)
			continue;
		json_object_object_add(node, "code", json_object_new_string(code));
		json_object_object_add(node, "reason", json_object_new_string(why));
	}
}

/* What lies on host filesystems that nobody keeps open any more can't be swept. */
static void fail_those_on(struct crew *c, const struct scope *holder)
{
	size_t i;

	for (i = 0; i < c->s->scopes->n; i++) {
		struct scope *s = c->s->scopes->s[i];

		if (!s->done && lies_on(s, holder) && (!s->started || s->incomplete))
			crew_fail_scope(c, s, "tool-failed",
					"the sweep of the host filesystem it lies on broke off");
	}
}

static void break_off(struct crew *c, struct worker *w, int status)
{
	const char *code = w->late ? "timeout" : "tool-failed";
	char why[160];

	if (w->lost)
		snprintf(why, sizeof(why), "the sweep of this guest hangs in the kernel%s%s",
			 w->step[0] ? ", at " : "", w->step);
	else if (w->late)
		snprintf(why, sizeof(why), "the sweep of this guest did not end in time%s%s",
			 w->step[0] ? ", it was at " : "", w->step);
	else
		snprintf(why, sizeof(why), "the sweep of this guest broke off (%s %d)",
			 WIFSIGNALED(status) ? "signal" : "exit status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	finish_nodes(w, code, why);
	keep_nodes(c, w);
	crew_fail_scope(c, w->scope, code, why);
	fail_those_on(c, w->scope);
	c->broken = c->unclean = true;
	log_line("%s: %s", w->scope->name, why);
}

/* How a worker ended decides what its scope is now. */
static void settle(struct crew *c, struct worker *w, int status)
{
	struct scope *scope = w->scope;

	if (strcmp(w->end, "again") == 0) {
		scope->alone = true;
		scope->started = false;
	} else if (strcmp(w->end, "incomplete") == 0) {
		scope->incomplete = true;
	} else if (strcmp(w->end, "done") == 0) {
		scope->done = true;
		keep_nodes(c, w);
	} else {
		break_off(c, w, status);
	}
	crew_note_end(c, w, strcmp(w->end, "again") == 0 || strcmp(w->end, "incomplete") == 0);
	locks_release_all(c->s->locks, w->pid);
	json_object_put(w->nodes);
	json_object_put(w->asked);
	json_object_put(w->leave);
	w->nodes = w->asked = w->leave = NULL;
	close(w->fd);
	if (w->pidfd >= 0)
		close(w->pidfd);
	w->over = !w->lost;
	c->s->changed();
	crew_serve(c);
}

/* Its channel is closed: it is about to end, unless the kernel holds it. */
static void reap(struct crew *c, struct worker *w)
{
	int status;

	if (waitpid(w->pid, &status, w->pidfd < 0 ? 0 : WNOHANG) == w->pid) {
		if (status)
			sandbox_end_those_of(w->pid);
		settle(c, w, status);
	} else if (!w->deaf) {
		w->deaf = true;
		w->holding = false;
		crew_expect_end(w);
	}
}

static void hear(struct crew *c, struct worker *w)
{
	json_object *message = NULL;
	int rc = channel_receive(w->fd, &message);

	if (rc > 0) {
		crew_give_time(w, 0, w->checking[0]);
		crew_take(c, w, message);
		json_object_put(message);
		return;
	}
	if (rc < 0) /* nobody would wait for the end of one that talks nonsense */
		kill(w->pid, SIGKILL);
	reap(c, w);
}

/* Its channel, and its end: a child of it that stands still may hold the channel for good. */
static void listen_to(const struct worker *w, struct pollfd p[2])
{
	p[0] = (struct pollfd){ .fd = crew_has(w) && !w->deaf ? w->fd : -1, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = crew_has(w) ? w->pidfd : -1, .events = POLLIN };
}

/* Its last words may have come after its channel was looked at. */
static bool has_said_more(const struct worker *w)
{
	struct pollfd p = { .fd = w->deaf ? -1 : w->fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static void forget_the_reaped(struct crew *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->n; i++)
		if (c->w[i]->over)
			free(c->w[i]);
		else
			c->w[n++] = c->w[i];
	c->n = n;
}

void crew_listen(struct crew *c)
{
	struct pollfd (*p)[2] = calloc(c->n + 1, sizeof(*p));
	size_t n = c->n, i;
	int heard = 0;

	for (i = 0; p && i < n; i++)
		listen_to(c->w[i], p[i]);
	if (p)
		heard = poll(p[0], 2 * n, TICK_MS);
	for (i = 0; heard > 0 && i < n; i++)
		if (p[i][0].revents)
			hear(c, c->w[i]);
		else if (p[i][1].revents && !has_said_more(c->w[i]))
			reap(c, c->w[i]);
	free(p);
	crew_commit(c, heard <= 0);
	forget_the_reaped(c);
}

void crew_close_holders(struct crew *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		json_object *o;

		if (!crew_has(c->w[i]) || !c->w[i]->holding)
			continue;
		o = json_object_new_object();
		json_object_object_add(o, "close", json_object_new_boolean(true));
		channel_send(c->w[i]->fd, o);
		c->w[i]->holding = false;
		c->w[i]->limit = LONG_MAX;
		crew_give_time(c->w[i], 0, false);
	}
}

void crew_give_up(struct crew *c, struct worker *w)
{
	w->lost = true;
	settle(c, w, 0);
}

/* Of all that the holders have opened. Returns how many. */
static size_t ids_of_holders(const struct crew *c, unsigned **ids)
{
	size_t n = 0, i;

	*ids = NULL;
	for (i = 0; i < c->n; i++) {
		size_t more = crew_has(c->w[i]) ? (size_t)json_object_object_length(c->w[i]->nodes) : 0;
		unsigned *grown = more ? realloc(*ids, (n + more) * sizeof(*grown)) : NULL;

		if (!grown)
			continue;
		*ids = grown;
		json_object_object_foreach(c->w[i]->nodes, key, node) {
			(void)key;
			grown[n++] = (unsigned)json_number(node, "id");
		}
	}
	return n;
}

void crew_clean(struct crew *c)
{
	unsigned *ids;
	size_t n = ids_of_holders(c, &ids);

	c->s->clean(ids, n);
	free(ids);
	c->unclean = false;
}

void crew_free(struct crew *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		free(c->w[i]);
	free(c->w);
}
