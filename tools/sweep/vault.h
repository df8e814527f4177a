/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vault: a small LUKS volume with key files on a filesystem in it, which crypttab names as another
 * volume's key device ("/imap:/dev/mapper/vault"). It is open only while the keys are read.
 */
#ifndef GS_VAULT_H
#define GS_VAULT_H

#include "walk.h"

/* The entry of the vault that key_device names; NULL: it names none. */
const struct crypttab_entry *vault_named(const struct crypttab *t, const char *key_device) nonnull_all;

/*
 * Opens the vault read-only, be it a volume of the host, a file of the image, or a file on a stick
 * ("/vault.luks:LABEL=STICK"), by its own key or a typed passphrase; calls work with the folder where its
 * filesystem is mounted; closes it again. Returns what work returned, or -errno.
 */
int vault_with(const struct walk_env *env, const struct crypttab_entry *vault,
	       int (*work)(const char *folder, void *arg, struct err *e), void *arg, struct err *e)
	must_check nonnull_at(1, 2, 3, 5);

#endif
