/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "outcome.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* What came before, for one that did not end well when told to. */
static const char *why(enum ended ended)
{
	switch (ended) {
	case ENDED_DEADLINE:
		return "did not end at its deadline";
	case ENDED_SILENT:
		return "gave no sign of life";
	case ENDED_ASKED:
		return "was told to end by Ctrl-Alt-Del";
	default:
		return "ended early";
	}
}

bool outcome_is_complete(enum ended ended, int wait_status, char *reason, size_t size)
{
	*reason = 0;
	if (ended == ENDED_NOT_STARTED) {
		snprintf(reason, size, "could not be started");
		return false;
	}
	if (ended == ENDED_STUCK) {
		snprintf(reason, size, "hangs in the kernel and can't be killed");
		return false;
	}
	if (WIFEXITED(wait_status) && !WEXITSTATUS(wait_status))
		return true;
	if (WIFEXITED(wait_status))
		snprintf(reason, size, "%s: exit status %d", why(ended), WEXITSTATUS(wait_status));
	else
		snprintf(reason, size, "%s: killed by signal %d (%s)", why(ended),
			 WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	return false;
}
