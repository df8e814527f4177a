/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mdjudge.h"

#include <stdio.h>
#include <string.h>

#include "log.h"

const struct mdsuper *md_super(const struct node *member)
{
	return member->state;
}

/* "host:0" was /dev/md0, "host:data" was /dev/md/data. */
void md_name(const struct mdsuper *s, char *name, size_t size)
{
	const char *colon = strchr(s->name, ':');
	const char *own = colon ? colon + 1 : s->name;
	char escaped[80];

	escape_text(escaped, sizeof(escaped), own);
	if (!own[0])
		snprintf(name, size, "md%d", s->preferred_minor);
	else if (strspn(own, "0123456789") == strlen(own))
		snprintf(name, size, "md%s", own);
	else
		snprintf(name, size, "md/%s", escaped);
}

void md_level_name(const struct mdsuper *s, char *name, size_t size)
{
	if (s->level == -1)
		snprintf(name, size, "linear");
	else
		snprintf(name, size, "raid%d", s->level);
}

/* Counts of changes that differ by one are those of a power cut between two writes (mdadm's rule). */
static bool is_current(const struct mdsuper *s, const struct mdsuper *newest)
{
	return s->role >= 0 && s->role < MD_MAX_ROLES && (unsigned)s->role < newest->raid_disks &&
	       s->events + 1 >= newest->events && !s->is_recovering;
}

void md_collect(struct md_members *a, const struct node *const *same, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++)
		if (i == 0 || md_super(same[i])->events > a->super.events)
			a->super = *md_super(same[i]);
	for (i = 0; i < n; i++) {
		bool taken = !is_current(md_super(same[i]), &a->super);

		a->n_stale += md_super(same[i])->role >= 0 && taken;
		for (k = 0; k < a->n && !taken; k++)
			taken = md_super(a->member[k])->role == md_super(same[i])->role;
		if (!taken && a->n < MAX_PARENTS)
			a->member[a->n++] = same[i];
	}
}

/* Each was changed without the other: neither is the array. */
static bool is_split(const struct md_members *a)
{
	size_t i, k;

	for (i = 0; i < a->n; i++)
		for (k = 0; k < a->n; k++)
			if (!md_super(a->member[i])->sees[md_super(a->member[k])->role])
				return true;
	return false;
}

static bool has_copies(const struct node *const *same, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			if (md_super(same[i])->role >= 0 &&
			    md_super(same[i])->role == md_super(same[k])->role &&
			    md_super(same[i])->events == md_super(same[k])->events)
				return true;
	return false;
}

/* How many members an array of this level needs at least; RAID 10 decides by its layout. */
static unsigned least_members(const struct mdsuper *s)
{
	switch (s->level) {
	case 1:
	case 10:
		return 1;
	case 4:
	case 5:
		return s->raid_disks - 1;
	case 6:
		return s->raid_disks - 2;
	default:
		return s->raid_disks;
	}
}

static bool has_parity(const struct mdsuper *s)
{
	return s->level >= 4 && s->level <= 6;
}

void md_judge(struct node *n, const struct md_members *a, const struct node *const *same,
	      size_t n_same, bool last_try)
{
	const struct mdsuper *s = &a->super;

	if (has_copies(same, n_same))
		node_verdict(n, VERDICT_ERROR, "ambiguous",
			     "two devices claim to be the same member of this array; one may be a copy");
	else if (is_split(a))
		node_verdict(n, VERDICT_ERROR, "ambiguous",
			     "its members don't belong together any more: one was used without another; remove "
			     "the wrong one from the array by hand");
	else if (s->is_reshaping)
		node_verdict(n, VERDICT_SKIPPED, "in-use",
			     "its shape is being changed; let the host finish that first");
	else if (s->has_journal)
		node_verdict(n, VERDICT_SKIPPED, "unsupported",
			     "it has a write journal, which would be replayed; only the host does that");
	else if (s->level != -1 && s->level != 0 && s->level != 1 && s->level != 4 && s->level != 5 &&
		 s->level != 6 && s->level != 10)
		node_verdict(n, VERDICT_SKIPPED, "unsupported", "an array of level %d", s->level);
	else if (a->n == 0 || a->n < least_members(s) || (a->n < s->raid_disks && !last_try))
		node_verdict(n, VERDICT_ERROR, "missing-device",
			     "%zu of its %u members are there and up to date; it is not started",
			     a->n, s->raid_disks);
	else if (a->n < s->raid_disks && s->is_dirty && has_parity(s))
		node_verdict(n, VERDICT_ERROR, "missing-device",
			     "%zu of its %u members are there and up to date, and it was cut off while it was written "
			     "to: what the others held can't be told for sure, and it is not started; mdadm --assemble "
			     "--force does that, by hand", a->n, s->raid_disks);
}

bool is_md_whole(const struct node *const *same, size_t n)
{
	struct md_members a = { .n = 0 };

	md_collect(&a, same, n);
	return a.n == a.super.raid_disks;
}
