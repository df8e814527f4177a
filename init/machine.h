/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that PID 1 knows, in one static piece: no step depends on memory that
 * may not be there. The numbers that decide how long anything may take are
 * here too, so that the worst case can be added up in one place.
 */
#ifndef GS_MACHINE_H
#define GS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "console.h"
#include "settings.h"
#include "watchdog.h"

#define SWEEP_PROGRAM "/usr/sbin/sweep"
#define CONFIG_FOLDER "/etc/guestsweep"
#define RUN_FOLDER "/run/guestsweep"

/* Seconds. */
#define SETTLE_GRACE_S 20     /* the disk finder's own limit is settle; this is behind it */
#define DEADLINE_GRACE_S 120  /* for the sweep to end itself after its deadline; no more than that was ... */
#define GRACE_LEAST_S 60      /* ... but so much, for a disk that never answers takes it */
#define SILENCE_S 300         /* without a sign of life the sweep is stuck */
#define TERM_S 20             /* between SIGTERM and SIGKILL */
#define KILL_S 5              /* after SIGKILL: what is then left hangs in the kernel */
#define AFTERMATH_S 120       /* to tear down and publish what a dead sweep left */
#define END_TERM_S 2          /* at the very end, for all that still runs */
#define END_KILL_S 3
#define SYNC_S 30             /* a killed repair may have much to write */
#define UNMOUNT_S 5
#define FLUSH_S 5             /* consoles that are slow, not stuck */
#define REBOOT_S 60           /* for reboot(2), then the hard way */

enum role {
	ROLE_HOTPLUG, /* loads modules, follows uevents */
	ROLE_SWEEP,   /* the sweep, later its aftermath */
	ROLE_HELPER,  /* a step that may hang: sync, unmount, reboot */
	ROLE_SHELL,   /* the first of CONSOLES_MAX */
	ROLES = ROLE_SHELL + CONSOLES_MAX
};

struct child {
	pid_t pid;  /* 0: not running */
	int status; /* wait status of the last one */
};

/* What a person asked PID 1 for, by BusyBox's reboot, poweroff, halt or by
 * Ctrl-Alt-Del. */
enum request { REQUEST_NONE, REQUEST_END, REQUEST_POWEROFF };

struct machine {
	int signal_fd;
	int progress_fd;      /* -1: no sweep runs */
	int settled_fd;       /* -1: the disks are there, or nobody looks for them */
	int64_t progress_ms;  /* when the sweep last gave a sign of life */
	enum request request;
	struct child child[ROLES];
	struct console console;
	struct watchdog watchdog;
	struct settings settings;
};

/* Milliseconds since the kernel started. */
int64_t now_ms(void);

#endif
