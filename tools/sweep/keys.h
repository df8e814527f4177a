/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a crypttab entry to the key's bytes. */
#ifndef GS_KEYS_H
#define GS_KEYS_H

#include "secret.h"
#include "walk.h"

/* The crypttab entry for the LUKS volume on a node's device: by "VG/LV", by the
 * kernel's name of a disk or its partition, or by LUKS UUID (NULL or "": not by it). NULL: none. */
const struct crypttab_entry *keys_entry(const struct crypttab *t, const struct node *device,
					const char *uuid) nonnull_at(1, 2);

/* Reads the key that entry names. Returns 0; -errno with the code no-key and a
 * sentence that says what to do. */
int keys_load(const struct walk_env *env, const struct crypttab_entry *entry, struct secret **key,
	      struct err *e) must_check nonnull_all;

/* Names the key for people, never its bytes: "key file keys/imap". */
const char *keys_describe(const struct crypttab_entry *entry) nonnull_all;

#endif
