/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the sweep ended, in words; whether it has said all that it had to say. */
#ifndef GS_OUTCOME_H
#define GS_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"

/* Why PID 1 ended the sweep, if it did. */
enum ended {
	ENDED_ITSELF,
	ENDED_DEADLINE,
	ENDED_SILENT,
	ENDED_ASKED,
	ENDED_STUCK,       /* it outlived SIGKILL */
	ENDED_NOT_STARTED,
};

/*
 * true when the sweep has swept and printed its summary, whatever the verdict:
 * exit status 0, also where it was told to end. Otherwise *reason says it in a few
 * words ("ended early: exit status 3"). wait_status is of no meaning for ENDED_STUCK and
 * ENDED_NOT_STARTED. Pure.
 */
bool outcome_is_complete(enum ended ended, int wait_status, char *reason, size_t size) nonnull_all;

#endif
