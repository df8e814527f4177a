/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of settings_load(), from memory instead of files. For settings_load()
 * itself, crypttab.c, unit tests and fuzz targets; other parts include settings.h.
 */
#ifndef GS_SETTINGS_PARSE_H
#define GS_SETTINGS_PARSE_H

#include <stddef.h>

#include "attrs.h"
#include "err.h"
#include "settings.h"

/* Makes *s the defaults that settings_load() names. Returns 0 or -ENOMEM. */
int settings_defaults(struct settings *s, struct err *e) must_check nonnull_all;

/* Adds what size bytes of sweep.conf say to *s, faults included. Format: INI as
 * inih reads it (https://github.com/benhoyt/inih), with a BOM and CRLF ends
 * allowed; leading white space means nothing, a line is never continued.
 * Returns 0 or -ENOMEM. */
int settings_parse_file(struct settings *s, const char *text, size_t size, struct err *e)
	must_check nonnull_all;

/* Adds what the kernel command line says to *s, faults included. Format: the
 * kernel's own, lib/cmdline.c next_arg(): words are split at white space that is
 * not within double quotes, and end at a "--". Returns 0 or -ENOMEM. */
int settings_parse_cmdline(struct settings *s, const char *cmdline, struct err *e)
	must_check nonnull_all;

/* Sets what stands under key in [sweep] (guestsweep.KEY on the command line).
 * Returns 0; -ENOENT: no such key there; -EINVAL with a sentence in e; -ENOMEM. */
enum key_place { KEY_IN_FILE = 1, KEY_ON_COMMAND_LINE = 2 };
int settings_set(struct settings *s, enum key_place place, const char *key, const char *value,
		 struct err *e) must_check nonnull_all;

/* The keys of that place in one string, "mode, after, ...". Returns buf. */
char *settings_keys(enum key_place place, char *buf, size_t size) nonnull_all;

/* Names a fault: "WHERE: TEXT; the sweep runs read-only", and makes every mode
 * that writes MODE_CHECK. */
void settings_fault(struct settings *s, const char *where, const char *fmt, ...)
	printf_like(3, 4) nonnull_all;

/* Reads DIR/NAME into *text (free it) and *size. Returns 1; 0 where there is no such
 * file, or one that can't be read, which is then a fault; -ENOMEM. */
int settings_text(struct settings *s, const char *dir, const char *name, char **text,
		  size_t *size, struct err *e) must_check nonnull_all;

/* Where repairs are to be taken back, devices are opened for writing whatever the mode is. */
void settings_write_for_undo(struct settings *s) nonnull_all;

/* Makes every mode that writes MODE_CHECK, if there are faults. */
void settings_hold_back(struct settings *s) nonnull_all;

#endif
