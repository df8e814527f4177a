/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place that starts programs. An argument array and an absolute path,
 * never a shell; a clean environment; no descriptor passed on but those named
 * here; the child dies with its parent; a limit in time and in output.
 */
#ifndef GS_SPAWN_H
#define GS_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"
#include "err.h"

struct spawn_options {
	unsigned timeout_s;   /* SIGTERM after this, SIGKILL 10 s later; 0: no limit */
	const char *in_path;  /* standard input is this file; NULL: nothing to read */
	const char *log_path; /* standard output and error are appended here; NULL: nowhere */
	size_t log_limit;     /* bytes kept of them in log_path; the rest is dropped and said so */
	char **out;           /* standard output as a string instead (free it); NULL: as above */
	size_t out_limit;     /* more than this many bytes in *out is an error (EFBIG) */
	const char *const *env; /* "NAME=value" added to the clean environment; NULL: none */
	bool (*cancelled)(void); /* asked once a second; true ends the child like a timeout */
};

struct spawn_result {
	enum { SPAWN_EXITED, SPAWN_SIGNALLED, SPAWN_TIMED_OUT } how;
	int code;       /* exit status or signal number */
	char tail[256]; /* the last line on standard error (or output, if merged), escaped */
};

/* Runs argv[0] (absolute path) and waits for it. Returns 0 when it was started,
 * whatever came of it (see *r); -errno when it was not: ENOENT no such program,
 * EFBIG too much output, ENOMEM. */
int spawn_run(const char *const argv[], const struct spawn_options *o, struct spawn_result *r,
	      struct err *e) must_check nonnull_all;

/* A program that runs beside its caller, until that stops it. */
struct spawn_beside {
	int pid;      /* 0: none */
	int output;   /* read end of a pipe; what does not fit into it (64 KiB) is lost */
};

/* Starts argv[0] (absolute path) with a clean environment. Returns 0 or -errno. */
int spawn_start(const char *const argv[], struct spawn_beside *b, struct err *e)
	must_check nonnull_all;

/* true where it has ended by itself. */
bool spawn_has_ended(const struct spawn_beside *b) nonnull_all;

/* Ends it, SIGTERM first and SIGKILL after grace_s seconds, and appends what it has said to
 * the file log. *r says how it ended. Returns 0; -EBUSY: the kernel does not let go of it. */
int spawn_stop(struct spawn_beside *b, unsigned grace_s, const char *log, struct spawn_result *r,
	       struct err *e) must_check nonnull_all;

/* Says how a child ended in a few words: "exit status 3: TAIL", "killed by
 * signal 9", "timed out". Returns buf. */
char *spawn_describe(const struct spawn_result *r, char *buf, size_t size) nonnull_all;

#endif
