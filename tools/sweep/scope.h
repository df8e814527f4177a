/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scope: one guest with all its disks, swept by one worker process. Nothing of
 * another scope is in its sight, so guests that were installed alike, or cloned,
 * never meet.
 */
#ifndef GS_SCOPE_H
#define GS_SCOPE_H

#include "walk.h"

#define MAX_GROUPS 16

struct scope {
	char name[128];
	const struct guest *guest; /* its section, NULL: none names its volumes */
	struct node **volumes;
	size_t n_volumes;
	enum mode mode;
	enum undo undo;
	bool last_try;      /* what is incomplete now stays so */
	bool alone;         /* runs while no other does: it met another's names */
	bool done;
	uint64_t bytes;     /* of all volumes: the longest goes first */
	char groups[MAX_GROUPS][64]; /* UUIDs of the VGs that it lacks parts of */
	size_t n_groups;
	bool incomplete;
};

struct scopes {
	struct scope *s;
	size_t n;
};

/*
 * Groups the volumes of the host walk: those that a [guest] section names go
 * together, every other one is a scope named after its crypttab entry or itself.
 * Volumes that are ignored or not asked for get their verdict instead. Longest
 * first. Returns 0 or -ENOMEM.
 */
int scopes_make(struct scopes *list, struct walk *host, const struct settings *settings,
		const struct crypttab *crypttab, struct err *e) must_check nonnull_all;

/* Joins the incomplete scopes that lack parts of the same VGs; each result is tried
 * once more, for the last time. Returns 0 or -ENOMEM. */
int scopes_join(struct scopes *list, struct err *e) must_check nonnull_all;

void scopes_free(struct scopes *list) nonnull_all;

#endif
