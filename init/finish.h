/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end, as configured: nothing here can hold it up for long. */
#ifndef GS_FINISH_H
#define GS_FINISH_H

#include "machine.h"

/* Does what settings.after says. Does not return. */
void finish(struct machine *m) __attribute__((noreturn)) nonnull_all;

#endif
