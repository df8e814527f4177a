/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One process per scope: it opens, checks and closes one guest's disks, so that a
 * crash, a hang or a hostile guest costs that guest alone. */
#ifndef GS_WORKER_H
#define GS_WORKER_H

#include "scope.h"

/* Sweeps scope s in this process, reporting over fd (see channel.h), and ends the
 * process. base is what all scopes have in common; SIGTERM makes it stop what runs,
 * close everything and end. deadline: of the whole sweep, CLOCK_MONOTONIC seconds; limit: of
 * this scope's, seconds from now. */
__attribute__((noreturn)) void worker_main(const struct walk_env *base, const struct scope *s,
					   int fd, long deadline,
					   unsigned limit);

#endif
