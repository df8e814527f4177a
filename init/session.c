/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"
#include "kernelfs.h"
#include "outcome.h"

#define PROGRESS_FD 3
#define REASON_MAX 160

static void __attribute__((noreturn)) become(const char *const argv[], int out, int progress)
{
	static const char *const env[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LC_ALL=C", "TZ=UTC0",
		"GUESTSWEEP_PROGRESS_FD=3", NULL,
	};

	setsid();
	sys_write(SWEEP_GROUP_PROCS, "0");
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	dup2(progress, PROGRESS_FD); /* never 3 itself, which would keep close-on-exec */
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
	syscall(SYS_close_range, PROGRESS_FD + 1, ~0U, 0);
	execve(argv[0], (char *const *)argv, (char *const *)env);
	log_line("%s: %s", argv[0], strerror(errno));
	_exit(127);
}

/* Starts argv as the sweep. Returns 0 or -errno. */
static int start(struct machine *m, const char *const argv[])
{
	int progress[2];
	pid_t pid;

	sweep_group_make();
	/* Non-blocking at both ends: a sign of life is never waited for. */
	if (pipe2(progress, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	console_pump(&m->console);
	m->progress_ms = now_ms();
	pid = loop_fork(m, ROLE_SWEEP);
	if (!pid)
		become(argv, m->console.child_write, progress[1]);
	close(progress[1]);
	if (m->progress_fd >= 0)
		close(m->progress_fd);
	m->progress_fd = progress[0];
	return pid < 0 ? -EAGAIN : 0;
}

/* Kills all that is left of the sweep. */
static void sweep_out(struct machine *m, pid_t group)
{
	int64_t until_ms = now_ms() + KILL_S * 1000;

	kill(-group, SIGKILL);
	sys_write(SWEEP_GROUP "/cgroup.kill", "1");
	loop_wait(m, ROLE_SWEEP, until_ms);
	while (sweep_group_remove() == -EBUSY && now_ms() < until_ms)
		loop_turn(m, now_ms() + 20);
}

/* Ends the sweep the friendly way, then the other. Returns why, or that it is
 * stuck; then it is nobody's child any more. */
static enum ended end(struct machine *m, pid_t group, enum ended why)
{
	kill(-group, SIGTERM);
	loop_wait(m, ROLE_SWEEP, now_ms() + TERM_S * 1000);
	sweep_out(m, group);
	if (!m->child[ROLE_SWEEP].pid)
		return why;
	m->child[ROLE_SWEEP].pid = 0;
	return ENDED_STUCK;
}

/* Waits for the sweep until until_ms. */
static enum ended watch(struct machine *m, int64_t until_ms)
{
	pid_t group = m->child[ROLE_SWEEP].pid;
	bool told = false;

	while (m->child[ROLE_SWEEP].pid) {
		if (now_ms() >= until_ms)
			return end(m, group, ENDED_DEADLINE);
		if (now_ms() - m->progress_ms >= SILENCE_S * 1000)
			return end(m, group, ENDED_SILENT);
		if (m->request != REQUEST_NONE && !told) {
			told = true;
			log_line("Ctrl-Alt-Del: the sweep is told to end");
			kill(-group, SIGTERM);
		}
		loop_turn(m, until_ms);
	}
	sweep_out(m, group);
	return told ? ENDED_ASKED : ENDED_ITSELF;
}

/* Runs the program until until_ms. true when it has done all of its work. */
static bool run(struct machine *m, const char *const argv[], int64_t until_ms, char *how)
{
	enum ended ended = ENDED_NOT_STARTED;

	if (!start(m, argv))
		ended = watch(m, until_ms);
	console_pump(&m->console);
	return outcome_is_complete(ended, m->child[ROLE_SWEEP].status, how, REASON_MAX);
}

void session_run(struct machine *m)
{
	const char *sweep[] = { SWEEP_PROGRAM, NULL };
	char how[REASON_MAX], reason[REASON_MAX + 16];
	const char *aftermath[] = { SWEEP_PROGRAM, "--aftermath", reason, NULL };
	int64_t began_ms = now_ms();
	int64_t deadline_s = m->settings.deadline_s;
	int64_t grace_s = deadline_s < GRACE_LEAST_S ? GRACE_LEAST_S :
			  deadline_s < DEADLINE_GRACE_S ? deadline_s : DEADLINE_GRACE_S;

	if (run(m, sweep, began_ms + (deadline_s + grace_s) * 1000, how))
		return;
	snprintf(reason, sizeof(reason), "the sweep %s", how);
	log_line("%s", reason);
	m->request = REQUEST_NONE;
	if (run(m, aftermath, now_ms() + AFTERMATH_S * 1000, how))
		return;
	log_line("the report could not be finished: the aftermath %s", how);
	log_line("verdict=failed filesystems=0 clean=0 repaired=0 uncorrected=0 skipped=0 "
		 "errors=0 seconds=%lld", (long long)(now_ms() - began_ms) / 1000);
}
