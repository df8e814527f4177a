/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "e2fsck.h"

#include <errno.h>
#include <sys/types.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "blockdev.h"
#include "cleanup.h"
#include "file.h"
#include "kernellog.h"
#include "spawn.h"

#define E2FSCK "/usr/sbin/e2fsck"
#define LOG_LIMIT (4u << 20)

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

static size_t build_argv(const struct e2fsck_job *job, enum e2fsck_way way, char words[2][32],
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
	return n;
}

/* The verification is not the run that the report is about. */
static void note_run(struct node *n, const char *const *argv, const char *log)
{
	struct check_result *c = &n->check;
	const char *version = "";
	size_t used = 0;

	ext2fs_get_library_version(&version, NULL);
	snprintf(c->tool, sizeof(c->tool), "e2fsck");
	snprintf(c->version, sizeof(c->version), "%s", version);
	snprintf(c->log, sizeof(c->log), "log/%s", log);
	for (; *argv && used < sizeof(c->argv); argv++)
		used += (size_t)snprintf(c->argv + used, sizeof(c->argv) - used, "%s\n", *argv);
}

static void head_line(const char *path, const char *const *argv)
{
	cleanup_file FILE *f = fopen(path, "ae");

	if (!f)
		return;
	fputs("$", f);
	for (; *argv; argv++)
		fprintf(f, " %s", *argv);
	fputc('\n', f);
}

/* Words of e2fsck that its exit status does not carry. */
static bool log_has(const char *path, off_t from, const char *words)
{
	cleanup_free char *text = NULL;
	struct err e;
	size_t size;

	if (file_read(path, 2 * LOG_LIMIT, &text, &size, &e) < 0 || (size_t)from > size)
		return false;
	return memmem(text + from, size - (size_t)from, words, strlen(words)) != NULL;
}

static bool met_io_error(const struct e2fsck_job *job, int device_fd, int mark, const char *log,
			 off_t log_from)
{
	char name[32];
	struct err e;

	if (fsync(device_fd) < 0 || log_has(log, log_from, "Ignore error? yes"))
		return true;
	return mark >= 0 && blockdev_kernel_name(job->device, name, &e) == 0 &&
	       kernellog_has_io_error(mark, name);
}

static enum e2fsck_outcome judge(const struct spawn_result *r, const char *log, off_t from)
{
	if (r->how != SPAWN_EXITED)
		return E2FSCK_BROKEN;
	if ((r->code & FSCK_ERROR) && log_has(log, from, "MMP: device currently active"))
		return E2FSCK_IN_USE;
	return e2fsck_decode(r->code);
}

int e2fsck_run(const struct e2fsck_job *job, enum e2fsck_way way, enum e2fsck_outcome *outcome,
	       struct err *why)
{
	char words[2][32], log[256], name[64], how[300];
	const char *argv[12];
	struct spawn_options o = { .timeout_s = job->env->seconds_left(), .log_path = log,
				   .log_limit = LOG_LIMIT, .cancelled = job->env->cancelled };
	cleanup_fd int device_fd = open(job->device, O_RDONLY | O_CLOEXEC);
	cleanup_fd int mark = kernellog_mark();
	struct spawn_result r;
	struct stat st = { 0 };
	int rc;

	if (device_fd < 0)
		return err_set_word(why, errno, "io-error", "open: %s", strerror(errno));
	snprintf(name, sizeof(name), "%03u-e2fsck.txt", job->node->id);
	snprintf(log, sizeof(log), "%s/%s", job->env->log_dir, name);
	build_argv(job, way, words, argv);
	head_line(log, argv);
	stat(log, &st);
	rc = spawn_run(argv, &o, &r, why);
	if (rc < 0)
		return rc;
	if (way != E2FSCK_VERIFY) {
		note_run(job->node, argv, name);
		job->node->check.exit = r.how == SPAWN_EXITED ? r.code :
					r.how == SPAWN_SIGNALLED ? 128 + r.code : -1;
	}
	*outcome = judge(&r, log, st.st_size);
	err_set_word(why, EIO, r.how == SPAWN_TIMED_OUT ? "timeout" : "tool-failed", "e2fsck: %s",
		     spawn_describe(&r, how, sizeof(how)));
	if (met_io_error(job, device_fd, mark, log, st.st_size)) {
		*outcome = E2FSCK_IO_ERROR;
		err_set_word(why, EIO, "io-error",
			     "e2fsck met I/O errors of the device; look at the disks below");
	}
	return 0;
}
