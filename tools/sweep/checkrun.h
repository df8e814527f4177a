/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of a checker: its log, what the report says of it, and whether the device held. */
#ifndef GS_CHECKRUN_H
#define GS_CHECKRUN_H

#include "sandbox_profiles.h"
#include "spawn.h"
#include "walk.h"

#define TOOL_VERSIONS "/usr/lib/guestsweep/versions"

struct checkrun {
	const struct walk_env *env;
	struct node *node;
	const char *tool;    /* "e2fsck": names the log too */
	const char *package; /* whose version it has, as in the image's list of versions */
	const char *device;  /* looked at for I/O errors; NULL: none */
	bool aside;          /* a second look, not the run that the report is about */
	/* Its sandbox. NULL: qemu-img's, which is not one yet. */
	const struct sandbox_profile *profile;
	bool writes;         /* to the devices */
	const char *const *devices; /* all it finds there; NULL-ended. NULL: device only */
	const struct sandbox_path *files; /* and these, which exist */
	size_t n_files;
	uint64_t file_bytes; /* the longest that one of them may become */
	char **out;          /* standard output as a string too (free it); NULL: only in the log */

	/* results */
	bool io_error;       /* the device failed, whatever the tool says */
	char log[256];       /* path of the log */
	long log_from;       /* byte where this run's part of it begins */
};

/* Runs argv, until it ends, the deadline passes or the sweep is cancelled; what it writes goes
 * to the node's log for that tool, which is bounded. Fills the node's check. Returns 0 when it
 * was started, *r says how it ended
 * (SPAWN_OUT_OF_MEMORY: the kernel killed it for that); -errno when it was not. */
int checkrun(struct checkrun *c, const char *const argv[], struct spawn_result *r, struct err *e)
	must_check nonnull_all;

/* The report's code for a run that says nothing of the filesystem: "timeout", "no-memory",
 * "tool-failed". */
const char *checkrun_word(const struct spawn_result *r) nonnull_all;

/* What this run's part of the log says, *size bytes and a NUL behind them (free it); the bytes
 * may have NULs among them. NULL: it can't be read. */
char *checkrun_text(const struct checkrun *c, size_t *size) must_check nonnull_all;

/* true where this run's part of the log has these words. */
bool checkrun_said(const struct checkrun *c, const char *words) nonnull_all;

/* true where words stand in the size bytes that a checker said; NULL stands everywhere. */
bool check_has_words(const char *said, size_t size, const char *words) nonnull_at(1);

#endif
