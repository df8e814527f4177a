/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a child has open: what it is given, at places that are fixed, and nothing else, however many its parent has. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_start.h"
#include "sandbox_steps.h"

#define PLACES_MAX (SANDBOX_FDS_MAX + SANDBOX_FILES_MAX + 2)

_Static_assert(SANDBOX_FDS_MAX <= SANDBOX_FILES_FD, "descriptors where the files go");
_Static_assert(SANDBOX_FILES_FD + SANDBOX_FILES_MAX <= SANDBOX_PIPE_FD, "files where the pipe goes");

struct place {
	int from, to;
};

/* Makes copies of those of p, n of them, that are where its first is to go. Returns 0 or -errno. */
static int make_room(struct place *p, size_t n)
{
	int to = p->to;
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i].from != to)
			continue;
		p[i].from = fcntl(to, F_DUPFD_CLOEXEC, 0);
		if (p[i].from < 0)
			return -errno;
	}
	return 0;
}

/* The first of them is the pipe. */
static void put(struct place *p, size_t n)
{
	int pipe_to_parent = p->from;
	struct err e;

	for (; n; p++, n--) {
		int rc = make_room(p, n);

		if (rc == 0 && dup3(p->from, p->to, p->to < SANDBOX_FILES_FD ? 0 : O_CLOEXEC) < 0)
			rc = -errno;
		if (rc < 0) {
			err_set(&e, -rc, "descriptor %d: %s", p->to, strerror(-rc));
			sandbox_give_up(pipe_to_parent, &e);
		}
		pipe_to_parent = SANDBOX_PIPE_FD;
	}
}

/* All from number first to number last, that one too. */
static void close_all(size_t first, unsigned last)
{
	struct err e;

	if (syscall(SYS_close_range, first, last, 0) == 0)
		return;
	err_set(&e, errno, "descriptors: %s", strerror(errno));
	sandbox_give_up(SANDBOX_PIPE_FD, &e);
}

void sandbox_descriptors(const struct sandbox_plan *p, const int *fds, size_t n, int pipe_to_parent)
{
	size_t n_files = p ? p->s->n_files : 0, i;
	bool has_program = p && p->program >= 0;
	struct place places[PLACES_MAX], *to = places;

	*to++ = (struct place){ pipe_to_parent, SANDBOX_PIPE_FD };
	if (has_program)
		*to++ = (struct place){ p->program, SANDBOX_PROGRAM_FD };
	for (i = 0; i < n; i++)
		*to++ = (struct place){ fds[i], (int)i };
	for (i = 0; i < n_files; i++)
		*to++ = (struct place){ p->trees[i], SANDBOX_FILES_FD + (int)i };
	put(places, (size_t)(to - places));
	close_all(n, SANDBOX_FILES_FD - 1);
	close_all(SANDBOX_FILES_FD + n_files, SANDBOX_PIPE_FD - 1);
	close_all(SANDBOX_PROGRAM_FD + has_program, ~0U);
}
