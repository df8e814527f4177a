/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the workers: so many at a time, the longest first, what they share handed
 * out one by one. */
#ifndef GS_SCHEDULE_H
#define GS_SCHEDULE_H

#include "journal.h"
#include "locks.h"
#include "results.h"
#include "scope.h"

struct schedule {
	struct scopes *scopes;
	const struct walk_env *env; /* what the workers have in common */
	struct locks *locks;
	struct results *results;
	struct journal *journal; /* NULL: none is kept */
	unsigned jobs;
	long deadline;              /* CLOCK_MONOTONIC seconds */
	bool (*cancelled)(void);
	void (*alive)(void);        /* called at least once a second while work goes on */
	void (*changed)(void);      /* called when a scope has ended */
	/* Removes what dead workers left, all but the layers of these ids; called when none runs. */
	void (*clean)(const unsigned *ids, size_t n);
};

/* Sweeps all scopes. Returns true where all of them could end by themselves. */
bool schedule_run(struct schedule *s) must_check nonnull_all;

#endif
