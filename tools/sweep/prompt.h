/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A passphrase from a person, who may sit at any of the consoles. */
#ifndef GS_PROMPT_H
#define GS_PROMPT_H

#include <stdbool.h>

#include "secret.h"

/*
 * Asks the question (a line) on every console that the kernel names, and takes the first answer from any of
 * them; what is typed is not shown, and what was typed before the question does not count. stop is asked
 * some times a second; true ends the wait.
 *
 * Returns 0 and *answer; -ETIMEDOUT: none came in timeout_s seconds (0: no limit); -ECANCELED: stopped, or the
 * person pressed Ctrl-D; -ENODEV: no console can be read.
 */
int prompt_ask(const char *question, unsigned timeout_s, bool (*stop)(void), struct secret **answer,
	       struct err *e) must_check nonnull_all;

#endif
