/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "shell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"

#define SHELL "/bin/sh"
/* A shell that ends sooner, and again, was not ended by a person: the console is
 * dead. */
#define TOO_SOON_MS 1000
#define TOO_OFTEN 3

static const char banner[] =
	"\n"
	"guestsweep: the rescue shell (after = shell). The sweep is over, nothing is open.\n"
	"  what it left    /run/guestsweep      (reports are on the report filesystem too)\n"
	"  console so far  /run/guestsweep/console.log, the kernel's: dmesg\n"
	"  configuration   /etc/guestsweep\n"
	"  tools           lvm, cryptsetup, dmsetup, e2fsck and its family, BusyBox\n"
	"  to leave        exit or Ctrl-D here: the host reboots; or: reboot, poweroff\n"
	"\n";

static void __attribute__((noreturn)) become(const char *console)
{
	static const char *const argv[] = { SHELL, "-l", NULL };
	static const char *const env[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LC_ALL=C", "TZ=UTC0",
		"TERM=linux", NULL,
	};
	char path[sizeof("/dev/") + CONSOLE_NAME_MAX];
	int fd;

	setsid();
	snprintf(path, sizeof(path), "/dev/%s", console);
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		_exit(1);
	fcntl(fd, F_SETFL, O_RDWR);
	/* Fails on /dev/console itself: then a shell without job control. */
	ioctl(fd, TIOCSCTTY, 1);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
	if (write(STDOUT_FILENO, banner, sizeof(banner) - 1) < 0)
		_exit(1);
	execve(argv[0], (char *const *)argv, (char *const *)env);
	_exit(1);
}

struct seat {
	int64_t began_ms;
	unsigned soon; /* how often in a row a shell ended too soon */
	bool is_dead;
};

static void start(struct machine *m, struct seat *seat, unsigned i)
{
	pid_t pid = loop_fork(m, ROLE_SHELL + i);

	if (!pid)
		become(m->console.out[i].name);
	seat->began_ms = now_ms();
	seat->is_dead = pid < 0;
}

/* The shell there has ended: true when a person is done. One that was killed, or
 * whose line was hung up, comes back. */
static bool ended(struct machine *m, struct seat *seat, unsigned i)
{
	bool soon = now_ms() - seat->began_ms < TOO_SOON_MS;

	if (!soon && WIFEXITED(m->child[ROLE_SHELL + i].status))
		return true;
	seat->soon = soon ? seat->soon + 1 : 0;
	seat->is_dead = seat->soon == TOO_OFTEN;
	if (!seat->is_dead)
		start(m, seat, i);
	return false;
}

void shell_run(struct machine *m)
{
	struct seat seat[CONSOLES_MAX] = { 0 };
	unsigned i, n;

	m->request = REQUEST_NONE;
	console_flush(&m->console, FLUSH_S * 1000);
	for (i = 0; i < m->console.n; i++)
		start(m, &seat[i], i);
	do {
		loop_turn(m, now_ms() + 60000);
		for (i = n = 0; i < m->console.n; i++) {
			if (!seat[i].is_dead && !m->child[ROLE_SHELL + i].pid &&
			    ended(m, &seat[i], i))
				return;
			n += !seat[i].is_dead;
		}
	} while (n && m->request == REQUEST_NONE);
	if (!n)
		log_line("no console works for a shell");
}
