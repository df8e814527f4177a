/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ext2, ext3 and ext4.
 *
 * Recognises  them by their superblock, or by two backups of one where the
 *             primary is gone.
 * Uses        e2fsck; its own reading of the superblock before.
 * Never       runs e2fsck on a filesystem larger than its device, of features it
 *             does not know, or in use by another system; believes an exit status
 *             without verifying; mounts.
 *
 * What e2fsck does to the volume, by mode: check nothing (it works on a throw-away
 * snapshot), preen -p, repair -p and, where that is not enough, -y.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "e2fsck.h"
#include "looks.h"
#include "mmp.h"
#include "registry.h"
#include "trial.h"
#include "undokeep.h"

#define YES_RUNS 3 /* one -y is not always a fixpoint */
#define DEADLINE_NEAR_S 10

struct ext {
	struct extsuper super;
	bool has_backup; /* the primary superblock is gone, go by this one */
	struct extsuper_backup backup;
	bool refused; /* by -p: E2FSCK_REFUSED */
};

/* How far the runs of e2fsck got. */
enum progress { NOTHING_WRONG, PREEN_DID_IT, YES_DID_IT, PREEN_DID_NOT, YES_DID_NOT };

static bool is_ext_type(const char *type)
{
	return strcmp(type, "ext2") == 0 || strcmp(type, "ext3") == 0 || strcmp(type, "ext4") == 0 ||
	       strcmp(type, "ext4dev") == 0;
}

static enum claim ext_probe(struct walk *w, struct node *device, struct err *e)
{
	const struct content *c = &device->content;
	struct extsuper_backup backup;
	struct extsuper super;

	(void)w;
	(void)e;
	if (is_ext_type(c->type))
		return MINE;
	if (c->type[0] || c->table[0] || c->all_zero)
		return NOT_MINE;
	return look_ext_backup(device->device, device->bytes, &backup, &super) ? MINE : NOT_MINE;
}

static int ext_describe(struct walk *w, struct node *n, struct err *e)
{
	struct node *device = n->parents[0];
	struct ext *x = n->state = calloc(1, sizeof(*x));
	int rc = 0;

	(void)w;
	if (!x)
		return err_set(e, ENOMEM, "no memory for a filesystem");
	x->has_backup = !device->content.type[0];
	if (x->has_backup)
		look_ext_backup(device->device, device->bytes, &x->backup, &x->super);
	else
		rc = look_ext(device->device, &x->super, e);
	snprintf(n->type, sizeof(n->type), "%s",
		 x->has_backup ? x->super.type : device->content.type);
	snprintf(n->name, sizeof(n->name), "%s", n->guest);
	if (x->has_backup)
		memcpy(n->uuid, x->backup.uuid, sizeof(n->uuid));
	n->ext = x->super.facts;
	stack_push(n->stack, sizeof(n->stack), n->type);
	return rc;
}

static void ext_guard(struct walk *w, struct node *const *nodes, size_t n)
{
	cleanup_free const struct extsuper **supers = calloc(n, sizeof(*supers));
	size_t i;

	for (i = 0; supers && i < n; i++) {
		const struct ext *x = nodes[i]->state;

		supers[i] = x && !x->has_backup ? &x->super : NULL;
	}
	if (supers)
		mmp_guard(w, nodes, supers, n);
}

/* What makes e2fsck's answer worthless or dangerous, known before it runs. */
static int refuse(struct node *n, const struct ext *x, struct err *e)
{
	const struct extsuper *s = &x->super;

	if (s->unsupported[0] && !n->parents[0]->content.bad_checksum)
		return err_set_word(e, ENOTSUP, "unsupported-feature",
				    "it has features that this e2fsck does not know: %s", s->unsupported);
	if (s->bytes > n->bytes)
		return err_set_word(e, EFBIG, "truncated",
				    "the filesystem is larger than its device (%llu and %llu bytes); the "
				    "device was cut off, or its partition table is wrong; nothing is written",
				    (unsigned long long)s->bytes, (unsigned long long)n->bytes);
	if (s->journal_uuid[0])
		return err_set_word(e, ENODEV, "missing-device",
				    "its journal is on another device (UUID %s)", s->journal_uuid);
	return 0;
}

/* An answer of e2fsck that is none about the filesystem. Returns 0 if it is one. */
static int no_answer(struct node *n, enum e2fsck_outcome outcome, const struct err *why,
		     struct err *e)
{
	if (outcome == E2FSCK_IN_USE) {
		node_verdict(n, VERDICT_SKIPPED, "in-use",
			     "another system has it mounted (multi-mount protection)");
		return 1;
	}
	if (outcome == E2FSCK_IO_ERROR || outcome == E2FSCK_BROKEN || outcome == E2FSCK_NO_UNDO) {
		*e = *why;
		return -e->code;
	}
	return 0;
}

/* A backup superblock with the UUID of the primary one. */
static bool find_own_backup(const struct node *n, struct ext *x)
{
	struct extsuper ignored;

	return look_ext_backup(n->parents[0]->device, n->bytes, &x->backup, &ignored) &&
	       strcmp(x->backup.uuid, n->uuid) == 0;
}

static int verify(const struct e2fsck_job *job, bool *good, struct err *e)
{
	enum e2fsck_outcome outcome;
	struct extsuper now;
	struct err why = { 0 };
	int rc = e2fsck_run(job, E2FSCK_VERIFY, &outcome, &why);

	/* -n says nothing of a journal to replay, or of the kernel's mark that there are errors */
	*good = outcome == E2FSCK_CLEAN && look_ext(job->device, &now, e) == 0 && !now.is_pending;
	/* one that does not end, though the sweep has time left, has not found it sound */
	if (rc == 0 && outcome == E2FSCK_BROKEN && strcmp(why.word, "timeout") == 0 &&
	    !job->env->cancelled() && job->env->seconds_left() > DEADLINE_NEAR_S)
		return 0;
	if (rc < 0 || outcome == E2FSCK_IO_ERROR || outcome == E2FSCK_BROKEN) {
		*e = why;
		return err_wrap(e, "the verification after it");
	}
	return 0;
}

static int preen(struct node *n, struct ext *x, const struct e2fsck_job *job,
		 enum progress *p, struct err *e)
{
	enum e2fsck_outcome outcome;
	struct err why = { 0 };
	bool good;
	int rc = e2fsck_run(job, E2FSCK_PREEN, &outcome, &why);

	if (rc == 0)
		rc = no_answer(n, outcome, &why, e);
	else
		*e = why;
	if (rc)
		return rc;
	*p = PREEN_DID_NOT;
	x->refused = outcome == E2FSCK_REFUSED;
	if (outcome != E2FSCK_CLEAN && outcome != E2FSCK_CORRECTED)
		return 0;
	if (outcome == E2FSCK_CLEAN && !x->super.is_pending && !problems_corrected(&n->check.problems)) {
		*p = NOTHING_WRONG;
		return 0;
	}
	rc = verify(job, &good, e);
	if (rc == 0 && good)
		*p = PREEN_DID_IT;
	return rc;
}

/* -y until the verification is content. Where it refuses the primary superblock, by a
 * backup of the same filesystem. */
static int force(struct node *n, struct ext *x, struct e2fsck_job *job, enum progress *p,
		 struct err *e)
{
	enum e2fsck_outcome outcome = E2FSCK_BROKEN;
	struct err why = { 0 };
	bool good = false;
	int i, rc = 0;

	*p = YES_DID_NOT;
	for (i = 0; i < YES_RUNS && rc == 0 && !good; i++) {
		rc = e2fsck_run(job, E2FSCK_YES, &outcome, &why);
		if (rc < 0)
			*e = why;
		else
			rc = no_answer(n, outcome, &why, e);
		if (rc == 0 && outcome == E2FSCK_REFUSED && !job->backup && find_own_backup(n, x))
			job->backup = &x->backup;
		else if (rc == 0)
			rc = verify(job, &good, e);
	}
	if (rc)
		return rc;
	if (good) {
		*p = YES_DID_IT;
	} else if (outcome == E2FSCK_REFUSED) {
		*e = why;
		return -e->code;
	}
	return 0;
}

/* Both ways one after the other, on the volume or on the snapshot of it. */
static int go(struct node *n, struct ext *x, struct e2fsck_job *job, bool may_force,
	      enum progress *p, struct err *e)
{
	int rc = 0;

	*p = PREEN_DID_NOT;
	if (!x->has_backup)
		rc = preen(n, x, job, p, e);
	if (rc == 0 && *p == PREEN_DID_NOT && may_force)
		rc = force(n, x, job, p, e);
	return rc;
}

/* In front of why only a repair helps. */
static const char *state_of(const struct node *n)
{
	const struct ext *x = n->state;

	return x->has_backup ? "its primary superblock is gone, backups of it are there" : "it has errors";
}

static void add_reason(struct node *n, const char *words)
{
	size_t used = strlen(n->reason);

	snprintf(n->reason + used, sizeof(n->reason) - used, "; %s", words);
}

/* What e2fsck's problem log comes to, behind the reason. */
static void tell_problems(struct node *n, bool would)
{
	char words[ERR_TEXT_MAX];

	if (*problems_text(&n->check.problems, would, words, sizeof(words)))
		add_reason(n, words);
}

static void tell_trial(struct node *n, enum progress p)
{
	switch (p) {
	case NOTHING_WRONG:
		n->verdict = VERDICT_CLEAN;
		break;
	case PREEN_DID_IT:
		node_verdict(n, VERDICT_UNCORRECTED, "would-preen",
			     "it has errors, or a journal to replay; mode preen would correct all of it");
		tell_problems(n, true);
		break;
	case YES_DID_IT:
		node_verdict(n, VERDICT_UNCORRECTED, "needs-repair",
			     "%s; only mode repair would correct it", state_of(n));
		tell_problems(n, true);
		break;
	case PREEN_DID_NOT:
	case YES_DID_NOT:
		node_verdict(n, VERDICT_UNCORRECTED, "needs-repair",
			     "%s; in a trial even mode repair did not correct all of it", state_of(n));
		break;
	}
}

struct ext_trial {
	struct walk *w;
	struct node *n;
	enum progress progress;
};

static int try_on(const char *device, void *arg, struct err *e)
{
	struct ext_trial *t = arg;
	struct ext *x = t->n->state;
	struct e2fsck_job job = { .env = t->w->env, .node = t->n, .device = device, .undo = "",
				  .backup = x->has_backup ? &x->backup : NULL };

	mmp_clear_copy(device, &x->super);
	return go(t->n, x, &job, true, &t->progress, e);
}

/* The real -p and -y on a snapshot. */
static int trial(struct walk *w, struct node *n, uint64_t *wrote, struct err *e)
{
	struct ext_trial t = { .w = w, .n = n, .progress = PREEN_DID_NOT };
	int rc;

	n->check.problems = (struct problems){ .n = 0 };
	rc = trial_run(w, n, try_on, &t, wrote, e);

	if (rc == 0)
		tell_trial(n, t.progress);
	return rc;
}

static void tell_change(struct node *n, enum progress p, enum mode mode)
{
	switch (p) {
	case NOTHING_WRONG:
		n->verdict = VERDICT_CLEAN;
		break;
	case PREEN_DID_IT:
		node_verdict(n, VERDICT_REPAIRED, "", "preened, and verified after it");
		tell_problems(n, false);
		break;
	case YES_DID_IT:
		node_verdict(n, VERDICT_REPAIRED, "",
			     "repaired with e2fsck -y, and verified after it");
		tell_problems(n, false);
		break;
	case PREEN_DID_NOT:
	case YES_DID_NOT:
		if (mode == MODE_REPAIR)
			node_verdict(n, VERDICT_UNCORRECTED, "not-converging",
				     "still damaged after %d runs of e2fsck -y", YES_RUNS);
		else
			node_verdict(n, VERDICT_UNCORRECTED, "needs-repair",
				     "%s; preen leaves that to a human, mode repair goes further", state_of(n));
		break;
	}
}

/* Both ways on the volume itself; once more without an undo file, where that is allowed and it could not
 * be written. */
static int write_to(struct walk *w, struct node *n, struct ext *x, struct e2fsck_job *job, char *undo,
		    enum progress *p, struct err *e)
{
	bool may_force = w->env->mode == MODE_REPAIR;
	int rc = go(n, x, job, may_force, p, e);

	if (rc == 0 || !undo[0] || strcmp(e->word, "no-undo") != 0)
		return rc;
	n->check.problems = (struct problems){ .n = 0 };
	rc = undokeep_give_up(w, n, undo, e);
	return rc < 0 ? rc : go(n, x, job, may_force, p, e);
}

/* For the volume itself. */
static int change(struct walk *w, struct node *n, struct ext *x, struct err *e)
{
	struct e2fsck_job job = { .env = w->env, .node = n, .device = n->parents[0]->device,
				  .backup = x->has_backup ? &x->backup : NULL };
	enum progress p = PREEN_DID_NOT;
	char undo[UNDO_PATH_SIZE];
	uint64_t wrote;
	int rc = undokeep_begin(w, n, x->super.undo_room, undo, e);

	n->check.problems = (struct problems){ .n = 0 }; /* a trial's, for the room that it takes */
	if (rc < 0)
		return rc;
	job.undo = undo;
	rc = write_to(w, n, x, &job, undo, &p, e);
	/* what -p refuses to work on is tried on a snapshot before it is called damaged */
	if (rc == 0 && p == PREEN_DID_NOT && w->env->mode == MODE_PREEN &&
	    (x->has_backup || x->refused))
		rc = trial(w, n, &wrote, e);
	else if (rc == 0)
		tell_change(n, p, w->env->mode);
	if (n->verdict == VERDICT_REPAIRED && !undo[0] && w->env->undo != UNDO_OFF)
		add_reason(n, "there is no undo file, as the report filesystem has no room for it");
	if (undo[0] && rc == 0 && n->verdict == VERDICT_CLEAN)
		undokeep_drop(undo);
	else if (undo[0])
		undokeep_end(w, n, undo);
	return rc;
}

/* Where the layers below may not have room for all that a repair could write, a trial tells
 * how much it is. Returns whether the volume itself may be written to; its verdict stands if not. */
static bool has_room(struct walk *w, struct node *n, struct ext *x, int *rc, struct err *e)
{
	uint64_t wrote;

	if (trial_has_room(n, x->super.undo_room))
		return true;
	*rc = trial(w, n, &wrote, e);
	return *rc == 0 && n->verdict == VERDICT_UNCORRECTED && trial_has_room_or_note(n, wrote);
}

static int ext_check(struct walk *w, struct node *n, struct err *e)
{
	struct ext *x = n->state;
	uint64_t wrote;
	int rc = refuse(n, x, e);

	if (rc < 0)
		return rc;
	if (n->parents[0]->read_only || w->env->mode == MODE_CHECK)
		rc = trial(w, n, &wrote, e);
	else if (has_room(w, n, x, &rc, e))
		rc = change(w, n, x, e);
	return rc < 0 ? rc : 0;
}

const struct layer_ops ext_ops = {
	.name = "ext", .kind = KIND_FILESYSTEM, .probe = ext_probe, .describe = ext_describe,
	.guard = ext_guard, .check = ext_check,
};
