/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan: the host's leave for one sweep. `guestsweep arm` signs it and puts it in two
 * places: into the configuration that the image is handed, and onto the report
 * filesystem, where the image strikes it off before it touches a guest. Both must be
 * the same bytes, signed by the host that the image was installed on.
 *
 * Text, so that a person can read it; strict, so that there is one way to write it:
 *
 *   guestsweep plan 1
 *   token = 32 hex digits, never used twice
 *   host = the host's machine-id
 *   created = seconds since 1970
 *   way = kexec, grub or efi
 *   image = SHA-256 of the image that is to run it
 *   config = what configset_digest() says of the configuration
 *   grubenv = UUID=...:/PATH of GRUB's environment block, or nothing
 *   next = for after = kexec: UUID=...:/KERNEL /INITRD WORDS, the host's own, or nothing
 *   signature = Ed25519 (RFC 8032) over all bytes before this line
 */
#ifndef GS_PLAN_H
#define GS_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"
#include "secret.h"

/* In the report folder: the plan until its token is struck off, and then; why a boot was refused. */
#define PLAN_FILE "guestsweep.plan"
#define PLAN_USED_FILE "guestsweep.plan.used"
#define PLAN_REFUSED_FILE "guestsweep.plan.refused"

#define PLAN_MAX 4096          /* bytes of a plan's text */
#define PLAN_NEXT_MAX 2048
#define PLAN_KEY_SIZE 32       /* bytes of either half of the host's key */
#define PLAN_HEX128 (2 * 16 + 1)
#define PLAN_HEX256 (2 * 32 + 1)

struct plan {
	char token[PLAN_HEX128];
	char host[PLAN_HEX128];
	int64_t created;        /* seconds since 1970 */
	char way[8];            /* "kexec", "grub", "efi" */
	char image[PLAN_HEX256];
	char config[PLAN_HEX256];
	char grubenv[256];      /* "" : nothing to clear */
	char next[PLAN_NEXT_MAX]; /* "" : none */
};

/* Fills buf with size bytes nobody can guess. Returns 0 or -errno. */
int plan_random(void *buf, size_t size, struct err *e) must_check nonnull_all;

/* size bytes as lower-case hex digits into hex (2 * size + 1 bytes). Returns hex. */
char *plan_hex(const void *bytes, size_t size, char *hex) nonnull_all;

/* The public half (PLAN_KEY_SIZE bytes) of a private key of PLAN_KEY_SIZE bytes. */
void plan_public_key(struct secret *private_key, uint8_t *public_key) nonnull_all;

/* Writes p's text with its signature into text (PLAN_MAX bytes). Returns 0; -EINVAL where p
 * holds what a plan can't. */
int plan_sign(const struct plan *p, struct secret *private_key, char *text, struct err *e)
	must_check nonnull_all;

/* Reads size bytes of a plan into *p after its signature has proven right. Returns 0; -EINVAL:
 * not a plan; -EKEYREJECTED: not signed by that key's other half. *p is untouched then. */
int plan_verify(const char *text, size_t size, const uint8_t *public_key, struct plan *p,
		struct err *e) must_check nonnull_all;

#endif
