/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"
#include "spawn.h"
#include "spawn_child.h"

#define STUCK_MS 10000 /* for the kernel to let go of a killed one */

int spawn_start(const char *const argv[], const struct spawn_options *o, struct spawn_beside *b,
		struct err *e)
{
	cleanup_fd int out_r = -1, out_w = -1;
	int p[2], rc;
	pid_t pid;

	*b = (struct spawn_beside){ .output = -1, .boxed = o->sandbox != NULL };
	/* it must never wait for somebody to read what it says */
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(e, errno, "pipe: %s", strerror(errno));
	out_r = p[0];
	out_w = p[1];
	rc = spawn_child(argv, o, out_w, out_w, &pid, e);
	if (rc < 0)
		return rc;
	b->pid = pid;
	b->output = steal_fd(&out_r);
	return 0;
}

static bool is_over(const struct spawn_beside *b, int wait_ms)
{
	cleanup_fd int fd = (int)syscall(SYS_pidfd_open, b->pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd < 0 || poll(&p, 1, wait_ms) > 0;
}

bool spawn_has_ended(const struct spawn_beside *b)
{
	return is_over(b, 0);
}

static void keep_output(struct spawn_beside *b, const char *log, struct spawn_result *r)
{
	char text[65536 + 1];
	ssize_t n = read(b->output, text, sizeof(text) - 1);
	struct err e;
	char *last;

	close(b->output);
	b->output = -1;
	if (n <= 0)
		return;
	text[n] = 0;
	if (file_append(log, text, (size_t)n, &e) < 0)
		log_line("%s", e.text);
	if (text[n - 1] == '\n')
		text[n - 1] = 0;
	last = strrchr(text, '\n');
	escape_text(r->tail, sizeof(r->tail), last ? last + 1 : text);
}

int spawn_stop(struct spawn_beside *b, unsigned grace_s, const char *log, struct spawn_result *r,
	       struct err *e)
{
	int status = 0;

	memset(r, 0, sizeof(*r));
	if (!b->pid)
		return 0;
	if (b->boxed)
		sandbox_terminate(b->pid);
	else
		kill(b->pid, SIGTERM);
	if (!is_over(b, (int)grace_s * 1000)) {
		kill(b->pid, SIGKILL);
		if (!is_over(b, STUCK_MS))
			return err_set(e, EBUSY, "process %d can't be ended", b->pid);
		r->how = SPAWN_TIMED_OUT;
	}
	status = sandbox_wait(b->pid);
	if (status >= 0 && r->how != SPAWN_TIMED_OUT)
		spawn_decode(status, r);
	keep_output(b, log, r);
	b->pid = 0;
	return 0;
}
