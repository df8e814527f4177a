/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "fscheck.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "blockdev.h"
#include "checkrun.h"
#include "cleanup.h"
#include "trial.h"

#define REPAIR_RUNS 3 /* one is not always a fixpoint */

/* A filesystem at work, on its own device or on a snapshot of that. */
struct job {
	const struct walk_env *env;
	struct node *node;
	const struct fs_tool *tool;
	const char *device;
	bool may_repair; /* not just preen */

	/* how far it got */
	const char *const *did;    /* the command after which a look found nothing; NULL: none */
	const struct fs_row *end;  /* a command's answer that no further one makes better; NULL: none */
};

/* What the report says of an outcome that needs no second command. */
static const struct {
	enum verdict verdict;
	const char *code, *sentence;
} endings[] = {
	[FS_CLEAN] = { VERDICT_CLEAN, "", "" },
	[FS_BY_HAND] = { VERDICT_UNCORRECTED, "needs-repair", "it has errors that are corrected by hand only" },
	[FS_DIRTY_LOG] = { VERDICT_SKIPPED, "dirty-log",
			   "its log holds changes that only mounting it replays; start the guest and shut it "
			   "down, then check again" },
	[FS_HIBERNATED] = { VERDICT_SKIPPED, "hibernated",
			    "it belongs to a suspended system, which still owns this guest's filesystems" },
	[FS_NEWER] = { VERDICT_ERROR, "unsupported-feature", "it has features that this checker does not know" },
	[FS_PARTS_MISSING] = { VERDICT_ERROR, "missing-device",
			       "other devices belong to it that are not among this guest's disks" },
};

int fscheck_describe(struct walk *w, struct node *n, struct err *e)
{
	(void)w;
	(void)e;
	snprintf(n->type, sizeof(n->type), "%s", n->parents[0]->content.type);
	snprintf(n->name, sizeof(n->name), "%s", n->guest);
	stack_push(n->stack, sizeof(n->stack), n->type);
	return 0;
}

const struct fs_row *fscheck_decode(const struct fs_row *table, int exit, const char *said,
				    size_t size)
{
	static const struct fs_row broken = { .exit = FS_TABLE_END, .outcome = FS_BROKEN };
	const struct fs_row *row;

	for (row = table; row->exit != FS_TABLE_END; row++)
		if (row->exit == exit && check_has_words(said, size, row->words) &&
		    check_has_words(said, size, row->also))
			return row;
	return &broken;
}

/* Runs words on the job's device, and on what belongs to it. Returns 0 and the table's row;
 * -errno and why: the run says nothing of the filesystem. */
static int run(const struct job *j, const char *const *words, const struct fs_row *table, bool aside,
	       const struct fs_row **row, struct err *why)
{
	struct checkrun c = { .env = j->env, .node = j->node, .tool = j->tool->name,
			      .package = j->tool->package, .device = j->device, .aside = aside,
			      .profile = j->tool->profile, .writes = words != j->tool->look };
	const char *argv[FS_WORDS_MAX + MAX_PARENTS + 1] = { NULL };
	cleanup_free char *said = NULL;
	struct spawn_result r;
	size_t n = 0, i, size;
	char how[300];
	int rc;

	while (n < FS_WORDS_MAX && words[n]) {
		argv[n] = words[n];
		n++;
	}
	c.devices = argv + n;
	argv[n++] = j->device;
	for (i = 1; i < j->node->n_parents; i++)
		argv[n++] = j->node->parents[i]->device;
	rc = checkrun(&c, argv, &r, why);
	if (rc < 0)
		return rc;
	if (c.io_error)
		return err_set_word(why, EIO, "io-error", "%s met I/O errors of the device; look at the "
				    "disks below", j->tool->name);
	said = checkrun_text(&c, &size);
	if (!said)
		return err_set(why, EIO, "%s: its log can't be read", j->tool->name);
	*row = fscheck_decode(table, r.how == SPAWN_EXITED ? r.code : FS_TABLE_END, said, size);
	if ((*row)->outcome != FS_BROKEN)
		return 0;
	return err_set_word(why, EIO, checkrun_word(&r), "%s: %s", j->tool->name,
			    spawn_describe(&r, how, sizeof(how)));
}

/* The kernel holds the device read-only for the time of a look, whatever the checker may do. */
static int look(const struct job *j, bool aside, const struct fs_row **row, struct err *e)
{
	bool hold = !j->node->parents[0]->read_only && j->device == j->node->parents[0]->device;
	struct err why;
	int rc = hold ? blockdev_set_read_only(j->device, true, e) : 0;

	if (rc == 0)
		rc = run(j, j->tool->look, j->tool->look_table, aside, row, e);
	if (hold && blockdev_set_read_only(j->device, false, &why) < 0 && rc == 0) {
		*e = why;
		rc = -e->code;
	}
	return rc;
}

static bool is_pending(const struct job *j)
{
	return j->tool->is_pending && j->tool->is_pending(j->device);
}

/* A command for writing, so many times at most, until a look is content. */
static int correct(struct job *j, const char *const *words, int runs, struct err *e)
{
	const struct fs_row *row;
	int rc = 0, i;

	for (i = 0; i < runs && !j->did; i++) {
		rc = run(j, words, j->tool->write_table, false, &row, e);
		if (rc < 0)
			return rc;
		if (row->outcome != FS_DONE) {
			j->end = row;
			return 0;
		}
		rc = look(j, true, &row, e);
		if (rc < 0)
			return err_wrap(e, "the verification after it");
		if (row->outcome == FS_CLEAN && !is_pending(j))
			j->did = words;
	}
	return 0;
}

static int correct_all(struct job *j, struct err *e)
{
	int rc = 0;

	if (j->tool->preen[0])
		rc = correct(j, j->tool->preen, 1, e);
	if (rc == 0 && !j->did && !j->end && j->may_repair && j->tool->repair[0])
		rc = correct(j, j->tool->repair, REPAIR_RUNS, e);
	return rc;
}

/* "fsck.fat -a" */
static const char *spell(const char *const *words, char buf[64])
{
	size_t used = (size_t)snprintf(buf, 64, "%s", strrchr(words[0], '/') + 1), i;

	for (i = 1; i < FS_WORDS_MAX && words[i] && used < 64; i++)
		used += (size_t)snprintf(buf + used, 64 - used, " %s", words[i]);
	return buf;
}

static void tell_row(struct node *n, const struct fs_row *row)
{
	node_verdict(n, endings[row->outcome].verdict, endings[row->outcome].code, "%s",
		     row->sentence ? row->sentence : endings[row->outcome].sentence);
}

static void tell_trial(struct node *n, const struct job *j)
{
	if (j->end)
		tell_row(n, j->end);
	else if (j->did == j->tool->preen)
		node_verdict(n, VERDICT_UNCORRECTED, "would-preen",
			     "it has errors, or was not taken out of use properly; mode preen would correct "
			     "all of it");
	else if (j->did)
		node_verdict(n, VERDICT_UNCORRECTED, "needs-repair",
			     "it has errors; only mode repair would correct it");
	else
		node_verdict(n, VERDICT_UNCORRECTED, "needs-repair",
			     "it has errors; in a trial %s did not correct all of it", j->tool->name);
}

static void tell_change(struct node *n, const struct job *j)
{
	char command[64];

	if (j->end)
		tell_row(n, j->end);
	else if (j->did)
		node_verdict(n, VERDICT_REPAIRED, "",
			     "corrected with %s, and verified after it; there is no undo file, %s makes none",
			     spell(j->did, command), j->tool->name);
	else if (!j->may_repair)
		node_verdict(n, VERDICT_UNCORRECTED, "needs-repair",
			     "it has errors; preen leaves that to a human, mode repair goes further");
	else
		node_verdict(n, VERDICT_UNCORRECTED, "not-converging", "still damaged after %d runs of %s",
			     REPAIR_RUNS, spell(j->tool->repair, command));
}

static int try_on(const char *device, void *arg, struct err *e)
{
	struct job *j = arg;

	j->device = device;
	return correct_all(j, e);
}

static int change(struct job *j, struct err *e)
{
	bool writes = j->tool->preen[0] || (j->may_repair && j->tool->repair[0]);
	int rc;

	if (writes && j->env->undo == UNDO_REQUIRED)
		return err_set_word(e, ENOTSUP, "no-undo",
				    "it has errors; an undo file is required, and %s can't make one; nothing "
				    "is written", j->tool->name);
	rc = correct_all(j, e);
	if (rc == 0)
		tell_change(j->node, j);
	return rc;
}

/* Errors were found. unsure: whether it may be written to shows only in a trial; where the layers
 * below may lack room, that tells how much it takes, too. */
static int see_to(struct walk *w, struct node *n, const struct fs_tool *t, bool unsure, struct err *e)
{
	const char *device = n->parents[0]->device;
	bool writable = !n->parents[0]->read_only && w->env->mode > MODE_CHECK;
	struct job real = { .env = w->env, .node = n, .tool = t, .device = device,
			    .may_repair = w->env->mode == MODE_REPAIR };
	struct job trial = { .env = w->env, .node = n, .tool = t, .may_repair = true };
	uint64_t wrote;
	int rc;

	if (writable && !unsure && trial_has_room(n, n->bytes))
		return change(&real, e);
	rc = trial_run(w, n, try_on, &trial, &wrote, e);
	if (rc < 0)
		return rc;
	tell_trial(n, &trial);
	if (writable && trial.did && (real.may_repair || trial.did == t->preen) &&
	    trial_has_room_or_note(n, wrote))
		return change(&real, e);
	return 0;
}

int fscheck(struct walk *w, struct node *n, const struct fs_tool *t, struct err *e)
{
	struct job j = { .env = w->env, .node = n, .tool = t, .device = n->parents[0]->device };
	uint64_t bytes = n->parents[0]->content.fs_bytes;
	const struct fs_row *row;
	int rc = t->refuse ? t->refuse(n, e) : 0;

	if (rc < 0)
		return rc;
	if (n->n_parents == 1 && bytes > n->bytes)
		return err_set_word(e, EFBIG, "truncated",
				    "the filesystem is larger than its device (%llu and %llu bytes); the "
				    "device was cut off, or its partition table is wrong; nothing is written",
				    (unsigned long long)bytes, (unsigned long long)n->bytes);
	rc = look(&j, false, &row, e);
	if (rc < 0)
		return rc;
	if (row->outcome == FS_DAMAGED || row->outcome == FS_UNSURE || (row->outcome == FS_CLEAN && is_pending(&j)))
		return see_to(w, n, t, row->outcome == FS_UNSURE, e);
	tell_row(n, row);
	return 0;
}
