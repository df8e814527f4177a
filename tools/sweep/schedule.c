/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "schedule.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "log.h"
#include "nodejson.h"
#include "reporttext.h"
#include "worker.h"

#define MAX_JOBS 64
#define TICK_MS 500
#define GRACE_S 45  /* for a worker to close everything after the deadline */
#define STUCK_S 10  /* for the kernel to let go of a killed one */

struct worker {
	pid_t pid;           /* 0: the place is free */
	int fd;
	struct scope *scope;
	json_object *nodes;  /* kept until it ends: a run that is done again leaves none */
	json_object *asked;  /* an acquire that waits, or NULL */
	char end[16];
	bool lost;           /* killed, and the kernel does not let go of it */
};

struct running {
	struct schedule *s;
	struct worker w[MAX_JOBS];
	long stop_at;  /* when the workers were told to stop; 0: not yet */
	bool broken;   /* one of them did not end by itself */
	bool unclean;  /* and what it had open is still there */
};

static long now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static unsigned count_running(const struct running *r)
{
	unsigned n = 0, i;

	for (i = 0; i < MAX_JOBS; i++)
		n += r->w[i].pid != 0 && !r->w[i].lost;
	return n;
}

static bool is_one_alone(const struct running *r)
{
	unsigned i;

	for (i = 0; i < MAX_JOBS; i++)
		if (r->w[i].pid && !r->w[i].lost && r->w[i].scope->alone)
			return true;
	return false;
}

static bool is_running(const struct running *r, const struct scope *scope)
{
	unsigned i;

	for (i = 0; i < MAX_JOBS; i++)
		if (r->w[i].pid && r->w[i].scope == scope)
			return true;
	return false;
}

/* The next scope that may start now, or NULL. */
static struct scope *next_scope(const struct running *r)
{
	unsigned n = count_running(r);
	size_t i;

	if (n >= r->s->jobs || is_one_alone(r) || r->unclean)
		return NULL;
	for (i = 0; i < r->s->scopes->n; i++) {
		struct scope *scope = &r->s->scopes->s[i];

		if (scope->done || scope->incomplete || is_running(r, scope))
			continue;
		if (!scope->alone || n == 0)
			return scope;
	}
	return NULL;
}

static void fail_scope(struct running *r, struct scope *scope, const char *code, const char *why)
{
	size_t i;

	for (i = 0; i < scope->n_volumes; i++) {
		struct node *n = scope->volumes[i];

		node_verdict(n, VERDICT_ERROR, code, "%s", why);
		nodes_put(r->s->results->nodes, node_to_json(n));
	}
	scope->done = true;
}

static void start(struct running *r, struct scope *scope)
{
	struct worker *w = r->w;
	struct err e = { 0 };
	int ends[2];

	while (w->pid)
		w++;
	if (channel_make(ends, &e) < 0) {
		fail_scope(r, scope, "tool-failed", e.text);
		return;
	}
	fflush(NULL);
	w->pid = fork();
	if (w->pid == 0) {
		close(ends[0]);
		worker_main(r->s->env, scope, ends[1], r->s->deadline);
	}
	close(ends[1]);
	if (w->pid < 0) {
		close(ends[0]);
		w->pid = 0;
		fail_scope(r, scope, "tool-failed", "no process could be started for it");
		return;
	}
	w->fd = ends[0];
	w->scope = scope;
	w->nodes = json_object_new_array();
	w->end[0] = 0;
	w->lost = false;
}

/* Reads the names of an acquire or release. Returns how many. */
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
static void serve(struct running *r, struct worker *w)
{
	const char *names[MAX_JOBS];
	json_object *reply;
	size_t n = names_of(w->asked, "acquire", names, ARRAY_SIZE(names));
	uint64_t amount = (uint64_t)json_number(w->asked, "amount");
	int rc = r->stop_at ? -ETIMEDOUT : locks_take(r->s->locks, w->pid, names, n, amount);

	if (rc == -EBUSY)
		return;
	reply = json_object_new_object();
	json_object_object_add(reply, "rc", json_object_new_int(rc));
	json_object_object_add(reply, "memory",
			       json_object_new_int64((int64_t)locks_memory(r->s->locks)));
	channel_send(w->fd, reply);
	json_object_put(w->asked);
	w->asked = NULL;
}

static void serve_all(struct running *r)
{
	unsigned i;

	for (i = 0; i < MAX_JOBS; i++)
		if (r->w[i].pid && r->w[i].asked)
			serve(r, &r->w[i]);
}

/* What a person at the console wants to see as it happens. */
static void tell(json_object *node)
{
	char line[1024];

	const char *verdict = json_text(node, "verdict");

	if (!verdict[0] ||
	    (strcmp(json_text(node, "kind"), "filesystem") != 0 && strcmp(verdict, "error") != 0))
		return;
	reporttext_node_line(line, sizeof(line), node);
	log_line("%s", line);
}

static void take_end(struct worker *w, json_object *message)
{
	const char *groups[MAX_GROUPS];
	size_t n = names_of(message, "groups", groups, MAX_GROUPS), i;

	snprintf(w->end, sizeof(w->end), "%s", json_text(message, "end"));
	for (i = 0; i < n; i++)
		snprintf(w->scope->groups[i], sizeof(w->scope->groups[i]), "%s", groups[i]);
	w->scope->n_groups = n;
}

static void take_message(struct running *r, struct worker *w, json_object *message)
{
	const char *names[MAX_JOBS];
	json_object *node;
	size_t n;

	if (json_object_object_get_ex(message, "node", &node)) {
		if (node && nodes_put(w->nodes, json_object_get(node)))
			tell(node);
	} else if (json_object_object_get_ex(message, "acquire", NULL)) {
		w->asked = json_object_get(message);
		serve(r, w);
	} else if ((n = names_of(message, "release", names, ARRAY_SIZE(names)))) {
		locks_release(r->s->locks, w->pid, names, n, (uint64_t)json_number(message, "amount"));
		serve_all(r);
	} else {
		take_end(w, message);
	}
}

static void keep_nodes(struct running *r, struct worker *w)
{
	size_t i;

	for (i = 0; i < json_object_array_length(w->nodes); i++)
		nodes_put(r->s->results->nodes,
			  json_object_get(json_object_array_get_idx(w->nodes, i)));
}

/* Of a worker that did not come to its end: what it was at is an error. */
static void finish_nodes(struct worker *w, const char *code, const char *why)
{
	size_t i;

	for (i = 0; i < json_object_array_length(w->nodes); i++) {
		json_object *node = json_object_array_get_idx(w->nodes, i);
		bool checked = strcmp(json_text(node, "kind"), "filesystem") == 0;

		if (json_text(node, "verdict")[0])
			continue;
		json_object_object_add(node, "verdict", json_object_new_string(checked ? "error" : "ok"));
		if (!checked)
			continue;
		json_object_object_add(node, "code", json_object_new_string(code));
		json_object_object_add(node, "reason", json_object_new_string(why));
	}
}

/* How a worker ended decides what its scope is now. */
static void settle(struct running *r, struct worker *w, int status)
{
	struct scope *scope = w->scope;
	char why[160];

	if (strcmp(w->end, "again") == 0) {
		scope->alone = true;
	} else if (strcmp(w->end, "incomplete") == 0) {
		scope->incomplete = true;
	} else if (strcmp(w->end, "done") == 0) {
		scope->done = true;
		keep_nodes(r, w);
	} else {
		const char *code = r->stop_at ? "timeout" : "tool-failed";

		if (w->lost)
			snprintf(why, sizeof(why), "the sweep of this guest hangs in the kernel");
		else
			snprintf(why, sizeof(why), "the sweep of this guest broke off (%s %d)",
				 WIFSIGNALED(status) ? "signal" : "exit status",
				 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		finish_nodes(w, code, why);
		keep_nodes(r, w);
		fail_scope(r, scope, code, why);
		r->broken = r->unclean = true;
		log_line("%s: %s", scope->name, why);
	}
	locks_release_all(r->s->locks, w->pid);
	json_object_put(w->nodes);
	json_object_put(w->asked);
	w->nodes = w->asked = NULL;
	close(w->fd);
	if (!w->lost)
		w->pid = 0;
	r->s->changed();
	serve_all(r);
}

static void reap(struct running *r, struct worker *w)
{
	int status;

	if (waitpid(w->pid, &status, 0) == w->pid)
		settle(r, w, status);
}

static void listen_to_all(struct running *r)
{
	struct pollfd p[MAX_JOBS];
	unsigned i;

	for (i = 0; i < MAX_JOBS; i++)
		p[i] = (struct pollfd){ .fd = r->w[i].pid && !r->w[i].lost ? r->w[i].fd : -1,
					.events = POLLIN };
	if (poll(p, MAX_JOBS, TICK_MS) <= 0)
		return;
	for (i = 0; i < MAX_JOBS; i++) {
		json_object *message = NULL;
		int rc;

		if (!p[i].revents)
			continue;
		rc = channel_receive(r->w[i].fd, &message);
		if (rc > 0) {
			take_message(r, &r->w[i], message);
			json_object_put(message);
			continue;
		}
		if (rc < 0) /* nobody would wait for the end of one that talks nonsense */
			kill(r->w[i].pid, SIGKILL);
		reap(r, &r->w[i]);
	}
}

static void signal_all(struct running *r, int sig)
{
	unsigned i;

	for (i = 0; i < MAX_JOBS; i++)
		if (r->w[i].pid && !r->w[i].lost)
			kill(r->w[i].pid, sig);
}

/* After the deadline: first asked, then killed, then left behind. */
static void enforce_deadline(struct running *r)
{
	unsigned i;

	if (!r->stop_at && (now_s() >= r->s->deadline || r->s->cancelled())) {
		r->stop_at = now_s();
		signal_all(r, SIGTERM);
		serve_all(r);
	} else if (r->stop_at && now_s() >= r->stop_at + GRACE_S) {
		signal_all(r, SIGKILL);
	}
	for (i = 0; i < MAX_JOBS; i++)
		if (r->stop_at && now_s() >= r->stop_at + GRACE_S + STUCK_S && r->w[i].pid &&
		    !r->w[i].lost) {
			r->w[i].lost = true;
			settle(r, &r->w[i], 0);
		}
}

static void fail_what_is_left(struct running *r)
{
	size_t i;

	for (i = 0; i < r->s->scopes->n; i++)
		if (!r->s->scopes->s[i].done)
			fail_scope(r, &r->s->scopes->s[i], "timeout",
				   "not swept: the deadline had passed");
}

static void run_all(struct running *r)
{
	struct scope *scope;

	while (count_running(r) || r->unclean || (!r->stop_at && next_scope(r))) {
		if (r->unclean && count_running(r) == 0) {
			r->s->clean();
			r->unclean = false;
		}
		while (!r->stop_at && (scope = next_scope(r)))
			start(r, scope);
		if (count_running(r))
			listen_to_all(r);
		enforce_deadline(r);
		r->s->alive();
	}
}

bool schedule_run(struct schedule *s)
{
	struct running r = { .s = s };
	struct err e;

	run_all(&r);
	if (scopes_join(s->scopes, &e) == 0)
		run_all(&r);
	if (r.stop_at)
		fail_what_is_left(&r);
	return !r.broken && !r.stop_at;
}
