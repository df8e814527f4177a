/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "e2fsck.h"

#include <errno.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>

#include "checkrun.h"
#include "file.h"

#define E2FSCK "/usr/sbin/e2fsck"

#define UNDO_SLACK (64u << 20) /* no sound checker comes near the limit */

#define FSCK_NONDESTRUCT 1
#define FSCK_REBOOT 2
#define FSCK_UNCORRECTED 4
#define FSCK_ERROR 8

enum e2fsck_outcome e2fsck_decode(int status)
{
	if (status & ~(FSCK_NONDESTRUCT | FSCK_REBOOT | FSCK_UNCORRECTED | FSCK_ERROR))
		return E2FSCK_BROKEN;
	if (status & FSCK_ERROR)
		return E2FSCK_REFUSED;
	if (status & FSCK_UNCORRECTED)
		return E2FSCK_DAMAGED;
	return status ? E2FSCK_CORRECTED : E2FSCK_CLEAN;
}

struct run_words {
	char block[32], block_size[32], log[300];
};

static void build_argv(const struct e2fsck_job *job, enum e2fsck_way way, struct run_words *w,
		       const char **argv)
{
	static const char *const how[] = { [E2FSCK_PREEN] = "-p", [E2FSCK_YES] = "-y",
					   [E2FSCK_VERIFY] = "-n" };
	size_t n = 0;

	argv[n++] = E2FSCK;
	argv[n++] = "-f";
	argv[n++] = how[way];
	if (job->backup && way != E2FSCK_VERIFY) {
		snprintf(w->block, sizeof(w->block), "%llu", (unsigned long long)job->backup->block);
		snprintf(w->block_size, sizeof(w->block_size), "%u", job->backup->block_size);
		argv[n++] = "-b";
		argv[n++] = w->block;
		argv[n++] = "-B";
		argv[n++] = w->block_size;
	}
	if (job->undo[0] && way != E2FSCK_VERIFY) {
		argv[n++] = "-z";
		argv[n++] = job->undo;
	}
	if (way != E2FSCK_VERIFY) {
		snprintf(w->log, sizeof(w->log), "problem_log=%s/%03u.problems", job->env->work_dir, job->node->id);
		argv[n++] = "-E";
		argv[n++] = w->log;
	}
	argv[n++] = job->device;
	argv[n] = NULL;
}

/* e2fsck catches its own crash (SIGSEGV, SIGABRT, ...), says so, and exits as if it had refused the filesystem. */
static bool has_crashed(const struct spawn_result *r, const struct checkrun *c)
{
	return r->how != SPAWN_EXITED || (r->code == FSCK_ERROR && checkrun_said(c, "Signal ("));
}

static enum e2fsck_outcome judge(const struct spawn_result *r, const struct checkrun *c)
{
	if (has_crashed(r, c))
		return E2FSCK_BROKEN;
	if ((r->code & FSCK_ERROR) && checkrun_said(c, "MMP: device currently active"))
		return E2FSCK_IN_USE;
	return e2fsck_decode(r->code);
}

/* What musl says of EIO, as e2fsck quotes it. The kernel's log alone won't do: it leaves out
 * what repeats itself too often. */
static bool tells_of_error(const struct checkrun *c)
{
	return checkrun_said(c, ": I/O error") || checkrun_said(c, "(I/O error)");
}

/* The files that it writes are made before: in its sandbox it can't make any. */
static int take_files(struct checkrun *c, const struct e2fsck_job *job, const char *log,
		      struct sandbox_path files[2], struct err *e)
{
	int rc = file_append(log, "", 0, e);

	files[c->n_files++] = (struct sandbox_path){ log, true };
	if (rc == 0 && job->undo[0]) {
		rc = file_append(job->undo, "", 0, e);
		files[c->n_files++] = (struct sandbox_path){ job->undo, true };
	}
	c->files = files;
	c->file_bytes = 2 * job->node->bytes + UNDO_SLACK;
	return rc;
}

int e2fsck_run(const struct e2fsck_job *job, enum e2fsck_way way, enum e2fsck_outcome *outcome,
	       struct err *why)
{
	struct checkrun c = { .env = job->env, .node = job->node, .tool = "e2fsck",
			      .package = "e2fsprogs", .device = job->device,
			      .aside = way == E2FSCK_VERIFY, .profile = &sandbox_e2fsck,
			      .writes = way != E2FSCK_VERIFY };
	struct sandbox_path files[2];
	const char *log, *argv[16];
	struct run_words words;
	char how[300];
	struct spawn_result r;
	int rc = 0;

	build_argv(job, way, &words, argv);
	if (way != E2FSCK_VERIFY)
		rc = take_files(&c, job, words.log + strlen("problem_log="), files, why);
	if (rc < 0)
		return rc;
	rc = checkrun(&c, argv, &r, why);
	if (rc < 0)
		return rc;
	if (way != E2FSCK_VERIFY) {
		log = words.log + strlen("problem_log=");
		problems_read(&job->node->check.problems, log);
		unlink(log);
	}
	*outcome = judge(&r, &c);
	err_set_word(why, EIO, checkrun_word(&r), "e2fsck: %s",
		     spawn_describe(&r, how, sizeof(how)));
	/* words of e2fsck that its exit status does not carry */
	if (c.io_error || tells_of_error(&c) || checkrun_said(&c, "Ignore error? yes")) {
		*outcome = E2FSCK_IO_ERROR;
		err_set_word(why, EIO, "io-error",
			     "e2fsck met I/O errors of the device; look at the disks below");
	} else if (*outcome == E2FSCK_REFUSED && checkrun_said(&c, "does not describe a valid ext2/ext3/ext4")) {
		err_set_word(why, EIO, "bad-header",
			     "its superblock or group descriptors are damaged beyond what e2fsck can work on, and no "
			     "backup of them is good");
	} else if (job->undo[0] && checkrun_said(&c, "while writing the undo file")) {
		*outcome = E2FSCK_NO_UNDO;
		err_set_word(why, ENOSPC, "no-undo",
			     "the undo file could not be written to its end");
	}
	return 0;
}
