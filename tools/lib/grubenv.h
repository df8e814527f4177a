/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRUB's environment block: NAME=VALUE lines after a first line of its own, in a file of fixed
 * size, filled up with '#'. A backslash in a value goes before a backslash or a newline. Format:
 * GRUB's grub-core/lib/envblk.c. GRUB itself writes to the file's blocks without the
 * filesystem's knowledge: so it never grows, shrinks or moves.
 */
#ifndef GS_GRUBENV_H
#define GS_GRUBENV_H

#include <stddef.h>

#include "attrs.h"
#include "err.h"

#define GRUBENV_MAX 65536 /* bytes of a block; it has 1024 as a rule */

/* The value of name, unescaped, into value (room bytes), "" where it has none. Returns 0; -EINVAL: no
 * environment block; -ENAMETOOLONG: no room for it. */
int grubenv_get(const char *block, size_t size, const char *name, char *value, size_t room)
	must_check nonnull_all;

/* Takes name out of the block. Returns 1; 0: it was not there; -EINVAL: no environment block. */
int grubenv_unset(char *block, size_t size, const char *name) must_check nonnull_all;

/* grubenv_unset() on a file, in place and on disk when it returns. Returns as it does, or -errno. */
int grubenv_unset_in_file(const char *path, const char *name, struct err *e) must_check nonnull_all;

#endif
