/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "consoles.h"
#include "lineedit.h"
#include "log.h"

#define TICK_MS 200
#define END_OF_TEXT 0x04 /* Ctrl-D, which the kernel tells as an empty read */

struct seat {
	int fd;
	struct termios before;
	struct secret *memory;
	struct line line;
};

struct room {
	struct seat seat[CONSOLES_MAX];
	unsigned n;
};

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static void throw_away_input(int fd)
{
	char key;

	while (read(fd, &key, 1) == 1)
		;
}

/* Nothing is shown, and what was typed before is thrown away. The kernel wipes its own copy of a line only where
 * it is a whole one and not echoed (zero_buffer() of drivers/tty/n_tty.c). */
static bool sit_down(struct seat *s, const char *name)
{
	char path[sizeof("/dev/") + CONSOLE_NAME_MAX];
	struct termios mode;
	struct err e;

	snprintf(path, sizeof(path), "/dev/%s", name);
	s->memory = secret_new(LINE_MAX_BYTES, &e);
	if (!s->memory)
		return false;
	s->line = (struct line){ .text = secret_bytes(s->memory) };
	s->fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (s->fd >= 0 && tcgetattr(s->fd, &s->before) == 0) {
		mode = s->before;
		mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ISIG | IEXTEN);
		mode.c_lflag |= ICANON;
		mode.c_iflag &= ~(tcflag_t)(IXON | IXOFF | INLCR | IGNCR);
		mode.c_iflag |= ICRNL | IUTF8;
		if (tcsetattr(s->fd, TCSAFLUSH, &mode) == 0) {
			throw_away_input(s->fd);
			return true;
		}
	}
	if (s->fd >= 0)
		close(s->fd);
	secret_free(s->memory);
	return false;
}

static void stand_up(struct seat *s)
{
	tcsetattr(s->fd, TCSAFLUSH, &s->before);
	close(s->fd);
	secret_free(s->memory);
}

static void take_seats(struct room *r)
{
	char names[CONSOLES_MAX][CONSOLE_NAME_MAX] = { "console" };
	unsigned n = consoles_active(names, CONSOLES_MAX), i;

	r->n = 0;
	for (i = 0; i < (n ? n : 1); i++)
		if (sit_down(&r->seat[r->n], names[i]))
			r->n++;
}

/* Takes the line that was typed there. */
static enum line_end read_keys(struct seat *s)
{
	enum line_end end = LINE_GOES_ON;
	unsigned char key;
	ssize_t n;

	while (end == LINE_GOES_ON && (n = read(s->fd, &key, 1)) >= 0)
		end = line_take(&s->line, n ? key : END_OF_TEXT);
	if (end == LINE_DONE && s->line.is_too_long) {
		log_line("that is longer than %d bytes, the most a passphrase may have", LINE_MAX_BYTES);
		line_take(&s->line, 'U' & 0x1f);
		end = LINE_GOES_ON;
	}
	return end == LINE_DONE && s->line.n == 0 ? LINE_GOES_ON : end;
}

/* Waits for the first line from any seat. Returns it; NULL and e. */
static struct seat *listen(struct room *r, unsigned timeout_s, bool (*stop)(void), struct err *e)
{
	long end = now_ms() + timeout_s * 1000L;
	struct pollfd p[CONSOLES_MAX];
	unsigned i;

	for (i = 0; i < r->n; i++)
		p[i] = (struct pollfd){ .fd = r->seat[i].fd, .events = POLLIN };
	while (!stop() && (!timeout_s || now_ms() < end)) {
		if (poll(p, r->n, TICK_MS) <= 0)
			continue;
		for (i = 0; i < r->n; i++) {
			enum line_end how = LINE_GOES_ON;

			if (p[i].revents & ~POLLIN)
				p[i].fd = -1; /* hung up */
			else if (p[i].revents)
				how = read_keys(&r->seat[i]);
			if (how == LINE_DONE)
				return &r->seat[i];
			if (how == LINE_GIVEN_UP) {
				err_set(e, ECANCELED, "given up at the console");
				return NULL;
			}
		}
	}
	if (stop())
		err_set(e, ECANCELED, "the sweep was ended");
	else
		err_set(e, ETIMEDOUT, "nobody typed one in %u s", timeout_s);
	return NULL;
}

int prompt_ask(const char *question, unsigned timeout_s, bool (*stop)(void), struct secret **answer,
	       struct err *e)
{
	struct room r;
	struct seat *first;
	unsigned i;
	int rc = 0;

	take_seats(&r);
	if (r.n == 0)
		return err_set(e, ENODEV, "there is no console to type one at");
	log_line("%s", question);
	first = listen(&r, timeout_s, stop, e);
	if (first) {
		*answer = secret_new(first->line.n, e);
		if (*answer)
			memcpy(secret_bytes(*answer), first->line.text, first->line.n);
	}
	if (!first || !*answer)
		rc = -e->code;
	for (i = 0; i < r.n; i++)
		stand_up(&r.seat[i]);
	return rc;
}
