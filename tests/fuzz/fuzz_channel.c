/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link: -Wl,--wrap=log_line -Wl,--wrap=kill */
/* Any messages of a worker, one a line: received or refused, done as they ask, taken into a
 * report, told to a person. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "attrs.h"
#include "channel.h"
#include "crew.h"
#include "nodejson.h"
#include "reporttext.h"
#include "settings_parse.h"

#define MEMORY_KIB (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_kill(pid_t pid, int sig);
void __wrap_log_line(const char *fmt, ...) printf_like(1, 2);

void __wrap_log_line(const char *fmt, ...)
{
	(void)fmt;
}

int __wrap_kill(pid_t pid, int sig)
{
	(void)pid;
	(void)sig;
	return 0;
}

static void report(struct results *r)
{
	static const struct sweep_facts facts = { .version = "0" };
	json_object *whole = results_report(r, &facts);
	char line[1024], *text = NULL;
	size_t length;
	FILE *f = open_memstream(&text, &length);

	if (!f)
		abort();
	results_summary(whole, line, sizeof(line));
	reporttext_write(f, whole, false);
	results_break(whole, "x", "y");
	fclose(f);
	free(text);
	json_object_put(whole);
}

/* Sends one line to the supervisor's end, and reads away what it answers. */
static void say(struct crew *c, struct worker *w, int end, const uint8_t *line, size_t size)
{
	json_object *message = NULL;
	char answer[4096];

	if (size == 0 || size > 2 * CHANNEL_MESSAGE_MAX || send(end, line, size, 0) < 0)
		return;
	if (channel_receive(w->fd, &message) > 0) {
		if (!json_object_is_type(message, json_type_object))
			abort();
		crew_take(c, w, message);
		json_object_put(message);
	}
	while (recv(end, answer, sizeof(answer), MSG_DONTWAIT) >= 0)
		;
}

static void talk(struct crew *c, struct worker *w, int end, const uint8_t *data, size_t size)
{
	while (size) {
		const uint8_t *newline = memchr(data, '\n', size);
		size_t n = newline ? (size_t)(newline - data) : size;

		say(c, w, end, data, n);
		n += newline != NULL;
		data += n;
		size -= n;
	}
	if (w->scope->n_lacks > MAX_LACKS)
		abort();
	json_object_object_foreach(w->nodes, key, node) {
		(void)key;
		nodes_put(c->s->results->nodes, json_object_get(node));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int ends[2] = { -1, -1 };
	static const struct crypttab no_keys;
	static struct settings settings;
	struct walk_env env = { .settings = &settings, .crypttab = &no_keys };
	struct scopes scopes = { .s = calloc(1, sizeof(struct scope *)), .n = 1 };
	struct results results;
	struct schedule s = { .scopes = &scopes, .env = &env, .locks = locks_new(MEMORY_KIB),
			      .results = &results };
	struct worker worker = { .pid = 1, .nodes = nodes_new() };
	struct worker *workers[] = { &worker };
	struct crew c = { .s = &s, .w = workers, .n = 1 };
	struct err e;

	if (ends[0] < 0 && (channel_make(ends, &e) < 0 || settings_defaults(&settings, &e) < 0))
		abort();
	scopes.s[0] = worker.scope = calloc(1, sizeof(struct scope));
	worker.fd = ends[1];
	if (results_init(&results) < 0 || !s.locks || !worker.scope)
		abort();
	talk(&c, &worker, ends[0], data, size);
	report(&results);
	json_object_put(worker.nodes);
	json_object_put(worker.asked);
	results_free(&results);
	locks_free(s.locks);
	scopes_free(&scopes);
	return 0;
}
