/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mappings that nobody closed: those of a worker that was killed. */
#ifndef GS_LEFTOVERS_H
#define GS_LEFTOVERS_H

#include "results.h"
#include "walk.h"

/* Removes every mapping and snapshot store that is not of an open layer of the host, tried for
 * a few seconds. To be called while no worker runs. */
void leftovers_remove(const struct walk *host) nonnull_all;

/* Adds a problem for each one that is still there. */
void leftovers_report(const struct walk *host, struct results *r) nonnull_all;

#endif
