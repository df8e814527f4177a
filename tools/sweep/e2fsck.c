/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "e2fsck.h"

#include <errno.h>
#include <stdio.h>

#include "checkrun.h"
#include "file.h"

#define E2FSCK "/usr/sbin/e2fsck"

#define UNDO_SLACK (64u << 20) /* a checker that meets the limit is killed: never by a sound one */

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

static void build_argv(const struct e2fsck_job *job, enum e2fsck_way way, char words[2][32],
			 const char **argv)
{
	static const char *const how[] = { [E2FSCK_PREEN] = "-p", [E2FSCK_YES] = "-y",
					   [E2FSCK_VERIFY] = "-n" };
	size_t n = 0;

	argv[n++] = E2FSCK;
	argv[n++] = "-f";
	argv[n++] = how[way];
	if (job->backup && way != E2FSCK_VERIFY) {
		snprintf(words[0], sizeof(words[0]), "%llu", (unsigned long long)job->backup->block);
		snprintf(words[1], sizeof(words[1]), "%u", job->backup->block_size);
		argv[n++] = "-b";
		argv[n++] = words[0];
		argv[n++] = "-B";
		argv[n++] = words[1];
	}
	if (job->undo[0] && way != E2FSCK_VERIFY) {
		argv[n++] = "-z";
		argv[n++] = job->undo;
	}
	argv[n++] = job->device;
	argv[n] = NULL;
}

static enum e2fsck_outcome judge(const struct spawn_result *r, const struct checkrun *c)
{
	if (r->how != SPAWN_EXITED)
		return E2FSCK_BROKEN;
	if ((r->code & FSCK_ERROR) && checkrun_said(c, "MMP: device currently active"))
		return E2FSCK_IN_USE;
	return e2fsck_decode(r->code);
}

int e2fsck_run(const struct e2fsck_job *job, enum e2fsck_way way, enum e2fsck_outcome *outcome,
	       struct err *why)
{
	struct checkrun c = { .env = job->env, .node = job->node, .tool = "e2fsck",
			      .package = "e2fsprogs", .device = job->device,
			      .aside = way == E2FSCK_VERIFY, .profile = &sandbox_e2fsck,
			      .writes = way != E2FSCK_VERIFY };
	char words[2][32], how[300];
	const char *argv[12];
	struct sandbox_path undo = { job->undo, true };
	struct spawn_result r;
	int rc = 0;

	build_argv(job, way, words, argv);
	if (job->undo[0] && way != E2FSCK_VERIFY) {
		c.files = &undo;
		c.n_files = 1;
		c.file_bytes = 2 * job->node->bytes + UNDO_SLACK;
		rc = file_append(job->undo, "", 0, why); /* in its sandbox it can't make one */
	}
	if (rc < 0)
		return rc;
	rc = checkrun(&c, argv, &r, why);
	if (rc < 0)
		return rc;
	*outcome = judge(&r, &c);
	err_set_word(why, EIO, r.how == SPAWN_TIMED_OUT ? "timeout" : "tool-failed", "e2fsck: %s",
		     spawn_describe(&r, how, sizeof(how)));
	/* words of e2fsck that its exit status does not carry */
	if (c.io_error || checkrun_said(&c, "Ignore error? yes")) {
		*outcome = E2FSCK_IO_ERROR;
		err_set_word(why, EIO, "io-error",
			     "e2fsck met I/O errors of the device; look at the disks below");
	}
	return 0;
}
