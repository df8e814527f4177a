/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "boxtask.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "boxtalk.h"
#include "cleanup.h"

#define ANSWER_FD (BOXTASK_FD - 1) /* those before it are nothing */

struct call {
	const struct boxtask *t;
	void *answer;
	size_t size;
};

static void serve(void *arg)
{
	const struct call *c = arg;
	struct err e = { 0 };
	int rc = c->t->work(c->t->arg, c->answer, &e);

	if (!boxtalk_answer(ANSWER_FD, rc, &e, c->answer, c->size))
		_exit(EXIT_FAILURE);
}

static int take(pid_t pid, int from, const struct call *c, struct err *e)
{
	long until_ms = boxtalk_now_ms() + 1000L * c->t->seconds;
	struct boxtalk_head head;
	bool whole = boxtalk_take(from, &head, c->answer, c->size, until_ms);
	bool in_time = boxtalk_now_ms() < until_ms;
	char how[64];
	int status;

	/* it may have answered, or closed the pipe, and not go */
	kill(pid, SIGKILL);
	status = sandbox_wait(pid);
	if (!whole)
		return err_set_word(e, EIO, "tool-failed", "%s broke off in its sandbox (%s)", c->t->name,
				    boxtalk_end(in_time ? status : -1, how, sizeof(how)));
	return head.rc == 0 ? 0 : boxtalk_error(head.rc, &head.e, e);
}

int boxtask_run(const struct boxtask *t, void *answer, size_t size, struct err *e)
{
	const struct sandbox box = { .profile = t->profile, .devices = t->device, .n_devices = t->device ? 1 : 0,
				     .seconds = t->seconds };
	cleanup_fd int from = -1, to = -1, nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	int p[2], fds[BOXTASK_FD + BOXTASK_FDS_MAX];
	struct call call = { t, answer, size };
	pid_t pid;

	memset(answer, 0, size);
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set(e, errno, "pipe: %s", strerror(errno));
	from = p[0];
	to = p[1];
	memcpy(fds, (int[]){ nothing, nothing, nothing, to }, BOXTASK_FD * sizeof(*fds));
	memcpy(fds + BOXTASK_FD, t->fds, t->n_fds * sizeof(*fds));
	pid = sandbox_fork(&box, fds, BOXTASK_FD + t->n_fds, serve, &call, e);
	if (pid < 0)
		return pid;
	close(steal_fd(&to));
	return take(pid, from, &call, e);
}
