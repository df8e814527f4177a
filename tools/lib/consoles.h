/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The consoles that the kernel names. */
#ifndef GS_CONSOLES_H
#define GS_CONSOLES_H

#include "attrs.h"

#define CONSOLES_MAX 8
#define CONSOLE_NAME_MAX 32

/* The names in text, the content of /sys/class/tty/console/active ("tty0 ttyS0"), each once, at
 * most max of them; what can't be a name below /dev is left out. Returns how many. */
unsigned console_names(const char *text, char names[][CONSOLE_NAME_MAX], unsigned max) nonnull_all;

/* Adds the names that a kernel's command line gives ("console=ttyS1,115200n8") to the n in names, up to max;
 * "null" and the empty name are none. Of several serial lines the kernel itself uses only one. Returns how many
 * there are then. */
unsigned console_words(const char *cmdline, char names[][CONSOLE_NAME_MAX], unsigned n, unsigned max) nonnull_all;

/* Those of this machine: the kernel's own, and those of its command line. Returns how many; 0 also where the
 * kernel does not say. */
unsigned consoles_active(char names[][CONSOLE_NAME_MAX], unsigned max) nonnull_all;

/* Bits per second that a command line gives for this console; 0: it does not say. */
unsigned console_speed(const char *cmdline, const char *name) nonnull_all;

/* Sets the speed that the kernel's command line gives for the console name, open as fd: the kernel does so only
 * for the one serial line that it uses itself. */
void console_set_speed(int fd, const char *name) nonnull_all;

#endif
