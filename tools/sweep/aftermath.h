/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done when the sweep itself broke. */
#ifndef GS_AFTERMATH_H
#define GS_AFTERMATH_H

#include "attrs.h"

/* Removes every mapping a dead sweep has left, completes its report from the last draft with
 * verdict "failed", and prints the summary. reason: one sentence. Returns an exit status. */
int aftermath_main(const char *reason) nonnull_all;

/* Prints the summary line of CONTRACT section 5 on standard output. */
struct json_object;
void print_summary(struct json_object *report) nonnull_all;

#endif
