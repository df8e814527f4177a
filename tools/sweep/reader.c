/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boxtalk.h"
#include "cleanup.h"
#include "sandbox.h"
#include "sandbox_profiles.h"

#define LIMIT_S 200    /* for an answer; a host filesystem may have many folders. PID 1 takes the supervisor for stuck after 300 */
#define LIMIT_LEAST_S 10
#define PROCESSOR_S 120
#define READER_SOCKET 0 /* the reader's descriptors; 1 and 2 are nothing */
#define CHILD_DEVICE READER_FD /* the first ones that are free when a question comes */
#define CHILD_ANSWER 4

/* A question on its way; parent and reader are the same program at the same addresses. */
struct message {
	reader_task task;
	uint32_t size;
	struct reader_question q;
};

static unsigned (*seconds_left)(void); /* for all, or NULL */
static pid_t reader; /* 0: none */
static int reader_socket = -1;
static bool one_owner; /* of all that is asked about */

/* ---- in the reader ---- */

/* Returns an exit status. */
static int look(const struct message *m)
{
	cleanup_free void *answer = calloc(1, m->size);
	struct err e = { 0 };
	int rc = answer ? m->task(&m->q, answer, &e) : 0;

	return answer && boxtalk_answer(CHILD_ANSWER, rc, &e, answer, m->size) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Takes a question and its two descriptors. Returns false at the end of all questions. */
static bool take_question(struct message *m, int fds[2])
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { m, sizeof(*m) };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	if (recvmsg(READER_SOCKET, &msg, 0) != sizeof(*m))
		return false;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return false;
	memcpy(fds, CMSG_DATA(c), 2 * sizeof(int));
	return true;
}

/* In a child: what a device has taken over is gone with it. Returns its wait status, that of a failure if there is none. */
static int look_apart(const struct message *m)
{
	/* each C library makes another call of it, and one is on the list */
	pid_t pid = (pid_t)syscall(SYS_fork);
	int status = EXIT_FAILURE << 8;
	struct err e;

	if (pid == 0) {
		close(READER_SOCKET);
		_exit(sandbox_narrow(&sandbox_look, &e) < 0 ? EXIT_FAILURE : look(m));
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	return status;
}

static void serve(void *arg)
{
	static struct message m;
	int fds[2], status; /* as waitpid(2) has it */

	(void)arg;
	while (take_question(&m, fds)) {
		status = EXIT_FAILURE << 8;
		if (fds[0] == CHILD_DEVICE && fds[1] == CHILD_ANSWER)
			status = one_owner ? look(&m) << 8 : look_apart(&m);
		close(fds[0]);
		close(fds[1]);
		if (send(READER_SOCKET, &status, sizeof(status), 0) < 0)
			return;
	}
}

/* ---- outside ---- */

void reader_bound_by(unsigned (*left)(void))
{
	seconds_left = left;
}

static long limit_ms(void)
{
	unsigned left = seconds_left ? seconds_left() : LIMIT_S;

	return 1000L * (left < LIMIT_LEAST_S ? LIMIT_LEAST_S : left < LIMIT_S ? left : LIMIT_S);
}

/* Ends it, where it has not ended by itself. Returns its wait status. */
static int stop(void)
{
	int status;

	close(reader_socket);
	kill(reader, SIGKILL);
	status = sandbox_wait(reader);
	reader = 0;
	return status;
}

void reader_of_one_owner(void)
{
	if (reader)
		close(reader_socket);
	reader = 0;
	one_owner = true;
}

static int start(struct err *e)
{
	struct sandbox box = { .profile = one_owner ? &sandbox_reader_of_one : &sandbox_reader,
			       .seconds = PROCESSOR_S };
	cleanup_fd int ours = -1, theirs = -1, nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	int pair[2], fds[3];
	pid_t pid;

	if (reader)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, errno, "a reader's socket: %s", strerror(errno));
	ours = pair[0];
	theirs = pair[1];
	memcpy(fds, (int[]){ theirs, nothing, nothing }, sizeof(fds));
	pid = sandbox_fork(&box, fds, ARRAY_SIZE(fds), serve, NULL, e);
	if (pid < 0)
		return pid;
	reader = pid;
	reader_socket = steal_fd(&ours);
	return 0;
}

static int send_question(const struct message *m, int device, int answer, struct err *e)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = { 0 } };
	struct iovec part = { (void *)m, sizeof(*m) };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int fds[] = { device, answer };

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	if (sendmsg(reader_socket, &msg, MSG_NOSIGNAL) != sizeof(*m))
		return err_set(e, errno, "the reader is gone: %s", strerror(errno));
	return 0;
}

static int take_answer(int fd, void *answer, size_t size, struct err *e)
{
	long until_ms = boxtalk_now_ms() + limit_ms();
	struct boxtalk_head head;
	bool whole = boxtalk_take(fd, &head, answer, size, until_ms);
	int status = -1;

	if (boxtalk_receive(reader_socket, &status, sizeof(status), until_ms, NULL) != sizeof(status)) {
		bool in_time = boxtalk_now_ms() < until_ms;

		status = stop();
		return boxtalk_broken(in_time ? status : -1, e);
	}
	if (!whole || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return boxtalk_broken(status, e);
	return head.rc == 0 ? 0 : boxtalk_error(head.rc, &head.e, e);
}

/* Asks about what is open as fd. */
static int ask(int fd, reader_task task, const struct reader_question *q, void *answer, size_t size,
	       struct err *e)
{
	cleanup_fd int from_reader = -1, to_us = -1;
	struct message m = { .task = task, .size = (uint32_t)size, .q = *q };
	int p[2], rc = start(e);

	if (rc < 0)
		return rc;
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set(e, errno, "pipe: %s", strerror(errno));
	from_reader = p[0];
	to_us = p[1];
	rc = send_question(&m, fd, to_us, e);
	if (rc < 0) {
		stop();
		return rc;
	}
	close(steal_fd(&to_us));
	return take_answer(from_reader, answer, size, e);
}

int reader_ask(const char *device, reader_task task, const struct reader_question *q, void *answer,
	       size_t size, struct err *e)
{
	cleanup_fd int fd = open(device, O_RDONLY | O_CLOEXEC | (q->past_cache ? O_DIRECT : 0));

	memset(answer, 0, size);
	if (fd < 0)
		return err_set_word(e, errno, "io-error", "open: %s", strerror(errno));
	return ask(fd, task, q, answer, size, e);
}

int reader_nonsense(struct err *e)
{
	return err_set_word(e, EIO, "tool-failed", "the reader of what stands on it gave a wrong answer");
}

int reader_ask_fd(int fd, reader_task task, const struct reader_question *q, void *answer, size_t size,
		  struct err *e)
{
	memset(answer, 0, size);
	if (one_owner && reader)
		stop();
	one_owner = false;
	return ask(fd, task, q, answer, size, e);
}
