/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "e2fsck.h"

#include <errno.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>

#include "checkrun.h"
#include "cleanup.h"
#include "file.h"

#define E2FSCK "/usr/sbin/e2fsck"

#define UNDO_SLACK (64u << 20) /* no sound checker comes near the limit */

#define FSCK_NONDESTRUCT 1
#define FSCK_REBOOT 2
#define FSCK_UNCORRECTED 4
#define FSCK_ERROR 8

#define MET_ERRORS "e2fsck met I/O errors of the device; look at the disks below"

/* What it says when it ends with an operational error, and what comes of that; the first that fits counts. Of
 * the undo file it speaks before, as the words of an error are the same whatever file it was. */
static const struct {
	const char *words;
	bool of_undo;
	enum e2fsck_outcome outcome;
	const char *code, *sentence; /* NULL: nothing more is to be said */
} failures[] = {
	{ " while writing the undo file", true, E2FSCK_NO_UNDO, "no-undo", "the undo file could not be written to its end" },
	{ "Undo file corrupt while ", true, E2FSCK_NO_UNDO, "no-undo", "the undo file is damaged" },
	{ "Wrong undo file for this ", true, E2FSCK_NO_UNDO, "no-undo", "the undo file is another filesystem's" },
	{ "No space left on device while trying to open ", true, E2FSCK_NO_UNDO, "no-undo",
	  "there is no room for the undo file" },
	{ "Signal (", false, E2FSCK_BROKEN, "tool-failed", "e2fsck crashed" },
	{ "MMP: device currently active", false, E2FSCK_IN_USE, NULL, NULL },
	{ "Get a newer version of e2fsck", false, E2FSCK_BROKEN, "unsupported-feature",
	  "it has features that this e2fsck does not know" },
	{ "Can't find external journal", false, E2FSCK_BROKEN, "missing-device",
	  "its journal is on another device, or what it says of that is damaged" },
	{ "Bad magic number in super-block while trying to open ", false, E2FSCK_REFUSED, NULL, NULL },
	{ "Superblock checksum does not match superblock while trying to open ", false, E2FSCK_REFUSED, NULL, NULL },
	{ "The ext2 superblock is corrupt while trying to open ", false, E2FSCK_REFUSED, NULL, NULL },
	{ "Block group descriptor size incorrect while trying to open ", false, E2FSCK_REFUSED, NULL, NULL },
	{ "Filesystem revision too high while trying to open ", false, E2FSCK_REFUSED, NULL, NULL },
	/* descriptors where there is no device any more */
	{ "resulted in short read while trying to open ", false, E2FSCK_REFUSED, NULL, NULL },
	/* libext2fs' own words for a bitmap or a table that gave an I/O error */
	{ "Can't read ", false, E2FSCK_IO_ERROR, "io-error", MET_ERRORS },
	{ "Can't write ", false, E2FSCK_IO_ERROR, "io-error", MET_ERRORS },
	{ "emory allocation failed", false, E2FSCK_BROKEN, "no-memory", "e2fsck wanted more memory than there is" },
	{ "Out of memory", false, E2FSCK_BROKEN, "no-memory", "e2fsck wanted more memory than there is" },
};

/* Of an operational error. */
static enum e2fsck_outcome explain(const char *said, size_t size, bool undo, struct err *why)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(failures); i++) {
		if ((failures[i].of_undo && !undo) || !check_has_words(said, size, failures[i].words))
			continue;
		if (failures[i].code)
			err_set_word(why, EIO, failures[i].code, "%s", failures[i].sentence);
		return failures[i].outcome;
	}
	return E2FSCK_BROKEN;
}

enum e2fsck_outcome e2fsck_decode(int status, const char *said, size_t size, bool undo, struct err *why)
{
	if (status & ~(FSCK_NONDESTRUCT | FSCK_REBOOT | FSCK_UNCORRECTED | FSCK_ERROR))
		return E2FSCK_BROKEN;
	if (status & FSCK_ERROR)
		return explain(said, size, undo, why);
	if (status & FSCK_UNCORRECTED)
		return E2FSCK_DAMAGED;
	return status ? E2FSCK_CORRECTED : E2FSCK_CLEAN;
}

bool e2fsck_leaves_some(const char *said, size_t size)
{
	static const char no[] = "? no", optimise[] = "Optimize";
	const size_t before = strlen(optimise);
	const char *at = said, *end = said + size;

	while ((at = memmem(at, (size_t)(end - at), no, strlen(no)))) {
		if ((size_t)(at - said) < before || memcmp(at - before, optimise, before) != 0)
			return true;
		at += strlen(no);
	}
	return check_has_words(said, size, "skipping journal recovery");
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

/* What musl says of EIO, as e2fsck quotes it. The kernel's log alone won't do: it leaves out
 * what repeats itself too often. */
static bool tells_of_error(const char *said, size_t size)
{
	return check_has_words(said, size, ": I/O error") || check_has_words(said, size, "(I/O error)") ||
	       check_has_words(said, size, "Ignore error? yes");
}

/* Of a run whose words can be read. */
static void judge(const struct e2fsck_job *job, enum e2fsck_way way, const struct spawn_result *r,
		  const struct checkrun *c, enum e2fsck_outcome *outcome, struct err *why)
{
	size_t size;
	cleanup_free char *said = checkrun_text(c, &size);
	char how[300];

	err_set_word(why, EIO, checkrun_word(r), "e2fsck: %s", spawn_describe(r, how, sizeof(how)));
	*outcome = E2FSCK_BROKEN;
	if (said && r->how == SPAWN_EXITED)
		*outcome = e2fsck_decode(r->code, said, size, job->undo[0] && way != E2FSCK_VERIFY, why);
	if (c->io_error || (said && *outcome != E2FSCK_NO_UNDO && tells_of_error(said, size))) {
		*outcome = E2FSCK_IO_ERROR;
		err_set_word(why, EIO, "io-error", MET_ERRORS);
	} else if (*outcome == E2FSCK_REFUSED) {
		err_set_word(why, EIO, "bad-header",
			     "its superblock or group descriptors are damaged beyond what e2fsck can work on, and no "
			     "backup of them is good");
	} else if (*outcome == E2FSCK_CLEAN && way == E2FSCK_VERIFY && e2fsck_leaves_some(said, size)) {
		*outcome = E2FSCK_DAMAGED;
	}
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
	judge(job, way, &r, &c, outcome, why);
	return 0;
}
