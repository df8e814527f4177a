/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subcommands of `guestsweep`. Each has a file cmd_NAME.c, gets the words behind its name (argv[0] is the
 * name) and returns the exit status. */
#ifndef GS_COMMAND_H
#define GS_COMMAND_H

#include "attrs.h"

/* Exit statuses. Those of `collect` and of `show` are the verdict's. */
enum {
	DONE = 0,
	VERDICT_STATUS_ATTENTION = 1,
	VERDICT_STATUS_UNCORRECTED = 2,
	VERDICT_STATUS_FAILED = 3,
	NOT_READY = 1,   /* preflight and arm: an item has failed */
	CANNOT = 4,      /* it could not be done; standard error says why */
	USAGE = 64,      /* sysexits.h EX_USAGE */
};

struct command {
	const char *name;
	const char *words;   /* what may follow it, for the help */
	const char *does;    /* one line for the help */
	int (*run)(int argc, char **argv);
};

extern const struct command command_arm, command_collect, command_disarm, command_init,
	command_key, command_preflight, command_show, command_status;

/* Says what is wrong with the words, and how the subcommand is used. Returns USAGE. */
int usage_error(const struct command *c, const char *fmt, ...) printf_like(2, 3) nonnull_at(1, 2);

#endif
