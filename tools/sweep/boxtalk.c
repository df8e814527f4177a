/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boxtalk.h"

#include <errno.h>
#include <poll.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "spawn.h"

#define TURN_MS 1000

long boxtalk_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

size_t boxtalk_receive(int fd, void *buf, size_t size, long until_ms, bool (*cancelled)(void))
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	long left = until_ms - boxtalk_now_ms();
	size_t got = 0;
	ssize_t n = 1;

	while (got < size && n > 0 && left > 0 && !(cancelled && cancelled())) {
		if (poll(&p, 1, (int)(left < TURN_MS ? left : TURN_MS)) > 0) {
			n = read(fd, (char *)buf + got, size - got);
			got += n > 0 ? (size_t)n : 0;
		}
		left = until_ms - boxtalk_now_ms();
	}
	return got;
}

bool boxtalk_answer(int fd, int32_t rc, const struct err *e, const void *answer, size_t size)
{
	struct boxtalk_head head = { .rc = rc, .e = *e };
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)(uintptr_t)answer, size } };

	return writev(fd, parts, ARRAY_SIZE(parts)) == (ssize_t)(sizeof(head) + size);
}

bool boxtalk_take(int fd, struct boxtalk_head *head, void *answer, size_t size, long until_ms)
{
	return boxtalk_receive(fd, head, sizeof(*head), until_ms, NULL) == sizeof(*head) &&
	       boxtalk_receive(fd, answer, size, until_ms, NULL) == size;
}

int boxtalk_error(int32_t rc, const struct err *theirs, struct err *e)
{
	struct err copy = *theirs;

	copy.text[sizeof(copy.text) - 1] = 0;
	copy.word[sizeof(copy.word) - 1] = 0;
	e->code = rc < 0 && rc >= -4095 ? -rc : EIO;
	escape_text(e->text, sizeof(e->text), copy.text);
	escape_text(e->word, sizeof(e->word), copy.word);
	return -e->code;
}

char *boxtalk_end(int status, char *buf, size_t size)
{
	struct spawn_result r = { .code = 0 };

	r.how = status == -1 ? SPAWN_TIMED_OUT : WIFSIGNALED(status) ? SPAWN_SIGNALLED : SPAWN_EXITED;
	r.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	return spawn_describe(&r, buf, size);
}

int boxtalk_broken(int status, struct err *e)
{
	char how[64];

	return err_set_word(e, EIO, "tool-failed",
			    "what stands on it broke the reader of it (%s); it is left alone",
			    boxtalk_end(status, how, sizeof(how)));
}
