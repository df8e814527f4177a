/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guestsweep, the host's command: which subcommands there are. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"

static const struct command *const commands[] = {
	&command_init, &command_preflight, &command_arm, &command_disarm, &command_status,
	&command_collect, &command_show, &command_key,
};

static void help(FILE *f)
{
	size_t i;

	fprintf(f, "usage: guestsweep COMMAND [WORDS]\n\n"
		   "Checks every guest's disks from a maintenance image that this host boots once, and\n"
		   "comes back. The manual is guestsweep(8).\n\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "  %s%s%s\n      %s\n", commands[i]->name, commands[i]->words[0] ? " " : "",
			commands[i]->words, commands[i]->does);
	fprintf(f, "\n  --help, --version\n\n"
		   "Exit status: 0 done; 1 not ready (preflight, arm); of collect and show: 0 clean or\n"
		   "repaired, 1 attention, 2 uncorrected, 3 failed; 4 it could not be done; 64 usage.\n");
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	size_t i;

	umask(022);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
		help(stdout);
		return DONE;
	}
	if (strcmp(word, "--version") == 0) {
		printf("guestsweep %s\n", GUESTSWEEP_VERSION);
		return DONE;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(word, commands[i]->name) != 0)
			continue;
		if (argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
			printf("usage: guestsweep %s %s\n\n%s\n", word, commands[i]->words,
			       commands[i]->does);
			return DONE;
		}
		return commands[i]->run(argc - 1, argv + 1);
	}
	if (argc > 1)
		fprintf(stderr, "guestsweep: unknown word %s\n", word);
	help(stderr);
	return USAGE;
}
