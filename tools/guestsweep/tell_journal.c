/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "telling.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <json-c/linkhash.h>

#include "cleanup.h"
#include "host.h"
#include "jsonget.h"
#include "log.h"

#define SOCKET_PATH "/run/systemd/journal/socket"
#define MESSAGE_ID "5d7e1d0b3a884f0c9f6f3b6f6c0e9a51" /* of the entry for a sweep, ours alone */
#define ENTRY_MAX 65536 /* a datagram that is taken without further ado */
#define PROBLEMS_MAX 200

struct entry {
	char bytes[ENTRY_MAX];
	size_t used;
};

/* A value with a newline goes with its length in front, as 8 bytes, least significant first. */
static void add_field(struct entry *t, const char *key, const char *value)
{
	size_t n = strlen(value), head = strlen(key) + 1, i;
	bool lines = strchr(value, '\n') != NULL;

	if (t->used + head + 8 + n + 1 > sizeof(t->bytes))
		return;
	t->used += (size_t)sprintf(t->bytes + t->used, "%s%c", key, lines ? '\n' : '=');
	for (i = 0; lines && i < 8; i++)
		t->bytes[t->used++] = (char)((uint64_t)n >> 8 * i);
	memcpy(t->bytes + t->used, value, n);
	t->used += n;
	t->bytes[t->used++] = '\n';
}

static void begin(struct entry *t, const struct news *n, int priority)
{
	char text[8];

	t->used = 0;
	snprintf(text, sizeof(text), "%d", priority);
	add_field(t, "PRIORITY", text);
	add_field(t, "SYSLOG_IDENTIFIER", "guestsweep");
	add_field(t, "GUESTSWEEP_RUN", n->run);
	add_field(t, "GUESTSWEEP_VERDICT", n->verdict);
}

static int priority_of(const char *verdict)
{
	if (strcmp(verdict, "clean") == 0)
		return LOG_INFO;
	if (strcmp(verdict, "repaired") == 0)
		return LOG_NOTICE;
	return strcmp(verdict, "attention") == 0 ? LOG_WARNING : LOG_ERR;
}

static int connect_journal(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char path[PATH_MAX];

	host_path(path, SOCKET_PATH);
	if (fd < 0 || strlen(path) >= sizeof(to.sun_path))
		return -1;
	strcpy(to.sun_path, path);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -1;
	return steal_fd(&fd);
}

static void send_entry(int fd, const struct entry *t)
{
	if (send(fd, t->bytes, t->used, MSG_NOSIGNAL) < 0)
		log_line("the journal does not take it: %s", strerror(errno));
}

/* GUESTSWEEP_FILESYSTEMS and so on, from the report's counts. */
static void add_counts(struct entry *t, json_object *report)
{
	json_object *counts = NULL;
	char name[80], number[24];
	size_t i;

	if (!report || !json_object_object_get_ex(report, "counts", &counts) ||
	    !json_object_is_type(counts, json_type_object))
		return;
	json_object_object_foreach(counts, key, value) {
		snprintf(name, sizeof(name), "GUESTSWEEP_%.40s", key);
		for (i = 0; name[i]; i++)
			name[i] = isalnum((unsigned char)name[i]) ? (char)toupper((unsigned char)name[i]) : '_';
		snprintf(number, sizeof(number), "%lld", (long long)json_object_get_int64(value));
		add_field(t, name, number);
	}
}

void tell_journal(const struct news *n)
{
	static struct entry t;
	json_object *problems = json_array(n->report, "problems");
	cleanup_fd int fd = connect_journal();
	size_t i;

	if (fd < 0) {
		log_line("there is no journal to write to");
		return;
	}
	begin(&t, n, priority_of(n->verdict));
	add_field(&t, "MESSAGE", n->text);
	add_field(&t, "MESSAGE_ID", MESSAGE_ID);
	add_field(&t, "GUESTSWEEP_MODE", json_text(n->report, "mode"));
	add_field(&t, "GUESTSWEEP_SECONDS", json_text(n->report, "seconds"));
	add_counts(&t, n->report);
	send_entry(fd, &t);
	for (i = 0; i < json_length(problems) && i < PROBLEMS_MAX; i++) {
		json_object *p = json_object_array_get_idx(problems, i);

		begin(&t, n, LOG_WARNING);
		add_field(&t, "MESSAGE", json_text(p, "text"));
		add_field(&t, "GUESTSWEEP_CODE", json_text(p, "code"));
		send_entry(fd, &t);
	}
}
