/* SPDX-License-Identifier: GPL-2.0-or-later */
/* after = shell: a shell for a human, on every console. Nothing else starts one. */
#ifndef GS_SHELL_H
#define GS_SHELL_H

#include "machine.h"

/* Returns when a person has left a shell (exit, Ctrl-D), has asked for a reboot
 * (REQUEST_END) or poweroff, or when no console works. */
void shell_run(struct machine *m) nonnull_all;

#endif
