/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "blockdev.h"
#include "channel.h"
#include "guard.h"
#include "guarded.h"
#include "keys.h"
#include "log.h"
#include "nodejson.h"
#include "reader.h"
#include "savefile.h"
#include "savesearch.h"

#define MAX_DISKS 64
#define NODES_AROUND 16 /* bytes of a message around its nodes */
#define LIMIT_SLACK_S 5

static int channel = -1;
static long deadline_at, limit_at; /* of the sweep and of this scope, CLOCK_MONOTONIC seconds */
static volatile sig_atomic_t told_to_stop;

static void on_term(int sig)
{
	(void)sig;
	told_to_stop = 1;
}

static bool cancelled(void)
{
	return told_to_stop;
}

static long now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* The supervisor ends this process when its time is over, and knows then that it is; a limit
 * of our own comes a little later. */
static unsigned seconds_left(void)
{
	long end = limit_at < deadline_at ? limit_at : deadline_at, now = now_s();

	return now < end ? (unsigned)(end - now) + LIMIT_SLACK_S : 1;
}

static void idle(bool is_idle)
{
	static bool told;
	static long idle_since;
	json_object *o;

	if (is_idle == told)
		return;
	told = is_idle;
	if (is_idle)
		idle_since = now_s();
	else
		limit_at += now_s() - idle_since;
	o = json_object_new_object();
	json_object_object_add(o, "idle", json_object_new_boolean(is_idle));
	if (channel_send(channel, o) < 0)
		_exit(EXIT_FAILURE);
}

static int acquire(const char *const *names, size_t n, uint64_t amount, struct err *e)
{
	json_object *reply;
	long asked = now_s();
	int rc = channel_send(channel, channel_names("acquire", names, n, (int64_t)amount));

	if (rc == 0)
		rc = channel_receive(channel, &reply);
	if (rc <= 0)
		_exit(EXIT_FAILURE); /* the supervisor is gone */
	limit_at += now_s() - asked;
	rc = (int)json_number(reply, "rc");
	if (rc == -ENOMEM)
		err_set_word(e, ENOMEM, "no-memory", "it needs %llu MiB, %lld MiB are free",
			     (unsigned long long)amount >> 10, (long long)json_number(reply, "memory") >> 10);
	else if (rc == -EEXIST)
		err_set_word(e, EEXIST, "ambiguous",
			     "the host itself has a volume group with this UUID (%s)", names[0]);
	else if (rc == -ETIMEDOUT)
		err_set_word(e, ETIMEDOUT, "timeout", "the time for its sweep was over");
	else if (rc < 0)
		err_set(e, -rc, "another guest has a volume group of this name");
	json_object_put(reply);
	return rc;
}

static void release(const char *const *names, size_t n, uint64_t amount)
{
	if (channel_send(channel, channel_names("release", names, n, (int64_t)amount)) < 0)
		_exit(EXIT_FAILURE);
}

/* Asks, and waits until what is about to be done is in the journal. Returns 0 or -EPERM. */
static int ask_journal(const char *key, json_object *value, struct err *e)
{
	json_object *o = json_object_new_object(), *reply;
	int rc;

	json_object_object_add(o, key, value);
	rc = channel_send(channel, o);
	if (rc == 0)
		rc = channel_receive(channel, &reply);
	if (rc <= 0)
		_exit(EXIT_FAILURE);
	rc = (int)json_number(reply, "rc");
	if (rc < 0)
		err_set_word(e, -rc, "quarantined", "%s", json_text(reply, "text"));
	json_object_put(reply);
	return rc;
}

static json_object *stack_of(const struct node *n)
{
	char text[sizeof(n->stack) + 76];

	escape_text(text, sizeof(text), n->stack);
	return json_object_new_string(text);
}

static int may_check(const struct node *n, struct err *e)
{
	return ask_journal("checking", stack_of(n), e);
}

static void tell_step(const struct node *n)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "step", stack_of(n));
	json_object_object_add(o, "bytes", json_object_new_int64((int64_t)n->bytes));
	if (channel_send(channel, o) < 0)
		_exit(EXIT_FAILURE);
}

static void send_nodes(json_object *list)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "nodes", list);
	if (channel_send(channel, o) < 0)
		_exit(EXIT_FAILURE);
}

/* As many in a message as go into one: each message wakes the supervisor. */
static void publish(struct node *const *nodes, size_t n)
{
	json_object *list = json_object_new_array();
	size_t bytes = NODES_AROUND, i;

	for (i = 0; i < n; i++) {
		json_object *o = node_to_json(nodes[i]);
		size_t more = strlen(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)) + 1;

		if (json_object_array_length(list) && bytes + more > CHANNEL_MESSAGE_MAX) {
			send_nodes(list);
			list = json_object_new_array();
			bytes = NODES_AROUND;
		}
		json_object_array_add(list, o);
		bytes += more;
	}
	send_nodes(list);
}

/* Groups whose other members may be another scope's. */
static bool lacks_parts(const struct node *n)
{
	return (n->kind == KIND_VG || n->kind == KIND_MD) && strcmp(n->code, "missing-device") == 0;
}

static bool is_incomplete(const struct walk *w)
{
	size_t i;

	for (i = 0; i < w->n_nodes; i++)
		if (lacks_parts(w->nodes[i]))
			return true;
	return false;
}

static void add_lacks(json_object *lacks, const struct node *group)
{
	char text[LACK_SIZE + 8];
	size_t i;

	for (i = 0; i < group->n_parents; i++) {
		snprintf(text, sizeof(text), "%s %s", group->uuid, group->parents[i]->uuid);
		json_object_array_add(lacks, json_object_new_string(text));
	}
}

static void end(const char *how, const struct walk *w)
{
	json_object *o = json_object_new_object(), *lacks = json_object_new_array();
	size_t i;

	for (i = 0; i < w->n_nodes; i++)
		if (lacks_parts(w->nodes[i]))
			add_lacks(lacks, w->nodes[i]);
	json_object_object_add(o, "end", json_object_new_string(how));
	json_object_object_add(o, "lacks", lacks);
	channel_send(channel, o);
}

static void add_forbids(json_object *o, const struct err *forbids)
{
	if (!forbids->code)
		return;
	json_object_object_add(o, "forbids", json_object_new_string(forbids->word));
	json_object_object_add(o, "why", json_object_new_string(forbids->text));
}

/* A disk image becomes a volume that another worker sweeps. */
static void hand_over(const struct node *n)
{
	json_object *o = json_object_new_object(), *volume = node_to_json(n);

	json_object_object_add(volume, "hostfs", json_object_new_int64(n->parents[0]->id));
	json_object_object_add(volume, "device",
			       json_object_new_string(n->parents[0]->parents[0]->device));
	json_object_object_add(volume, "host_path", json_object_new_string(n->host_path));
	json_object_object_add(volume, "read_only", json_object_new_int(n->read_only));
	add_forbids(volume, &n->forbids);
	json_object_object_add(o, "volume", volume);
	if (channel_send(channel, o) < 0)
		_exit(EXIT_FAILURE);
}

/* An image on another host filesystem must not be written to while this one lies on it. */
static void tell_reference(const struct node *n)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "refers_to", json_object_new_string(n->refers_to));
	if (channel_send(channel, o) < 0)
		_exit(EXIT_FAILURE);
}

/* The host filesystems stay open until the supervisor has seen to all that lies on them. */
static void hold(const struct walk *w)
{
	json_object *o = json_object_new_object(), *message = NULL;
	bool any = false;
	size_t i;

	for (i = 0; i < w->n_nodes; i++) {
		if (w->nodes[i]->refers_to[0])
			tell_reference(w->nodes[i]);
		if (w->nodes[i]->handed_over) {
			hand_over(w->nodes[i]);
			any = true;
		}
	}
	if (!any) {
		json_object_put(o);
		return;
	}
	json_object_object_add(o, "holding", json_object_new_boolean(true));
	if (channel_send(channel, o) < 0 || channel_receive(channel, &message) <= 0)
		_exit(EXIT_FAILURE);
	json_object_put(message);
}

static const char *device_below(const struct node *volume)
{
	const struct node *below = volume;

	while (!below->device[0] && below->n_parents)
		below = below->parents[0];
	return below->device;
}

/* A rotating disk serves one check at a time. Returns how many names there are. */
static size_t rotating_disks(const struct scope *s, char names[][32], const char **list)
{
	char disks[MAX_DISKS][32];
	size_t n = 0, v, i, k, found;

	for (v = 0; v < s->n_volumes; v++) {
		found = blockdev_disks(device_below(s->volumes[v]), disks, MAX_DISKS);
		for (i = 0; i < found; i++) {
			for (k = 0; k < n; k++)
				if (strcmp(names[k] + strlen("disk:"), disks[i]) == 0)
					break;
			if (k < n || n == MAX_DISKS || !is_rotational(disks[i]))
				continue;
			snprintf(names[n], sizeof(names[n]), "disk:%.26s", disks[i]);
			list[n] = names[n];
			n++;
		}
	}
	return n;
}

static void check(struct walk *w, const struct scope *s)
{
	char names[MAX_DISKS][32];
	const char *list[MAX_DISKS];
	size_t n = w->env->mode == MODE_LIST ? 0 : rotating_disks(s, names, list);
	struct err why;

	if (n && acquire(list, n, 1, &why) < 0)
		n = 0;
	walk_check(w);
	if (n)
		release(list, n, 1);
}

/* The volumes become this walk's roots; where nothing may be written, the kernel
 * holds them read-only from here on. */
static int adopt(struct walk *w, const struct scope *s, struct err *e)
{
	size_t i;
	int rc;

	for (i = 0; i < s->n_volumes; i++) {
		struct node *n = walk_adopt(w, s->volumes[i], e);

		if (!n)
			return -ENOMEM;
		n->verdict = VERDICT_NONE; /* that of one not asked for stays the supervisor's */
		if (w->env->mode > MODE_CHECK || n->read_only)
			continue;
		n->read_only = true;
		if (n->kind == KIND_IMAGE)
			continue;
		rc = blockdev_set_read_only(n->device, true, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A suspended system on a volume that no guest's section names: it may be any guest's, or the
 * host's own. */
static void tell_bare_swap(const struct walk *w, json_object *saves)
{
	size_t i;

	for (i = 0; i < w->n_nodes; i++) {
		json_object *o;

		if (w->nodes[i]->kind != KIND_SWAP || !w->nodes[i]->parents[0]->forbids.code)
			continue;
		o = savefile_unread(w->nodes[i]->parents[0]->stack, "", "a suspended system");
		json_object_object_add(o, "is_swap", json_object_new_int(1));
		json_object_array_add(saves, o);
	}
}

/* What the supervisor has to know before anything is written to: the guests that are saved on this
 * scope's volumes, and by which names of crypttab those were opened. */
static void tell_looked(struct walk *w, const struct scope *s)
{
	json_object *saves = json_object_new_array(), *names = json_object_new_array(), *o;
	size_t i;

	if (!s->looks_only)
		walk_tell_all(w);
	for (i = 0; i < w->n_nodes; i++) {
		if (w->nodes[i]->kind == KIND_LUKS && w->nodes[i]->opened)
			json_object_array_add(names, json_object_new_string(w->nodes[i]->name));
		if (!s->guest && w->nodes[i]->kind == KIND_FILESYSTEM && is_on_volume(w->nodes[i]))
			savesearch(w, w->nodes[i], saves);
	}
	if (!s->guest && s->n_holders == 0)
		tell_bare_swap(w, saves);
	for (i = 0; i < json_object_array_length(saves); i++) {
		o = json_object_new_object();
		json_object_object_add(o, "save", json_object_get(json_object_array_get_idx(saves, i)));
		if (channel_send(channel, o) < 0)
			_exit(EXIT_FAILURE);
	}
	json_object_put(saves);
	o = json_object_new_object();
	json_object_object_add(o, "looked", names);
	if (channel_send(channel, o) < 0)
		_exit(EXIT_FAILURE);
}

/* Waits until all host filesystems have been searched for saved guests. Where this is one of them,
 * or it can't be known, nothing more is opened for writing. */
static void wait_for_leave(struct walk *w, const struct scope *s, struct walk_env *env)
{
	json_object *reply;
	long asked;
	size_t i;

	tell_looked(w, s);
	asked = now_s();
	if (channel_receive(channel, &reply) <= 0)
		_exit(EXIT_FAILURE);
	limit_at += now_s() - asked;
	for (i = 0; i < w->n_nodes; i++)
		if (json_text(reply, "forbids")[0] && w->nodes[i]->id == (unsigned)json_number(reply, "id"))
			node_forbid(w->nodes[i], json_text(reply, "forbids"), "%s", json_text(reply, "why"));
	/* what was checked early, to be looked through for saves, is left out as well */
	for (i = 0; guard_find(w) && i < w->n_nodes; i++)
		if (w->nodes[i]->kind == KIND_FILESYSTEM && w->nodes[i]->verdict != VERDICT_NONE &&
		    w->nodes[i]->verdict != VERDICT_ERROR)
			guard_tell(w->nodes[i], guard_find(w));
	if (json_number(reply, "hold") || guard_find(w)) {
		guard_hold(w);
		if (env->mode > MODE_CHECK)
			env->mode = MODE_CHECK;
	}
	json_object_put(reply);
}

static void prepare(int fd, long deadline, unsigned limit)
{
	struct sigaction sa = { .sa_handler = on_term };

	channel = fd;
	deadline_at = deadline;
	limit_at = now_s() + (long)limit;
	sigaction(SIGTERM, &sa, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	reader_of_one_owner();
	reader_bound_by(seconds_left);
	guarded_worker();
}

/* Nobody waits for more of a volume that is not to be swept. */
__attribute__((noreturn)) static void end_looking(struct walk *w, const struct scope *s)
{
	tell_looked(w, s);
	walk_close(w, true);
	end("done", w);
	_exit(EXIT_SUCCESS);
}

void worker_main(const struct walk_env *base, const struct scope *s, int fd, long deadline,
		 unsigned limit)
{
	struct walk_env env = *base;
	struct err why = { 0 };
	struct walk w;
	const char *how = "done";
	int rc;

	prepare(fd, deadline, limit);
	env.mode = s->mode;
	env.undo = s->undo;
	env.last_try = s->last_try;
	env.guest = s->name;
	env.cancelled = cancelled;
	env.idle = idle;
	env.seconds_left = seconds_left;
	env.acquire = acquire;
	env.release = release;
	env.publish = publish;
	keys_keep(env.keys, s->volumes, s->n_volumes);
	env.may_check = may_check;
	env.opening = tell_step;
	walk_init(&w, &env);
	rc = ask_journal("opened", json_object_new_boolean(true), &why);
	if (rc == 0)
		rc = adopt(&w, s, &why);
	if (rc == 0)
		rc = walk_open_volumes(&w, &why);
	if (s->looks_only)
		end_looking(&w, s);
	if (rc == 0) {
		wait_for_leave(&w, s, &env);
		rc = walk_open(&w, true, &why);
	}
	if (rc == -EAGAIN && !s->alone)
		how = "again";
	else if (rc < 0 && w.n_nodes)
		node_fail(w.nodes[0], &why, "tool-failed");
	else if (is_incomplete(&w) && !s->last_try)
		how = "incomplete";
	else
		check(&w, s);
	if (strcmp(how, "done") == 0 && !s->guest)
		walk_enter(&w);
	hold(&w);
	walk_close(&w, true);
	if (strcmp(how, "done") == 0)
		walk_settle(&w);
	end(how, &w);
	walk_free(&w);
	_exit(EXIT_SUCCESS);
}
