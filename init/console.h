/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that is said goes through PID 1 to every console the kernel
 * names, and into a file. Two pipes lead here: one for PID 1's own lines, which
 * never blocks, and one for its children. Each console has a buffer of its own:
 * a serial line that is stuck, slow or absent loses its oldest lines (and says
 * how many bytes), and holds up neither the others nor the sweep.
 */
#ifndef GS_CONSOLE_H
#define GS_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "consoles.h"

#define CONSOLE_BUFFER (256u << 10)
#define CONSOLE_RETRY_MS 20 /* how soon a console that is behind gets its next turn */
#define CONSOLE_TURN_MS 20  /* how long that turn is */
#define CONSOLE_LOG_LIMIT (8u << 20)

struct console_out {
	char name[CONSOLE_NAME_MAX]; /* below /dev */
	int fd;                      /* -1: can't be opened now */
	int64_t open_ms;             /* when it was last tried */
	size_t start, used;          /* in the ring */
	unsigned long dropped;       /* bytes, not yet told */
	char ring[CONSOLE_BUFFER];
};

struct console {
	int own_fd;      /* what PID 1 says, to be read */
	int children_fd; /* what its children say, to be read */
	int child_write; /* for them: their standard output and error */
	int log_fd;
	size_t log_left;
	int line_of; /* the pipe whose line is not finished yet, or -1 */
	unsigned n;
	struct console_out out[CONSOLES_MAX];
};

/* Makes the pipes and points descriptors 1 and 2 at PID 1's own. From here on
 * nothing that is said can block. Without descriptors (can't be at this point)
 * 1 and 2 stay as they are. */
void console_catch(struct console *c) nonnull_all;

/* Opens the consoles of /sys/class/tty/console/active that are not open yet
 * (/dev/console where there are none), and the log. May be called again when
 * drivers have been loaded. */
void console_open(struct console *c) nonnull_all;

/* Keeps the kernel's own chatter off the report, unless its command line asks
 * for it. */
void console_quiet_kernel(const char *cmdline) nonnull_all;

/* Carries what is in the pipes to the consoles, as far as they take it. */
void console_pump(struct console *c) nonnull_all;

/* true when a console has not taken everything yet. */
bool console_is_behind(const struct console *c) nonnull_all;

/* Pumps until all is out or limit_ms milliseconds are over. A console that is
 * still behind at half time gets only its last lines. */
void console_flush(struct console *c, int limit_ms) nonnull_all;

/* The buffer's two ends, exposed for the unit test. Pure. */
void console_add(struct console_out *o, const char *p, size_t n) nonnull_all;
/* Drops the oldest bytes so that at most keep are left, up to a line's start. */
void console_trim(struct console_out *o, size_t keep) nonnull_all;

#endif
