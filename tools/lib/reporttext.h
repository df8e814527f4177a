/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.txt: the report as a person reads it. */
#ifndef GS_REPORTTEXT_H
#define GS_REPORTTEXT_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdio.h>

#include "attrs.h"

/* Writes head, problems and the tree of layers of a report to f, verdicts in colour where a terminal is
 * to show it. */
void reporttext_write(FILE *f, json_object *report, bool colours) nonnull_all;

/* One line for one node: where it is, verdict and why. */
void reporttext_node_line(char *buf, size_t size, json_object *node) nonnull_all;

#endif
