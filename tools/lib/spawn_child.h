/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ways to start a program have in common; for spawn*.c only. */
#ifndef GS_SPAWN_CHILD_H
#define GS_SPAWN_CHILD_H

#include <sys/types.h>

#include "spawn.h"

/* Starts argv[0] with its output and errors going to these descriptors. Returns 0, *pid is
 * its process then; -errno where it could not be started. */
int spawn_child(const char *const argv[], const struct spawn_options *o, int out, int err,
		pid_t *pid, struct err *e) must_check nonnull_all;

/* From a status of waitpid(2) to how and code of *r. */
void spawn_decode(int status, struct spawn_result *r) nonnull_all;

#endif
