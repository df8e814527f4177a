/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From fork(2) to execve(2), with a sandbox between them or without one. */
#define _GNU_SOURCE
#include "spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "sandbox_start.h"

#define MAX_ENV 16

struct job {
	const char *const *argv;
	const struct spawn_options *o;
	int in, out, err;
};

struct env {
	const char *word[MAX_ENV + 1];
	char listen_pid[32];
};

static const char *const *make_env(const struct spawn_options *o, struct env *env)
{
	static const char *const base[] = { "PATH=/usr/sbin:/usr/bin", "LC_ALL=C", "HOME=/", "TZ=UTC0" };
	size_t n = 0, i;

	for (i = 0; i < ARRAY_SIZE(base); i++)
		env->word[n++] = base[i];
	if (o->socket) {
		snprintf(env->listen_pid, sizeof(env->listen_pid), "LISTEN_PID=%d", getpid());
		env->word[n++] = env->listen_pid;
		env->word[n++] = "LISTEN_FDS=1";
	}
	for (i = 0; o->env && o->env[i] && n < MAX_ENV; i++)
		env->word[n++] = o->env[i];
	env->word[n] = NULL;
	return env->word;
}

static void arrange(const struct job *job, const struct sandbox_plan *p, int pipe_to_parent)
{
	const int fds[] = { job->in, job->out, job->err, job->o->socket };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	setsid();
	sandbox_descriptors(p, fds, job->o->socket ? 4 : 3, pipe_to_parent);
}

static void __attribute__((noreturn)) fail(const char *program)
{
	struct err e;

	err_set(&e, errno, "%s: %s", program, strerror(errno));
	sandbox_give_up(SANDBOX_PIPE_FD, &e);
}

static void become_boxed(const struct sandbox_plan *p, int pipe_to_parent, void *arg)
{
	const struct job *job = arg;
	struct env env;

	arrange(job, p, pipe_to_parent);
	sandbox_enter(p, SANDBOX_PIPE_FD);
	syscall(SYS_execveat, SANDBOX_PROGRAM_FD, "", job->argv, make_env(job->o, &env), AT_EMPTY_PATH);
	fail(job->argv[0]);
}

static void __attribute__((noreturn)) become(const struct job *job, int pipe_to_parent, pid_t parent)
{
	struct env env;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	arrange(job, NULL, pipe_to_parent);
	execve(job->argv[0], (char *const *)job->argv, (char *const *)make_env(job->o, &env));
	fail(job->argv[0]);
}

static int start_boxed(struct job *job, pid_t *pid, struct err *e)
{
	cleanup_fd int program = open(job->argv[0], O_PATH | O_CLOEXEC);

	if (program < 0)
		return err_set(e, errno, "%s: %s", job->argv[0], strerror(errno));
	*pid = sandbox_start(job->o->sandbox, program, become_boxed, job, e);
	return *pid < 0 ? *pid : 0;
}

static int start_plain(const struct job *job, pid_t *pid, struct err *e)
{
	cleanup_fd int from_child = -1, to_parent = -1;
	pid_t parent = getpid();
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set(e, errno, "pipe: %s", strerror(errno));
	from_child = p[0];
	to_parent = p[1];
	*pid = fork();
	if (*pid == 0)
		become(job, to_parent, parent);
	if (*pid < 0)
		return err_set(e, errno, "fork: %s", strerror(errno));
	close(steal_fd(&to_parent));
	return sandbox_await(*pid, from_child, e);
}

int spawn_child(const char *const argv[], const struct spawn_options *o, int out, int err,
		pid_t *pid, struct err *e)
{
	const char *in_path = o->in_path ? o->in_path : "/dev/null";
	cleanup_fd int in = open(in_path, O_RDONLY | O_CLOEXEC);
	struct job job = { .argv = argv, .o = o, .in = in, .out = out, .err = err };

	if (in < 0)
		return err_set(e, errno, "%s: %s", in_path, strerror(errno));
	if (access(argv[0], X_OK) < 0)
		return err_set(e, errno, "%s: %s", argv[0], strerror(errno));
	return o->sandbox ? start_boxed(&job, pid, e) : start_plain(&job, pid, e);
}
