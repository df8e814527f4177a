/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "spawn_child.h"

#define KILL_AFTER_MS 10000

struct capture {
	int fd;             /* read end of the child's pipe, -1 when it has ended */
	int log_fd;         /* -1: not kept */
	size_t log_left;    /* bytes that may still go there */
	bool log_cut;
	size_t total;       /* bytes that came */
	char line[256];     /* the last line so far */
	size_t line_used;
	bool line_done;
	char *out;          /* standard output as a string, or NULL */
	size_t out_used;
	size_t out_limit;
	bool out_too_long;
};

struct running {
	pid_t pid;
	int pidfd;
	struct capture log;     /* standard error, and output unless asked for as a string */
	struct capture string;
};

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static void remember_last_line(struct capture *c, const char *p, size_t n)
{
	const char *last = n > 1 ? memrchr(p, '\n', n - 1) : NULL;

	if (last) { /* what comes before is forgotten at once */
		n -= (size_t)(last - p);
		p = last;
	}
	for (; n; n--, p++) {
		if (*p == '\n') {
			c->line_done = true;
			continue;
		}
		if (c->line_done) {
			c->line_used = 0;
			c->line_done = false;
		}
		if (c->line_used < sizeof(c->line) - 1)
			c->line[c->line_used++] = *p;
	}
}

static void keep_in_log(struct capture *c, const char *p, size_t n)
{
	static const char cut[] = "\n[guestsweep: output cut here, the limit is reached]\n";

	if (c->log_fd < 0)
		return;
	if (n > c->log_left) {
		n = c->log_left;
		if (!c->log_cut && write(c->log_fd, p, n) >= 0 &&
		    write(c->log_fd, cut, sizeof(cut) - 1) >= 0)
			c->log_left = 0;
		c->log_cut = true;
		return;
	}
	if (write(c->log_fd, p, n) == (ssize_t)n)
		c->log_left -= n;
	else
		c->log_left = 0;
}

static void keep_in_string(struct capture *c, const char *p, size_t n)
{
	char *grown;

	if (c->out_too_long || c->out_used + n > c->out_limit) {
		c->out_too_long = true;
		return;
	}
	grown = realloc(c->out, c->out_used + n + 1);
	if (!grown) {
		c->out_too_long = true;
		return;
	}
	c->out = grown;
	memcpy(c->out + c->out_used, p, n);
	c->out_used += n;
	c->out[c->out_used] = 0;
}

/* Takes what is there. to_string: this pipe is the one asked for as a string. */
static void drain(struct capture *c, bool to_string)
{
	char buf[65536];
	ssize_t n = read(c->fd, buf, sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close(c->fd);
		c->fd = -1;
		return;
	}
	c->total += (size_t)n;
	if (to_string) {
		keep_in_string(c, buf, (size_t)n);
	} else {
		remember_last_line(c, buf, (size_t)n);
		keep_in_log(c, buf, (size_t)n);
	}
}

/* Reads what the child has written within wait_ms. Returns whether it has ended. */
static bool listen_to(struct running *r, int wait_ms)
{
	struct pollfd p[3] = { { .fd = r->log.fd, .events = POLLIN },
			       { .fd = r->string.fd, .events = POLLIN },
			       { .fd = r->pidfd, .events = POLLIN } };

	if (poll(p, 3, wait_ms) <= 0)
		return false;
	if (p[0].revents)
		drain(&r->log, false);
	if (p[1].revents)
		drain(&r->string, true);
	return p[2].revents && !p[0].revents && !p[1].revents;
}

static void kill_group(pid_t pid, const struct spawn_options *o, int sig)
{
	if (o->sandbox && sig == SIGTERM) {
		sandbox_terminate(pid);
		return;
	}
	kill(-pid, sig);
	kill(pid, sig);
}

static bool has_flooded(const struct running *r, const struct spawn_options *o)
{
	return o->output_max && r->log.total + r->string.total > o->output_max;
}

/* Waits for the end of the child. Returns whether it had to be ended; *status
 * is then meaningless where the kernel would not let go of it. */
static bool wait_for(struct running *r, const struct spawn_options *o, int *status)
{
	long end = o->timeout_s ? now_ms() + o->timeout_s * 1000L : 0;
	long term_at = 0;

	while (!listen_to(r, 500)) {
		long now = now_ms();

		if (!term_at) {
			if ((end && now >= end) || (o->cancelled && o->cancelled()) ||
			    has_flooded(r, o)) {
				term_at = now;
				kill_group(r->pid, o, SIGTERM);
			}
		} else if (now >= term_at + 2 * KILL_AFTER_MS) {
			return true;
		} else if (now >= term_at + KILL_AFTER_MS) {
			kill_group(r->pid, o, SIGKILL);
		}
	}
	*status = sandbox_wait(r->pid);
	return term_at != 0;
}

static int open_log(const struct spawn_options *o, struct err *e)
{
	int fd;

	if (!o->log_path)
		return -1;
	fd = open(o->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(e, errno, "open %s: %s", o->log_path, strerror(errno));
	return fd;
}

/* Starts the program; r's pipes and pidfd are open then. */
static int start(const char *const argv[], const struct spawn_options *o, struct running *r,
		 struct err *e)
{
	cleanup_fd int log_r = -1, log_w = -1, out_r = -1, out_w = -1;
	int p[2], code, rc;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set(e, errno, "pipe: %s", strerror(errno));
	log_r = p[0];
	log_w = p[1];
	if (o->out) {
		if (pipe2(p, O_CLOEXEC) < 0)
			return err_set(e, errno, "pipe: %s", strerror(errno));
		out_r = p[0];
		out_w = p[1];
	}
	rc = spawn_child(argv, o, out_w >= 0 ? out_w : log_w, log_w, &r->pid, e);
	if (rc < 0)
		return rc;
	r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	if (r->pidfd < 0) {
		code = errno;
		kill(r->pid, SIGKILL);
		waitpid(r->pid, NULL, 0);
		return err_set(e, code, "pidfd_open: %s", strerror(code));
	}
	r->log.fd = steal_fd(&log_r);
	r->string.fd = steal_fd(&out_r);
	return 0;
}

void spawn_decode(int status, struct spawn_result *r)
{
	r->how = WIFSIGNALED(status) ? SPAWN_SIGNALLED : SPAWN_EXITED;
	r->code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void decode(int status, bool ended_by_us, struct spawn_result *r)
{
	spawn_decode(status, r);
	if (ended_by_us) {
		r->how = SPAWN_TIMED_OUT;
		r->code = 0;
	}
}

int spawn_run(const char *const argv[], const struct spawn_options *o, struct spawn_result *r,
	      struct err *e)
{
	struct running run = { .pidfd = -1,
			       .log = { .fd = -1, .log_fd = -1, .log_left = o->log_limit },
			       .string = { .fd = -1, .log_fd = -1, .out_limit = o->out_limit } };
	int status = 0, rc;

	memset(r, 0, sizeof(*r));
	run.log.log_fd = open_log(o, e);
	if (o->log_path && run.log.log_fd < 0)
		return run.log.log_fd;
	rc = start(argv, o, &run, e);
	if (rc == 0) {
		bool ended_by_us = wait_for(&run, o, &status);

		decode(status, ended_by_us, r);
		if (ended_by_us && has_flooded(&run, o)) {
			r->how = SPAWN_FLOODED;
			r->code = (int)(o->output_max >> 20);
		}
		run.log.line[run.log.line_used] = 0;
		escape_text(r->tail, sizeof(r->tail), run.log.line);
		if (run.string.out_too_long)
			rc = err_set(e, EFBIG, "%s wrote more than %zu bytes, or there is no memory for it",
				     argv[0], o->out_limit);
	}
	for (int *fd = (int[]){ run.pidfd, run.log.fd, run.string.fd, run.log.log_fd, -2 }; *fd != -2;
	     fd++)
		if (*fd >= 0)
			close(*fd);
	if (o->out && rc == 0)
		*o->out = run.string.out ? run.string.out : strdup("");
	else
		free(run.string.out);
	return rc;
}

char *spawn_describe(const struct spawn_result *r, char *buf, size_t size)
{
	switch (r->how) {
	case SPAWN_EXITED:
		snprintf(buf, size, "exit status %d%s%s", r->code, r->tail[0] ? ": " : "", r->tail);
		break;
	case SPAWN_SIGNALLED:
		snprintf(buf, size, "killed by signal %d", r->code);
		break;
	case SPAWN_TIMED_OUT:
		snprintf(buf, size, "it did not end in time");
		break;
	case SPAWN_FLOODED:
		snprintf(buf, size, "it wrote more than %d MiB without coming to an end", r->code);
		break;
	case SPAWN_OUT_OF_MEMORY:
		snprintf(buf, size, "it wanted more memory than there is, and was killed for that");
		break;
	}
	return buf;
}
