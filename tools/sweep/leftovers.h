/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nobody closed: mappings, loop devices, nbd devices and mounts of a worker that was killed. */
#ifndef GS_LEFTOVERS_H
#define GS_LEFTOVERS_H

#include "results.h"
#include "walk.h"

/* Removes all of it but what belongs to an open layer of host (NULL: of nobody) or to one of the
 * nodes of these ids, tried for a few seconds. To be called while no worker is at work. */
void leftovers_remove(const struct walk *host, const unsigned *ids, size_t n);

/* Adds a problem for each one that is still there. */
void leftovers_report(const struct walk *host, struct results *r) nonnull_all;

#endif
