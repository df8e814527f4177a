/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading kernel modules through libkmod: by name from the image's list, and by
 * the alias a device has. The kernel runs a module's start in the process that
 * loads it, which may take seconds (looking for disks) or hang; so each module
 * gets a process of its own, a few at a time. Used only in a child of PID 1.
 */
#ifndef GS_MODULES_H
#define GS_MODULES_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"

/* One "NAME [OPTIONS]" a line, "#" comments. */
#define MODULES_LIST "/usr/lib/guestsweep/modules-load"

struct modules;

/* Opens the module tree of the running kernel. NULL: none, told in a line. */
struct modules *modules_open(void);

/* Loads what MODULES_LIST names. As with all that loads here: it begins it, and
 * a failure is a line on the console. */
void modules_load_list(struct modules *m) nonnull_all;

/* Loads module name and what it needs, with options (may be "") for it. */
void modules_load(struct modules *m, const char *name, const char *options) nonnull_all;

/* Loads what there is for a device's alias, each alias once. An alias that no
 * module is for is silence. */
void modules_load_alias(struct modules *m, const char *alias) nonnull_all;

/* true while a module is being loaded. */
bool modules_busy(struct modules *m) nonnull_all;

/* Splits a line of the list (and changes it); *options is "" where there are
 * none. Pure. Returns false for an empty line or a comment. */
bool modules_line(char *line, char **name, char **options) nonnull_all;

#endif
