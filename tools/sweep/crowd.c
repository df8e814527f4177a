/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 8      /* things */
#define CHILDREN 6
#define LIMIT_MS 20000

static void do_some(size_t n, size_t first, bool (*work)(size_t i, void *arg), void *arg)
{
	bool done = true;
	size_t i;

	for (i = first; i < n; i += CHILDREN)
		done &= work(i, arg);
	_exit(done ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Until none of them holds the other end of the pipe any more, or the time is over. */
static bool have_ended(int held_by_all)
{
	struct pollfd p = { .fd = held_by_all };

	while (poll(&p, 1, LIMIT_MS) < 0 && errno == EINTR)
		;
	return p.revents;
}

bool crowd_do(size_t n, bool (*work)(size_t i, void *arg), void *arg)
{
	int held_by_all[2], status;
	pid_t pid[CHILDREN];
	bool in_time, done;
	size_t i;

	if (n < MANY || pipe2(held_by_all, O_CLOEXEC) < 0)
		return false;
	for (i = 0; i < CHILDREN; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			do_some(n, i, work, arg);
	}
	close(held_by_all[1]);
	in_time = done = have_ended(held_by_all[0]);
	close(held_by_all[0]);
	for (i = 0; i < CHILDREN; i++) {
		status = -1;
		if (pid[i] > 0 && !in_time)
			kill(pid[i], SIGKILL);
		while (pid[i] > 0 && waitpid(pid[i], &status, 0) < 0 && errno == EINTR)
			;
		done &= status == 0;
	}
	return done;
}
