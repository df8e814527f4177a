/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One LUKS volume's header and key slots, in a sandbox of its own that has nothing but that header's device. What it
 * answers is taken for bytes of a guest's. It is given passphrases, and answers the volume key; of what goes wrong after
 * the first one it can tell no more than a number. Its caller ignores SIGPIPE.
 */
#ifndef GS_LUKSBOX_H
#define GS_LUKSBOX_H

#include <sys/types.h>

#include "lukshead.h"
#include "secret.h"
#include "walk.h"

struct luks_box {
	const struct walk_env *env;
	pid_t pid; /* 0: none */
	int to, from;
	struct luks_facts facts;
};

/* Checks what a header is said to tell of a volume on a device of device_bytes bytes; is_detached: the header lies
 * elsewhere. f->sectors is known then. Returns 0; -EINVAL, code bad-header. */
int luks_facts_take(struct luks_facts *f, uint64_t device_bytes, bool is_detached, struct err *e)
	must_check nonnull_all;

/* Starts it with the header on header, a device, for the volume on device; slot is the key slot that will be tried, -1:
 * all. b->facts is what the header says then. Returns 0; -errno with the code bad-header, unsupported-feature,
 * tool-failed or io-error, and b is to be ended all the same. */
int luksbox_start(struct luks_box *b, const struct walk_env *env, const char *header, const char *device, int slot,
		  struct err *e) must_check nonnull_all;

/* Tries passphrase, for which it may use as much memory as the facts say; *key is the volume key then. Returns 0;
 * -EKEYREJECTED, code no-key: no key slot opens with it; -errno, code tool-failed. */
int luksbox_try(struct luks_box *b, struct secret *passphrase, struct secret **key, struct err *e)
	must_check nonnull_all;

/* Ends it, where it has not ended yet. */
void luksbox_end(struct luks_box *b) nonnull_all;

#endif
