/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>


#include <linux/sched.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"
#include "sandbox_start.h"
#include "sandbox_steps.h"
#include "secret.h"

#define FIRST_UID 0x40000000u
#define UIDS 0x40000000u
#define NAMESPACES (CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWCGROUP) /* and sandbox_base.c */
#define NOBODY_ELSES (CLONE_NEWNET | CLONE_NEWIPC) /* making a network takes longer than all the rest */
#define STATUS_MAX 8192
#define START_S 20 /* for a child to come to its program or code */

/* Counted by all processes of the sweep together, from anywhere on: another program of ours may run on the same host. */
static unsigned *uids_used;
static bool cut_off; /* this process has no network and no IPC with others: neither have its sandboxes */

static unsigned *shared_counter(void)
{
	void *p = mmap(NULL, sizeof(unsigned), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (getrandom(p, sizeof(unsigned), GRND_NONBLOCK) < 0)
		memset(p, 0, sizeof(unsigned));
	return p;
}

/* What all processes of the sweep count together. */
static int share(struct err *e)
{
	if (!uids_used)
		uids_used = shared_counter();
	return uids_used && sandbox_share_cgroups() == 0 ? 0 : err_set(e, ENOMEM, "no memory for a sandbox");
}

void sandbox_prepare(void)
{
	struct err e;

	if (share(&e) < 0 || sandbox_make_base(&e) < 0)
		log_line("%s", e.text);
	sandbox_cut_off();
	if (sandbox_landlock_version() == 0)
		log_line("this kernel has no Landlock; the sandboxes do without");
	if (access("/sys/fs/cgroup/sweep/memory.max", F_OK) < 0)
		log_line("this kernel limits no memory by cgroup; the sandboxes do without");
}

void sandbox_cut_off(void)
{
	if (unshare(NOBODY_ELSES) == 0)
		cut_off = true;
	else
		log_line("a network of its own for the sweep: %s", strerror(errno));
}

static void release_plan(struct sandbox_plan *p)
{
	size_t i;

	for (i = 0; p->trees && i < p->s->n_files; i++)
		if (p->trees[i] >= 0)
			close(p->trees[i]);
	free(p->trees);
	free(p->devices);
	if (p->cgroup >= 0)
		close(p->cgroup);
}

static int make_plan(struct sandbox_plan *p, const struct sandbox *s, int program, struct err *e)
{
	int rc;

	*p = (struct sandbox_plan){ .s = s, .cgroup = -1, .group = -1, .program = program };
	if (share(e) < 0)
		return -e->code;
	p->number = FIRST_UID + __atomic_fetch_add(uids_used, 1, __ATOMIC_RELAXED) % UIDS;
	p->uid = s->profile->capabilities ? 0 : p->number;
	rc = sandbox_make_base(e);
	if (rc == 0)
		rc = sandbox_find_devices(p, e);
	if (rc == 0)
		rc = sandbox_open_files(p, e);
	if (rc == 0)
		sandbox_take_cgroup(p);
	return rc;
}

/* fork(2) into new namespaces, and into the cgroup. */
static pid_t fork_into(const struct sandbox_plan *p)
{
	struct clone_args args = { .flags = NAMESPACES | (cut_off ? 0 : NOBODY_ELSES), .exit_signal = SIGCHLD };

	if (p->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned)p->cgroup;
	}
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* Its parent is outside of its PID namespace, so that getppid(2) does not tell whether it is still
 * there: nobody reads the pipe then. */
static int die_with_parent(int pipe_to_parent, struct err *e)
{
	struct pollfd p = { .fd = pipe_to_parent };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(e, errno, "parent-death signal: %s", strerror(errno));
	if (poll(&p, 1, 0) > 0 && (p.revents & POLLERR))
		_exit(127);
	return 0;
}

static int enter(const struct sandbox_plan *p, int pipe_to_parent, struct err *e)
{
	const char *score = p->s->profile->oom_score_adj;
	int rc = file_set("/proc/self/oom_score_adj", score ? score : "1000", e);

	umask(022);
	if (rc == 0)
		rc = sandbox_make_root(p, e);
	if (rc == 0)
		rc = sandbox_set_limits(p, e);
	if (rc == 0)
		rc = sandbox_drop_rights(p, e);
	/* becoming another user has cleared it */
	if (rc == 0)
		rc = die_with_parent(pipe_to_parent, e);
	if (rc == 0)
		rc = sandbox_restrict_files(p, e);
	if (rc == 0)
		rc = sandbox_restrict_calls(p, e);
	return rc;
}

pid_t sandbox_start(const struct sandbox *s, int program, sandbox_code code, void *arg, struct err *e)
{
	cleanup_fd int from_child = -1, to_parent = -1;
	struct sandbox_plan plan;
	int p[2], rc;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set(e, errno, "pipe: %s", strerror(errno));
	from_child = p[0];
	to_parent = p[1];
	rc = make_plan(&plan, s, program, e);
	if (rc < 0) {
		release_plan(&plan);
		return rc;
	}
	pid = fork_into(&plan);
	if (pid == 0) {
		close(from_child);
		if (sandbox_enter_base(e) < 0)
			sandbox_give_up(to_parent, e);
		code(&plan, to_parent, arg);
		_exit(127);
	}
	rc = pid < 0 ? err_set(e, errno, "no sandbox: %s", strerror(errno)) : 0;
	if (rc < 0)
		sandbox_give_back(plan.group);
	release_plan(&plan);
	if (rc < 0)
		return rc;
	close(steal_fd(&to_parent));
	rc = sandbox_await(pid, from_child, e);
	return rc < 0 ? err_wrap(e, "sandbox") : pid;
}

int sandbox_await(pid_t pid, int from_child, struct err *e)
{
	struct pollfd p = { .fd = from_child, .events = POLLIN };
	struct err why = { 0 };
	int n;

	while ((n = poll(&p, 1, START_S * 1000)) < 0 && errno == EINTR)
		;
	if (n > 0 && read(from_child, &why, sizeof(why)) != sizeof(why))
		return 0;
	if (n <= 0) {
		kill(pid, SIGKILL);
		err_set(&why, ETIMEDOUT, "it has not started within %d s", START_S);
	}
	sandbox_wait(pid);
	why.text[sizeof(why.text) - 1] = 0;
	return err_set(e, why.code, "%s", why.text);
}

void sandbox_enter(const struct sandbox_plan *p, int pipe_to_parent)
{
	struct err e = { 0 };

	if (enter(p, pipe_to_parent, &e) < 0)
		sandbox_give_up(pipe_to_parent, &e);
}

void sandbox_give_up(int pipe_to_parent, const struct err *e)
{
	if (write(pipe_to_parent, e, sizeof(*e)) < 0) {
		/* the parent sees exit status 127 */
	}
	_exit(127);
}

/* ---- code of ours ---- */

struct own_code {
	const int *fds;
	size_t n;
	void (*code)(void *arg);
	void *arg;
};

static void run_own_code(const struct sandbox_plan *p, int pipe_to_parent, void *arg)
{
	const struct own_code *own = arg;

	secret_leave_behind();
	sandbox_descriptors(p, own->fds, own->n, pipe_to_parent);
	sandbox_enter(p, SANDBOX_PIPE_FD);
	close(SANDBOX_PIPE_FD);
	own->code(own->arg);
	_exit(EXIT_SUCCESS);
}

pid_t sandbox_fork(const struct sandbox *s, const int *fds, size_t n, void (*code)(void *arg), void *arg,
		   struct err *e)
{
	struct own_code own = { .fds = fds, .n = n, .code = code, .arg = arg };

	return sandbox_start(s, -1, run_own_code, &own, e);
}

/* ---- its end ---- */

/* true where a handler for sig is set. */
static bool catches(pid_t pid, int sig)
{
	cleanup_free char *text = NULL;
	char path[64], *at;
	struct err e;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (file_read(path, STATUS_MAX, &text, NULL, &e) < 0)
		return false;
	at = strstr(text, "\nSigCgt:");
	return at && (strtoull(at + strlen("\nSigCgt:"), NULL, 16) & 1ULL << (sig - 1));
}

void sandbox_terminate(pid_t pid)
{
	kill(pid, catches(pid, SIGTERM) ? SIGTERM : SIGKILL);
}

int sandbox_wait(pid_t pid)
{
	int status = -1, group;
	siginfo_t info;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	group = sandbox_group(pid);
	waitpid(pid, &status, 0);
	/* as long as it isn't waited for it counts as one of its group's processes */
	sandbox_give_back(group);
	return status;
}
