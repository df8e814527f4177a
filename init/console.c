/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "machine.h"

#define LOG_FILE RUN_FOLDER "/console.log"
#define REOPEN_MS 1000
#define LAST_LINES 2048
#define PIECE 1024
/* What the kernel still says: emergencies and alerts. */
#define KERNEL_LEVEL "2"

void console_catch(struct console *c)
{
	int own[2], children[2];

	c->own_fd = c->children_fd = c->child_write = c->log_fd = c->line_of = -1;
	if (pipe2(own, O_CLOEXEC | O_NONBLOCK) < 0 || pipe2(children, O_CLOEXEC) < 0)
		return;
	fcntl(children[0], F_SETFL, O_NONBLOCK);
	dup2(own[1], STDOUT_FILENO);
	dup2(own[1], STDERR_FILENO);
	close(own[1]);
	c->own_fd = own[0];
	c->children_fd = children[0];
	c->child_write = children[1];
}

static void open_one(struct console_out *o)
{
	char path[sizeof("/dev/") + CONSOLE_NAME_MAX];

	snprintf(path, sizeof(path), "/dev/%s", o->name);
	o->open_ms = now_ms();
	/* Non-blocking also for the open: a line without a carrier would wait. */
	o->fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (o->fd >= 0)
		console_set_speed(o->fd, o->name);
}

static void add_console(struct console *c, const char *name)
{
	struct console_out *o;
	unsigned i;

	for (i = 0; i < c->n; i++)
		if (!strcmp(c->out[i].name, name))
			return;
	if (c->n == CONSOLES_MAX)
		return;
	o = &c->out[c->n++];
	snprintf(o->name, sizeof(o->name), "%s", name);
	open_one(o);
}

void console_open(struct console *c)
{
	char names[CONSOLES_MAX][CONSOLE_NAME_MAX];
	unsigned n = consoles_active(names, CONSOLES_MAX), i;

	for (i = 0; i < n; i++)
		add_console(c, names[i]);
	if (!c->n)
		add_console(c, "console");
	if (c->log_fd < 0) {
		c->log_fd = open(LOG_FILE, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		c->log_left = CONSOLE_LOG_LIMIT;
	}
}

void console_quiet_kernel(const char *cmdline)
{
	static const char *const asked[] = { "loglevel=", "ignore_loglevel", "debug" };
	cleanup_fd int fd = -1;
	const char *s;
	size_t i;

	for (s = cmdline; *(s += strspn(s, " \n")); s += strcspn(s, " \n"))
		for (i = 0; i < ARRAY_SIZE(asked); i++)
			if (!strncmp(s, asked[i], strlen(asked[i])))
				return;
	fd = open("/proc/sys/kernel/printk", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, KERNEL_LEVEL, 1) < 0)
		return;
}

static void drop(struct console_out *o, size_t n)
{
	o->start = (o->start + n) % CONSOLE_BUFFER;
	o->used -= n;
	o->dropped += n;
}

void console_trim(struct console_out *o, size_t keep)
{
	if (o->used <= keep)
		return;
	drop(o, o->used - keep);
	while (o->used && o->ring[(o->start + CONSOLE_BUFFER - 1) % CONSOLE_BUFFER] != '\n')
		drop(o, 1);
}

void console_add(struct console_out *o, const char *p, size_t n)
{
	size_t end, piece;

	if (n > CONSOLE_BUFFER / 2) { /* never: pump reads less at a time */
		p += n - CONSOLE_BUFFER / 2;
		n = CONSOLE_BUFFER / 2;
	}
	console_trim(o, CONSOLE_BUFFER - n);
	end = (o->start + o->used) % CONSOLE_BUFFER;
	piece = n < CONSOLE_BUFFER - end ? n : CONSOLE_BUFFER - end;
	memcpy(o->ring + end, p, piece);
	memcpy(o->ring, p + piece, n - piece);
	o->used += n;
}

/* A tty is hung up when a shell that had it ends: then it is opened anew. */
static void lost(struct console_out *o)
{
	close(o->fd);
	o->fd = -1;
	if (now_ms() - o->open_ms >= REOPEN_MS)
		open_one(o);
}

static bool tell_dropped(struct console_out *o)
{
	char note[80];
	int n = snprintf(note, sizeof(note), "\n[%lu bytes dropped: this console is too slow]\n",
			 o->dropped);

	if (write(o->fd, note, (size_t)n) <= 0)
		return false;
	o->dropped = 0;
	return true;
}

static size_t next_piece(const struct console_out *o)
{
	size_t n = CONSOLE_BUFFER - o->start;

	n = n < o->used ? n : o->used;
	return n < PIECE ? n : PIECE;
}

/* A screen draws while it is written to, however non-blocking: so in pieces, and
 * not for long, or a long report would keep PID 1 from its turn. */
static void out_pump(struct console_out *o)
{
	int64_t until_ms = now_ms() + CONSOLE_TURN_MS;

	if (o->fd < 0 && o->used && now_ms() - o->open_ms >= REOPEN_MS)
		open_one(o);
	errno = 0;
	while (o->fd >= 0 && o->used && now_ms() < until_ms) {
		ssize_t n;

		if (o->dropped && !tell_dropped(o))
			break;
		n = write(o->fd, o->ring + o->start, next_piece(o));
		if (n <= 0)
			break;
		errno = 0;
		o->start = (o->start + (size_t)n) % CONSOLE_BUFFER;
		o->used -= (size_t)n;
	}
	if (o->fd >= 0 && o->used && errno && errno != EAGAIN)
		lost(o);
}

static void keep_in_log(struct console *c, const char *p, size_t n)
{
	if (n > c->log_left)
		n = c->log_left;
	if (c->log_fd >= 0 && n && write(c->log_fd, p, n) > 0)
		c->log_left -= n;
}

static void to_all(struct console *c, const char *p, size_t n)
{
	unsigned i;

	for (i = 0; i < c->n; i++)
		console_add(&c->out[i], p, n);
	keep_in_log(c, p, n);
}

/* Takes at most some pieces at a time: a child that never stops talking must
 * not keep PID 1 from the rest of its turn. */
static void in_pump(struct console *c, int fd)
{
	char buf[4096];
	int rounds;

	for (rounds = 0; rounds < 16; rounds++) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n <= 0)
			return;
		if (c->line_of >= 0 && c->line_of != fd)
			to_all(c, "\n", 1);
		to_all(c, buf, (size_t)n);
		c->line_of = buf[n - 1] == '\n' ? -1 : fd;
	}
}

void console_pump(struct console *c)
{
	unsigned i;

	in_pump(c, c->children_fd);
	in_pump(c, c->own_fd);
	for (i = 0; i < c->n; i++)
		out_pump(&c->out[i]);
}

bool console_is_behind(const struct console *c)
{
	unsigned i;

	for (i = 0; i < c->n; i++)
		if (c->out[i].used)
			return true;
	return false;
}

void console_flush(struct console *c, int limit_ms)
{
	int64_t start = now_ms();
	bool trimmed = false;
	unsigned i;

	for (;;) {
		int64_t passed = now_ms() - start;

		console_pump(c);
		if (!console_is_behind(c) || passed >= limit_ms)
			return;
		for (i = 0; i < c->n && !trimmed && passed >= limit_ms / 2; i++)
			console_trim(&c->out[i], LAST_LINES);
		trimmed = passed >= limit_ms / 2;
		poll(NULL, 0, CONSOLE_RETRY_MS);
	}
}
