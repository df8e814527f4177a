/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A secret is a type: its bytes lie in locked memory that is not part of a core
 * dump, and are wiped when it goes. It has no text form, so nothing can log it.
 */
#ifndef GS_SECRET_H
#define GS_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

struct secret;

/* size bytes of locked, zeroed memory. Returns NULL and sets e (ENOMEM). */
struct secret *secret_new(size_t size, struct err *e) must_check nonnull_all;

/* The same, which forked children share: what one of them writes the others read. */
struct secret *secret_new_shared(size_t size, struct err *e) must_check nonnull_all;

/* Reads size bytes (0: to the end, at most SECRET_FILE_MAX) of file path from
 * byte offset on. Returns NULL and sets e: ENOENT and others of open(2), read(2);
 * ERANGE where the file is too short or too long; EINVAL where it is empty. */
struct secret *secret_from_file(const char *path, uint64_t offset, size_t size, struct err *e)
	must_check nonnull_all;
#define SECRET_FILE_MAX (8u << 20)

char *secret_bytes(struct secret *s) nonnull_all;
size_t secret_size(const struct secret *s) nonnull_all;
/* Wipes and releases s; NULL is fine. */
void secret_free(struct secret *s);

/* In a forked child that must not know these n, NULLs among them: they are gone from its memory, and stay what they are in its
 * parent's. Leaves nothing of meaning in s. */
void secret_leave(struct secret **s, size_t n);

/* In a forked child that must not know any: all that its parent had are gone from its memory, and are not
 * released again. */
void secret_leave_behind(void);

static inline void cleanup_secret_(struct secret **s)
{
	secret_free(*s);
}
#define cleanup_secret __attribute__((cleanup(cleanup_secret_)))

#endif
