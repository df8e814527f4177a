/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "undobox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "boxtask.h"
#include "cleanup.h"
#include "sandbox_profiles.h"
#include "undofile.h"

#define LEAST_S 10 /* also when all time is over: a worker is given a little more to end */

/* ---- in the sandbox ---- */

enum { FILE_FD = BOXTASK_FD, DEVICE_FD };

struct answer {
	unsigned char hash[UNDOFILE_HASH_BYTES];
	unsigned char known;
};

static int hash(const struct undofile *u, struct answer *a, struct err *e)
{
	return undofile_hash(u, DEVICE_FD, a->hash, e);
}

static int know(const struct undofile *u, struct answer *a, struct err *e)
{
	(void)e;
	a->known = undofile_knows_super(u, DEVICE_FD);
	return 0;
}

static int play(const struct undofile *u, struct answer *a, struct err *e)
{
	(void)a;
	return undofile_play(u, DEVICE_FD, e);
}

struct job {
	int (*what)(const struct undofile *u, struct answer *a, struct err *e);
	int flags;        /* that the device is opened with */
	const char *name; /* for an error */
};

static int work(const void *arg, void *answer, struct err *e)
{
	const struct job *job = arg;
	struct undofile u;
	int rc = undofile_open(&u, FILE_FD, e);

	return rc < 0 ? rc : job->what(&u, answer, e);
}

/* ---- outside ---- */

static const struct job hash_job = { hash, O_RDONLY, "reading the undo file" };
static const struct job know_job = { know, O_RDONLY, "reading the undo file" };
static const struct job play_job = { play, O_RDWR, "playing the undo file back" };

static unsigned limit_s(const struct walk_env *env, const struct node *n)
{
	unsigned s = bounds_check_s(n->bytes, env->seconds_left());

	return s < LEAST_S ? LEAST_S : s;
}

static int run(const struct walk_env *env, const struct node *n, const char *path, const struct job *job,
	       struct answer *a, struct err *e)
{
	struct boxtask task = { .profile = &sandbox_undo, .n_fds = 2, .seconds = limit_s(env, n), .name = job->name,
				.work = work, .arg = job };
	cleanup_fd int file = -1, device = -1;
	int rc;

	file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0)
		return err_set_word(e, errno, "bad-undo", "open the undo file: %s", strerror(errno));
	device = open(n->parents[0]->device, job->flags | O_CLOEXEC);
	if (device < 0)
		return err_set_word(e, errno, "io-error", "open: %s", strerror(errno));
	memcpy(task.fds, (int[]){ file, device }, sizeof(task.fds));
	rc = boxtask_run(&task, a, sizeof(*a), e);
	/* whatever it says of itself */
	return rc < 0 && job->flags == O_RDWR ? err_wrap(e, "a part of it may have been written") : rc;
}

int undobox_hash(const struct walk_env *env, const struct node *n, const char *path, char hash_text[UNDOBOX_HASH_SIZE],
		 struct err *e)
{
	struct answer a;
	int rc = run(env, n, path, &hash_job, &a, e);
	size_t i;

	for (i = 0; rc == 0 && i < sizeof(a.hash); i++)
		snprintf(hash_text + 2 * i, 3, "%02x", a.hash[i]);
	return rc;
}

int undobox_knows_super(const struct walk_env *env, const struct node *n, const char *path, bool *known, struct err *e)
{
	struct answer a;
	int rc = run(env, n, path, &know_job, &a, e);

	*known = rc == 0 && a.known != 0;
	return rc;
}

int undobox_play(const struct walk_env *env, const struct node *n, const char *path, struct err *e)
{
	struct answer a;

	return run(env, n, path, &play_job, &a, e);
}
