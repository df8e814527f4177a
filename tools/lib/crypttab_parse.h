/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crypttab_load() from memory instead of a file, and its parts. For crypttab.c,
 * crypttab_options.c, unit tests and fuzz targets; other parts include crypttab.h.
 */
#ifndef GS_CRYPTTAB_PARSE_H
#define GS_CRYPTTAB_PARSE_H

#include <stddef.h>

#include "attrs.h"
#include "crypttab.h"
#include "err.h"
#include "settings.h"

/* Adds the entries that size bytes of a crypttab have to *t and the faults to
 * *s. dir: the configuration's folder, where relative paths begin; absolute.
 * Returns 0 or -ENOMEM. */
int crypttab_parse(struct crypttab *t, const char *dir, const char *text, size_t size,
		   struct settings *s, struct err *e) must_check nonnull_all;

/* Reads the options "NAME[=VALUE],...", which are changed on the way, into *c.
 * Returns 0, -EINVAL with a sentence in e, or -ENOMEM. */
int crypttab_options(struct crypttab_entry *c, const char *dir, char *options, struct err *e)
	must_check nonnull_all;

/* A path in the image as *out (free it): below dir where it is relative. Returns
 * 0, -EINVAL with a sentence in e (no "..", no empty parts), or -ENOMEM. */
int crypttab_path(const char *dir, const char *path, char **out, struct err *e)
	must_check nonnull_all;

#endif
