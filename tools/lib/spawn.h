/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place that starts programs. An argument array and an absolute path,
 * never a shell; a clean environment; no descriptor passed on but those named
 * here; the child dies with its parent; a limit in time and in output. What reads a guest's bytes
 * runs in a sandbox.
 */
#ifndef GS_SPAWN_H
#define GS_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"
#include "err.h"
#include "sandbox.h"

struct spawn_options {
	unsigned timeout_s;   /* SIGTERM after this, SIGKILL 10 s later; 0: no limit */
	const char *in_path;  /* standard input is this file; NULL: nothing to read */
	const char *log_path; /* standard output and error are appended here; NULL: nowhere */
	size_t log_limit;     /* bytes kept of them in log_path; the rest is dropped and said so */
	size_t output_max;    /* a child that writes more bytes is ended like after a timeout; 0: no limit */
	char **out;           /* standard output as a string instead (free it); NULL: as above */
	size_t out_limit;     /* more than this many bytes in *out is an error (EFBIG) */
	const char *const *env; /* "NAME=value" added to the clean environment; NULL: none */
	bool (*cancelled)(void); /* asked once a second; true ends the child like a timeout */
	const struct sandbox *sandbox; /* where it runs; NULL: as its caller does, and with its rights */
	int socket;           /* a listening socket that it gets as sd_listen_fds(3) has it; 0: none */
};

struct spawn_result {
	enum { SPAWN_EXITED, SPAWN_SIGNALLED, SPAWN_TIMED_OUT, SPAWN_FLOODED, SPAWN_OUT_OF_MEMORY } how;
	int code;       /* exit status or signal number; FLOODED: MiB that it was allowed to write;
			 * OUT_OF_MEMORY: never set here, see checkrun.h */
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
	bool boxed;   /* in a sandbox */
	int output;   /* read end of a pipe; what does not fit into it (64 KiB) is lost */
};

/* Starts argv[0] (absolute path); of the options only env, socket and sandbox count. Returns 0 or -errno. */
int spawn_start(const char *const argv[], const struct spawn_options *o, struct spawn_beside *b,
		struct err *e) must_check nonnull_all;

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
