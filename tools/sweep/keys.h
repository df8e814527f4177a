/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a crypttab entry to the key's bytes. Key files are read once, by the supervisor, into
 * locked memory, and those of the image are overwritten and removed; the workers inherit what is theirs.
 */
#ifndef GS_KEYS_H
#define GS_KEYS_H

#include "secret.h"
#include "typed.h"
#include "walk.h"

struct keys {
	const struct crypttab *crypttab;
	struct secret **secret; /* for each entry; NULL: not read, or it has no key file */
	bool *sought;           /* for each entry: its stick or vault was waited for */
	struct typed *typed;
};

/* Reads the key files that lie in the image. One that can't be read is told of when it is needed.
 * Returns 0 or -ENOMEM. */
int keys_init(struct keys *k, const struct crypttab *t, struct err *e) must_check nonnull_all;

/* Reads the key files on sticks and in vaults, and waits for the former. */
void keys_gather(struct keys *k, const struct walk_env *env) nonnull_all;

/* Overwrites and removes all key files of the image, those in its folder ("/etc/guestsweep/keys") and those
 * that crypttab names. */
void keys_wipe_files(const struct keys *k, const char *folder) nonnull_all;

/* A worker keeps the keys of these volumes, and those that are found by UUID. */
void keys_keep(struct keys *k, struct node *const *volumes, size_t n) nonnull_all;

/* Wipes all that is in memory. */
void keys_free(struct keys *k) nonnull_all;

/* The crypttab entry for the LUKS volume on a node's device: by "VG/LV", by the
 * kernel's name of a disk or its partition, or by LUKS UUID (NULL or "": not by it). NULL: none. */
const struct crypttab_entry *keys_entry(const struct crypttab *t, const struct node *device,
					const char *uuid) nonnull_at(1, 2);

/* The key file that entry names, which the caller frees. Returns 0; -errno with the code no-key and
 * a sentence that says what to do. */
int keys_load(const struct walk_env *env, const struct crypttab_entry *entry, struct secret **key,
	      struct err *e) must_check nonnull_all;

/* Names the key for people, never its bytes: "key file keys/imap". */
const char *keys_describe(const struct crypttab_entry *entry) nonnull_all;

#endif
