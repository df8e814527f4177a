/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a process comes into a sandbox; for spawn*.c and sandbox*.c only. */
#ifndef GS_SANDBOX_START_H
#define GS_SANDBOX_START_H

#include "sandbox.h"

/* Where a child has what it needs until it has entered, besides the descriptors that it is to have. */
#define SANDBOX_FILES_FD 600    /* its files' mounts, until they are attached */
#define SANDBOX_PIPE_FD 999     /* to the parent, for an error */
#define SANDBOX_PROGRAM_FD 1000 /* the program's: above every profile's limit, so that there is none there twice */

struct sandbox_plan;

/* What the child does; does not return. */
typedef void (*sandbox_code)(const struct sandbox_plan *p, int pipe_to_parent, void *arg);

/* Forks into new namespaces; the child runs code(plan, pipe, arg). Returns its process; -errno
 * where there is none, or where it has said so through the pipe. */
pid_t sandbox_start(const struct sandbox *s, int program, sandbox_code code, void *arg, struct err *e)
	must_check nonnull_at(1, 3, 5);

#define SANDBOX_FDS_MAX 8

/* In the child: makes fds, n of them (SANDBOX_FDS_MAX at most), its descriptors 0, 1, ..., and gives the pipe,
 * and p's program and files, the places above; p NULL: there are none of these. Whatever else is open is
 * closed. Does not return where that fails; the parent knows why then. */
void sandbox_descriptors(const struct sandbox_plan *p, const int *fds, size_t n, int pipe_to_parent) nonnull_at(2);

/* In the child, after sandbox_descriptors(): all steps. Does not return where one fails; the parent knows
 * why then. */
void sandbox_enter(const struct sandbox_plan *p, int pipe_to_parent) nonnull_all;

/* In the parent: waits until the child pid, which alone has the other end of the pipe, runs its program or code,
 * or has ended. Returns 0; -errno where it has said why it can't, -ETIMEDOUT where it did not come to that within
 * 20 s: it has been ended then, and cleared up behind. */
int sandbox_await(pid_t pid, int from_child, struct err *e) must_check nonnull_all;

/* In the child: tells the parent why it can't go on, and ends. */
void sandbox_give_up(int pipe_to_parent, const struct err *e) nonnull_all __attribute__((noreturn));

#endif
