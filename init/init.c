/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PID 1 of the maintenance image, as the list of its steps. Each has a file of
 * its own. No step can fail: it does what can be done, says what can't, and the
 * next one follows, so that the host comes back whatever happened.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "console.h"
#include "file.h"
#include "finish.h"
#include "hotplug.h"
#include "log.h"
#include "loop.h"
#include "machine.h"
#include "kernelfs.h"
#include "session.h"

#define USAGE 2
#define CMDLINE_MAX 65536

static struct machine m;

static void begin(void)
{
	m.signal_fd = m.progress_fd = m.settled_fd = m.watchdog.fd = -1;
	/* Should there be no memory for the settings. */
	m.settings.after = AFTER_REBOOT;
	m.settings.deadline_s = 4 * 3600;
	m.settings.settle_s = 30;
}

/* What is wrong in them is the sweep's to tell; here the defaults then count. */
static void read_settings(void)
{
	cleanup_free char *cmdline = NULL;
	struct settings loaded;
	struct err e;

	if (file_read("/proc/cmdline", CMDLINE_MAX, &cmdline, NULL, &e))
		log_line("%s", e.text);
	console_quiet_kernel(cmdline ? cmdline : "");
	if (settings_load(&loaded, CONFIG_FOLDER, cmdline ? cmdline : "", &e))
		log_line("%s", e.text);
	else
		m.settings = loaded;
}

static void say_ready(int64_t began_ms)
{
	long long now = now_ms(), here = now - began_ms;

	log_line("ready %lld.%lld s after the kernel's start, "
		 "%lld.%lld s of them for drivers and disks%s%s",
		 now / 1000, now % 1000 / 100, here / 1000, here % 1000 / 100,
		 *m.watchdog.identity ? "; watchdog: " : "", m.watchdog.identity);
}

int main(void)
{
	int64_t began_ms = now_ms();

	if (getpid() != 1) {
		log_line("this is PID 1 of the maintenance image, and does nothing elsewhere");
		return USAGE;
	}
	begin();
	loop_signals(&m);
	descriptors_sane();
	console_catch(&m.console);

	/* From here on PID 1 may not exit, and does not. */
	mounts_make();
	console_open(&m.console);
	panic_reboots();
	never_out_of_memory();
	read_settings();
	hotplug_start(&m);
	console_open(&m.console);
	say_ready(began_ms);
	session_run(&m);
	finish(&m);
}
