/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor over workers that do what their scope's name says: whatever one of them does, it
 * costs its own scope and no other. */
/* link: -Wl,--wrap=worker_main -Wl,--wrap=log_line */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json_tokener.h>

#include "attrs.h"
#include "channel.h"
#include "journal.h"
#include "nodejson.h"
#include "schedule.h"
#include "worker.h"

#define PATIENCE_S 60

static struct journal *the_journal;
static char folder[] = "/tmp/guestsweep-test.XXXXXX";
static char path[sizeof(folder) + 8];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/journal", folder);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* ---- a worker ---- */

void __wrap_log_line(const char *fmt, ...) printf_like(1, 2);
void __wrap_log_line(const char *fmt, ...)
{
	(void)fmt;
}

__attribute__((noreturn)) void __wrap_worker_main(const struct walk_env *base, const struct scope *s,
						  int fd, long deadline, unsigned limit);

static void say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		_exit(1);
}

static void say_node(int fd, const struct scope *s, const char *verdict)
{
	char text[512];

	snprintf(text, sizeof(text), "{\"nodes\": [{\"id\": %u, \"kind\": \"filesystem\", \"verdict\": \"%s\","
				     " \"stack\": \"%s\", \"volumes\": %zu, \"last\": %d, \"alone\": %d}]}",
		 s->volumes[0]->id, verdict, s->name, s->n_volumes, s->last_try, s->alone);
	say(fd, text);
}

/* What the supervisor answers. */
static int ask(int fd, const char *request)
{
	json_object *reply;

	say(fd, request);
	if (channel_receive(fd, &reply) <= 0)
		_exit(2);
	return (int)json_number(reply, "rc");
}

static bool is(const struct scope *s, const char *role)
{
	return strncmp(s->name, role, strlen(role)) == 0;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

static void fill_memory(int fd)
{
	if (ask(fd, "{\"acquire\": [\"memory\"], \"amount\": 70}") != 0)
		_exit(3);
	pause_ms(30);
	say(fd, "{\"release\": [\"memory\"], \"amount\": 70}");
}

/* What it has asked for stands in the journal when the answer comes. */
static void heed_journal(int fd, const struct scope *s)
{
	char text[8192], line[300];
	ssize_t n;
	int file;

	if (ask(fd, "{\"opened\": true}") != 0)
		_exit(5);
	snprintf(line, sizeof(line), "{\"checking\": \"%s > ext4\"}", s->name);
	if (ask(fd, line) == -EPERM) {
		say_node(fd, s, "skipped");
		say(fd, "{\"end\": \"done\", \"lacks\": []}");
		_exit(0);
	}
	file = open(path, O_RDONLY);
	n = read(file, text, sizeof(text) - 1);
	close(file);
	text[n < 0 ? 0 : n] = 0;
	snprintf(line, sizeof(line), " %s > ext4\n", s->name);
	if (!strstr(text, " opened ") || !strstr(text, " checking ") || !strstr(text, line))
		_exit(7);
}

/* Two image files on a host filesystem, which has to stay open until both are swept. */
static void hold(int fd, const struct scope *s)
{
	json_object *close;
	char text[256];
	unsigned i;

	for (i = 1; i <= 2; i++) {
		snprintf(text, sizeof(text), "{\"volume\": {\"id\": %u, \"name\": \"image%u\", \"stack\": "
					     "\"image%u\", \"hostfs\": 99, \"device\": \"/dev/x\"}}",
			 100 + i, i, i);
		say(fd, text);
	}
	if (strstr(s->name, "dies"))
		kill(getpid(), SIGKILL);
	say(fd, "{\"holding\": true}");
	if (channel_receive(fd, &close) <= 0 || json_number(close, "close") != 1)
		_exit(4);
	pause_ms(30);
}

/* Says what it found of saved guests, and does not go on before it may. */
static void look(int fd, const struct scope *s)
{
	json_object *reply;

	pause_ms(is(s, "look") ? 0 : 50);
	if (is(s, "finds"))
		say(fd, "{\"save\": {\"where\": \"w\", \"name\": \"n\", \"sources\": [\"/dev/vg/look2\"]}}");
	if (is(s, "byid"))
		say(fd, "{\"save\": {\"where\": \"w\", \"name\": \"n\", \"sources\": [\"/dev/disk/by-id/x\"]}}");
	if (is(s, "unread"))
		say(fd, "{\"save\": {\"where\": \"w\", \"name\": \"n\", \"sources\": [], \"problem\": \"p\"}}");
	say(fd, "{\"looked\": []}");
	if (channel_receive(fd, &reply) <= 0)
		_exit(2);
	say_node(fd, s, json_number(reply, "hold") ? "uncorrected" : json_text(reply, "forbids")[0] ? "skipped" : "clean");
	say(fd, "{\"end\": \"done\", \"lacks\": []}");
	_exit(0);
}

__attribute__((noreturn)) void __wrap_worker_main(const struct walk_env *base, const struct scope *s,
						  int fd, long deadline, unsigned limit)
{
	(void)base;
	(void)deadline;
	(void)limit;
	signal(SIGTERM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (is(s, "crash"))
		kill(getpid(), SIGKILL);
	if (is(s, "exit"))
		_exit(7);
	if (is(s, "half")) {
		say_node(fd, s, "repaired");
		_exit(0);
	}
	if (is(s, "nonsense")) {
		say(fd, "[}");
		pause();
	}
	if (is(s, "numb")) /* it never reads what it is answered */
		for (;;)
			say(fd, "{\"acquire\": [\"memory\"], \"amount\": 0}");
	if (is(s, "null")) /* an odd name is nobody's */
		ask(fd, "{\"acquire\": [null, 5, {}], \"amount\": 1}");
	if (is(s, "odd")) {
		say(fd, "{\"nodes\": null}");
		say(fd, "{\"nodes\": [null, 5]}");
	}
	if (is(s, "hang"))
		pause();
	if (is(s, "look") || is(s, "finds") || is(s, "byid") || is(s, "unread"))
		look(fd, s);
	if (is(s, "memory"))
		fill_memory(fd);
	if (is(s, "again") && !s->alone) {
		say(fd, "{\"end\": \"again\", \"lacks\": []}");
		_exit(0);
	}
	if (is(s, "part") && !s->last_try) {
		say(fd, "{\"end\": \"incomplete\", \"lacks\": [\"U1\"]}");
		_exit(0);
	}
	if (is(s, "host"))
		hold(fd, s);
	if (is(s, "journal"))
		heed_journal(fd, s);
	if (is(s, "journal-crash"))
		kill(getpid(), SIGKILL);
	if (is(s, "orphan")) {
		if (fork() == 0) {
			close(STDOUT_FILENO);
			close(STDERR_FILENO);
			sleep(PATIENCE_S);
			_exit(0);
		}
		kill(getpid(), SIGKILL);
	}
	say_node(fd, s, "clean");
	say(fd, "{\"end\": \"done\", \"lacks\": []}");
	if (is(s, "deaf")) {
		close(fd);
		pause();
	}
	_exit(0);
}

/* ---- a sweep ---- */

static struct {
	struct scopes scopes;
	struct results results;
	struct node nodes[16];
	bool cancelled;
	unsigned changed, cleaned;
} t;

static char name_own[] = "hang-own";
static char name_b[] = "b";
static char *only_b[] = { name_b };
static struct words only = { .item = only_b };

static bool cancelled(void)
{
	return t.cancelled;
}

static void alive(void)
{
}

static void changed(void)
{
	t.changed++;
}

static void clean(const unsigned *ids, size_t n)
{
	(void)ids;
	(void)n;
	t.cleaned++;
}

static void cancel_soon(void)
{
	t.cancelled = true;
}

static bool sweep(const char *names, unsigned jobs, void (*each_tick)(void))
{
	static struct guest slow = { .name = name_own, .deadline_s = 1 };
	const struct settings settings = { .deadline_s = PATIENCE_S, .guests = &slow, .n_guests = 1, .only = only };
	static const struct crypttab crypttab;
	const struct walk_env env = { .settings = &settings, .crypttab = &crypttab };
	struct schedule s = { .scopes = &t.scopes, .env = &env, .results = &t.results, .jobs = jobs,
			      .journal = the_journal, .cancelled = cancelled, .alive = each_tick, .changed = changed,
			      .clean = clean };
	char copy[256], *save, *word;
	struct timespec now;
	bool good;

	memset(&t, 0, sizeof(t));
	clock_gettime(CLOCK_MONOTONIC, &now);
	s.deadline = now.tv_sec + PATIENCE_S;
	s.locks = locks_new(100);
	t.scopes.s = calloc(16, sizeof(*t.scopes.s));
	assert_int_equal(results_init(&t.results), 0);
	snprintf(copy, sizeof(copy), "%s", names);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct scope *scope = t.scopes.s[t.scopes.n] = calloc(1, sizeof(*scope));
		struct node *n = &t.nodes[t.scopes.n++];

		snprintf(scope->name, sizeof(scope->name), "%s", word);
		snprintf(n->stack, sizeof(n->stack), "%s", word);
		snprintf(n->name, sizeof(n->name), "vg/%s", word);
		n->id = (unsigned)t.scopes.n;
		n->kind = KIND_LV;
		scope->volumes = calloc(1, sizeof(*scope->volumes));
		scope->volumes[scope->n_volumes++] = n;
	}
	alarm(PATIENCE_S);
	good = schedule_run(&s);
	alarm(0);
	locks_free(s.locks);
	return good;
}

/* Verdicts of the nodes 1 to n, "-" where there is none. */
static const char *verdicts(void)
{
	static char text[256];
	size_t i;

	text[0] = 0;
	for (i = 1; i <= t.scopes.n; i++) {
		json_object *n = nodes_get(t.results.nodes, (unsigned)i);

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 1 ? " " : "",
			 n ? json_text(n, "verdict") : "-");
	}
	return text;
}

static void end(void)
{
	scopes_free(&t.scopes);
	results_free(&t.results);
}

static void all_is_well(void **state)
{
	(void)state;
	assert_true(sweep("a b c d e", 2, alive));
	assert_string_equal(verdicts(), "clean clean clean clean clean");
	assert_int_equal(t.changed, 5);
	assert_int_equal(t.cleaned, 0);
	end();
	assert_true(sweep("", 4, alive));
	end();
}

static void one_that_breaks(void **state)
{
	static const char *const how[] = { "crash", "exit", "nonsense", "numb" };
	char names[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(how); i++) {
		snprintf(names, sizeof(names), "a %s b c", how[i]);
		assert_false(sweep(names, 2, alive));
		assert_string_equal(verdicts(), "clean error clean clean");
		assert_string_equal(json_text(nodes_get(t.results.nodes, 2), "code"), "tool-failed");
		assert_non_null(strstr(json_text(nodes_get(t.results.nodes, 2), "reason"), "broke off"));
		assert_int_equal(t.cleaned, 1); /* before the next one starts */
		end();
	}
}

/* What it had told of before stays; its volume says that it broke off. */
static void one_that_breaks_half_way(void **state)
{
	(void)state;
	assert_false(sweep("half b", 1, alive));
	assert_string_equal(verdicts(), "error clean");
	end();
}

static void odd_messages(void **state)
{
	(void)state;
	assert_true(sweep("null1 odd1 null2", 1, alive));
	assert_string_equal(verdicts(), "clean clean clean");
	end();
}

/* Whoever finds a save: it is known before any of the others goes on, however few run at a time. */
static void saved_guests(void **state)
{
	unsigned jobs;

	(void)state;
	for (jobs = 1; jobs <= 5; jobs += 2) {
		assert_true(sweep("look1 look2 look3 finds", jobs, alive));
		assert_string_equal(verdicts(), "clean skipped clean clean");
		assert_int_equal(json_object_array_length(t.results.problems), 0);
		end();
	}
	assert_true(sweep("look1 look3 finds", 2, alive));
	assert_string_equal(verdicts(), "clean clean clean");
	assert_int_equal(json_object_array_length(t.results.problems), 1);
	end();
}

static void saves_of_nobody_knows_whom(void **state)
{
	(void)state;
	assert_true(sweep("look1 byid look2", 1, alive));
	assert_string_equal(verdicts(), "uncorrected uncorrected uncorrected");
	assert_int_equal(json_object_array_length(t.results.problems), 1);
	end();
	assert_true(sweep("look1 look2 unread", 3, alive));
	assert_string_equal(verdicts(), "uncorrected uncorrected uncorrected");
	end();
	assert_false(sweep("look1 crash look2", 1, alive));
	assert_string_equal(verdicts(), "clean error clean");
	end();
	assert_false(sweep("look1 hang look2", 3, cancel_soon));
	end();
}

static void memory_one_after_the_other(void **state)
{
	(void)state;
	assert_true(sweep("memory1 memory2 memory3 a", 4, alive));
	assert_string_equal(verdicts(), "clean clean clean clean");
	end();
}

/* Also where several met each other's names. */
static void again_alone(void **state)
{
	(void)state;
	assert_true(sweep("again1 a again2 b", 3, alive));
	assert_string_equal(verdicts(), "clean clean clean clean");
	assert_int_equal(json_number(nodes_get(t.results.nodes, 1), "alone"), 1);
	assert_int_equal(json_number(nodes_get(t.results.nodes, 3), "alone"), 1);
	assert_int_equal(json_number(nodes_get(t.results.nodes, 2), "alone"), 0);
	end();
}

static void parts_are_joined(void **state)
{
	(void)state;
	assert_true(sweep("part1 a part2", 2, alive));
	assert_string_equal(verdicts(), "clean clean -");
	assert_int_equal(json_number(nodes_get(t.results.nodes, 1), "volumes"), 2);
	assert_int_equal(json_number(nodes_get(t.results.nodes, 1), "last"), 1);
	end();
}

/* It is closed after the last of them; it does not count as one at work. */
static void images_on_a_host_filesystem(void **state)
{
	(void)state;
	assert_true(sweep("host a", 1, alive));
	assert_string_equal(json_text(nodes_get(t.results.nodes, 1), "verdict"), "clean");
	assert_string_equal(json_text(nodes_get(t.results.nodes, 101), "verdict"), "clean");
	assert_string_equal(json_text(nodes_get(t.results.nodes, 102), "verdict"), "clean");
	assert_int_equal(t.changed, 4);
	end();
}

static void a_host_filesystem_that_is_lost(void **state)
{
	(void)state;
	assert_false(sweep("hostdies a", 1, alive));
	assert_string_equal(json_text(nodes_get(t.results.nodes, 1), "verdict"), "error");
	assert_string_equal(json_text(nodes_get(t.results.nodes, 2), "verdict"), "clean");
	assert_non_null(strstr(json_text(nodes_get(t.results.nodes, 101), "reason"), "broke off"));
	assert_int_equal(t.cleaned, 1);
	end();
}

/* Its time is over, and it alone pays for that. */
static void a_deadline_of_its_own(void **state)
{
	(void)state;
	assert_false(sweep("hang-own a b", 1, alive));
	assert_string_equal(verdicts(), "error clean clean");
	assert_string_equal(json_text(nodes_get(t.results.nodes, 1), "code"), "timeout");
	end();
}

/* It has closed its channel and does not end: nobody waits for it. */
static void one_that_is_deaf(void **state)
{
	(void)state;
	assert_true(sweep("deaf a", 1, alive));
	assert_string_equal(verdicts(), "clean clean");
	end();
}

/* It was killed while a child of it stood still, which has its channel too. */
static void one_that_leaves_a_child(void **state)
{
	(void)state;
	assert_false(sweep("orphan a", 1, alive));
	assert_string_equal(verdicts(), "error clean");
	assert_non_null(strstr(json_text(nodes_get(t.results.nodes, 1), "reason"), "broke off"));
	end();
}

/* What the journal says on disk when the answer comes is what the worker has asked for. */
static void asked_and_answered(void **state)
{
	struct journal j;
	struct err e;

	(void)state;
	assert_int_equal(journal_read(&j, folder, &e), 0);
	assert_int_equal(journal_start(&j, &e), 0);
	the_journal = &j;
	assert_false(sweep("journal1 journal-crash a", 2, alive));
	assert_string_equal(verdicts(), "clean error clean");
	journal_close(&j);
	end();

	/* a worker crashed, the machine did not */
	assert_int_equal(journal_read(&j, folder, &e), 0);
	assert_true(j.was_cut);
	assert_int_equal(j.n, 0);
	journal_close(&j);
	assert_int_equal(unlink(path), 0);
	the_journal = NULL;
}

static void what_was_interrupted_twice(void **state)
{
	struct journal j;
	struct err e;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(journal_read(&j, folder, &e), 0);
		assert_int_equal(journal_start(&j, &e), 0);
		journal_note(&j, JOURNAL_OPENED, 1, "b");
		journal_note(&j, JOURNAL_OPENED, 2, "journal1");
		journal_note(&j, JOURNAL_CHECKING, 2, "journal1 > ext4");
		assert_int_equal(journal_commit(&j, &e), 0);
		journal_close(&j);
	}
	assert_int_equal(journal_read(&j, folder, &e), 0);
	assert_int_equal(journal_start(&j, &e), 0);
	the_journal = &j;
	assert_true(sweep("a journal1 b c", 4, alive));
	assert_string_equal(verdicts(), "clean skipped skipped clean");
	assert_string_equal(json_text(nodes_get(t.results.nodes, 3), "code"), "quarantined");
	assert_non_null(strstr(json_text(nodes_get(t.results.nodes, 3), "reason"), "guestsweep.only="));
	end();

	/* told to, it is swept, and then it counts no more */
	only.n = 1;
	assert_true(sweep("b", 4, alive));
	assert_string_equal(verdicts(), "clean");
	only.n = 0;
	journal_close(&j);
	assert_int_equal(journal_read(&j, folder, &e), 0);
	assert_int_equal(journal_times(&j, "b"), 0);
	assert_int_equal(journal_times(&j, "journal1 > ext4"), 2);
	end();
	journal_close(&j);
	assert_int_equal(unlink(path), 0);
	the_journal = NULL;
}

static void cancelling_ends_all(void **state)
{
	(void)state;
	assert_false(sweep("hang1 hang2 a", 2, cancel_soon));
	assert_string_equal(json_text(nodes_get(t.results.nodes, 1), "code"), "timeout");
	assert_string_equal(json_text(nodes_get(t.results.nodes, 2), "code"), "timeout");
	assert_string_equal(json_text(nodes_get(t.results.nodes, 3), "code"), "timeout"); /* it never began */
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(one_that_breaks),
		cmocka_unit_test(one_that_breaks_half_way),
		cmocka_unit_test(odd_messages),
		cmocka_unit_test(saved_guests),
		cmocka_unit_test(saves_of_nobody_knows_whom),
		cmocka_unit_test(memory_one_after_the_other),
		cmocka_unit_test(again_alone),
		cmocka_unit_test(parts_are_joined),
		cmocka_unit_test(images_on_a_host_filesystem),
		cmocka_unit_test(a_host_filesystem_that_is_lost),
		cmocka_unit_test(a_deadline_of_its_own),
		cmocka_unit_test(one_that_is_deaf),
		cmocka_unit_test(one_that_leaves_a_child),
		cmocka_unit_test(asked_and_answered),
		cmocka_unit_test(what_was_interrupted_twice),
		cmocka_unit_test(cancelling_ends_all),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
