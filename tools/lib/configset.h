/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files are a host's configuration, on the host that hands them over and in the image that
 * gets them: all below /etc/guestsweep, and what its crypttab names outside of it; not the
 * plan and the host's own key. Their digest ties them to the plan.
 */
#ifndef GS_CONFIGSET_H
#define GS_CONFIGSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

#define CONFIG_FOLDER_PATH "/etc/guestsweep"
#define PLAN_PATH CONFIG_FOLDER_PATH "/plan"           /* in the image: the signed plan */
#define PLAN_SALT_PATH CONFIG_FOLDER_PATH "/plan.salt" /* in the image: of the digest */
#define HOST_PUBLIC_PATH CONFIG_FOLDER_PATH "/host.pub"
#define HOST_KEY_PATH CONFIG_FOLDER_PATH "/host.key"   /* on the host only */
#define PLAN_SALT_SIZE 32

struct configset {
	char **path; /* absolute, as in the image; sorted */
	size_t n;
};

/* Lists them below root ("" for /). with_keys false: without keys/ and what crypttab names as key
 * files. A file outside of /etc/guestsweep that is missing is left out. Returns 0; -EINVAL: something is neither a
 * file nor a folder; -E2BIG: more than 4096 files; -ENOMEM, -errno. Release with configset_free(). */
int configset_list(struct configset *s, const char *root, bool with_keys, struct err *e)
	must_check nonnull_all;
void configset_free(struct configset *s) nonnull_all;

/* HMAC-SHA256 under a salt of PLAN_SALT_SIZE bytes over names, sizes and contents of the set's files below
 * root, as hex digits into hex (65 bytes). Without the salt nobody can try key files against it. Returns 0 or -errno. */
int configset_digest(const struct configset *s, const char *root, const uint8_t *salt, char *hex,
		     struct err *e) must_check nonnull_all;

/* SHA-256 of size bytes as hex digits into hex (65 bytes). Returns hex. */
char *sha256_hex(const void *bytes, size_t size, char *hex) nonnull_all;

#endif
