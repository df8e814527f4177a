/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed passphrases, in locked memory that all processes of the sweep share: what opens one volume
 * may open others. A volume tries all that have been typed so far; only when every volume that waits has done
 * so, and one is still locked, is a person asked again, for one volume at a time.
 */
#ifndef GS_TYPED_H
#define GS_TYPED_H

#include "crypttab.h"
#include "secret.h"
#include "walk.h"

struct typed;

/* Must be called before any worker is forked. Returns NULL and sets e (ENOMEM). */
struct typed *typed_new(struct err *e) must_check nonnull_all;

/* Wipes and releases it; NULL is fine. */
void typed_free(struct typed *t);

/* One volume's way through the passphrases. */
struct typed_turn {
	const struct crypttab_entry *entry;
	unsigned tried;  /* of those typed so far */
	unsigned wrong;  /* how many were typed for this volume, and did not open it */
	bool asked;      /* the last one was typed for this volume */
	int lock;        /* -1: not yet */
};

/* The next passphrase to try; where all have been tried, a person is asked for one, entry->timeout_s seconds at
 * most (less, but 10 at least, for as long as nobody has answered the questions before), and after
 * entry->tries wrong ones no more. Returns 0; -ENOKEY with the code no-key. */
int typed_next(struct typed *t, const struct walk_env *env, struct typed_turn *turn, struct secret **key,
	       struct err *e) must_check nonnull_all;

/* The volume is open, or given up. */
void typed_end(struct typed_turn *turn, bool is_open) nonnull_all;

#endif
