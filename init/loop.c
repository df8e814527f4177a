/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernelfs.h"

#define FORK_TRIES 20
#define FORK_PAUSE_MS 250
#define LONGEST_MS 500

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * (int64_t)1000 + ts.tv_nsec / 1000000;
}

void loop_signals(struct machine *m)
{
	sigset_t all;

	sigfillset(&all);
	/* A fault in PID 1 itself must reach the kernel: it panics, and the
	 * machine comes back. Blocked or not, it does. */
	sigprocmask(SIG_SETMASK, &all, NULL);
	m->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	/* Ctrl-Alt-Del then is a SIGINT for PID 1 instead of a hard reset. */
	reboot(RB_DISABLE_CAD);
}

static void take_signals(struct machine *m)
{
	struct signalfd_siginfo si;

	while (read(m->signal_fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGINT || si.ssi_signo == SIGTERM)
			m->request = REQUEST_END;
		else if (si.ssi_signo == SIGUSR1 || si.ssi_signo == SIGUSR2)
			m->request = REQUEST_POWEROFF;
	}
}

static void reap(struct machine *m)
{
	pid_t pid;
	int status, i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < ROLES; i++)
			if (m->child[i].pid == pid) {
				m->child[i].pid = 0;
				m->child[i].status = status;
			}
}

static void take_progress(struct machine *m)
{
	char buf[512];
	ssize_t n = read(m->progress_fd, buf, sizeof(buf));

	if (n > 0) {
		m->progress_ms = now_ms();
	} else if (!n) {
		close(m->progress_fd);
		m->progress_fd = -1;
	}
}

static void take_settled(struct machine *m)
{
	char c;

	if (read(m->settled_fd, &c, 1) < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close(m->settled_fd);
	m->settled_fd = -1;
}

static int turn_ms(const struct machine *m, int64_t until_ms)
{
	int64_t left = until_ms - now_ms();
	int64_t most = console_is_behind(&m->console) ? CONSOLE_RETRY_MS : LONGEST_MS;

	return left < 0 ? 0 : (int)(left < most ? left : most);
}

void loop_turn(struct machine *m, int64_t until_ms)
{
	struct pollfd p[] = {
		{ .fd = m->signal_fd, .events = POLLIN },
		{ .fd = m->console.own_fd, .events = POLLIN },
		{ .fd = m->console.children_fd, .events = POLLIN },
		{ .fd = m->progress_fd, .events = POLLIN },
		{ .fd = m->settled_fd, .events = POLLIN },
	};
	bool alive;

	if (poll(p, ARRAY_SIZE(p), turn_ms(m, until_ms)) > 0) {
		if (p[3].revents)
			take_progress(m);
		if (p[4].revents)
			take_settled(m);
	}
	take_signals(m);
	reap(m);
	console_pump(&m->console);
	alive = !m->child[ROLE_SWEEP].pid ||
		now_ms() - m->progress_ms < (SILENCE_S + TERM_S + KILL_S) * 1000;
	watchdog_turn(&m->watchdog, now_ms(), alive);
}

bool loop_wait(struct machine *m, enum role role, int64_t until_ms)
{
	while (m->child[role].pid && now_ms() < until_ms)
		loop_turn(m, until_ms);
	return !m->child[role].pid;
}

pid_t loop_fork(struct machine *m, enum role role)
{
	sigset_t none;
	pid_t pid;
	int tries;

	for (tries = 0; tries < FORK_TRIES; tries++) {
		pid = fork();
		if (pid >= 0)
			break;
		loop_turn(m, now_ms() + FORK_PAUSE_MS);
	}
	if (pid > 0)
		m->child[role].pid = pid;
	if (!pid) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (role >= ROLE_SHELL) /* whatever a person starts there may be killed */
			sys_write(OOM_SCORE_ADJ, "0");
	}
	return pid;
}
