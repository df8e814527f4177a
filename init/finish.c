/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "finish.h"

#include <errno.h>
#include <linux/reboot.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"
#include "loop.h"
#include "kernelfs.h"
#include "shell.h"

#define MOUNTS_MAX 256

/* Every process is PID 1's child when its own parent is gone: none left means
 * nobody else runs. */
static bool is_alone(void)
{
	siginfo_t si;

	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

static void wait_for_all(struct machine *m, int seconds)
{
	int64_t until_ms = now_ms() + seconds * 1000;

	while (!is_alone() && now_ms() < until_ms)
		loop_turn(m, until_ms);
}

static void end_all(struct machine *m)
{
	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
	wait_for_all(m, END_TERM_S);
	kill(-1, SIGKILL);
	wait_for_all(m, END_KILL_S);
}

/* Runs step in a child, for a device that hangs must not hang PID 1. */
static void bounded(struct machine *m, void (*step)(void), int seconds, const char *what)
{
	pid_t pid = loop_fork(m, ROLE_HELPER);

	if (!pid) {
		step();
		_exit(0);
	}
	if (pid > 0 && loop_wait(m, ROLE_HELPER, now_ms() + seconds * 1000))
		return;
	m->child[ROLE_HELPER].pid = 0; /* stuck: left behind */
	log_line("%s: not done after %d s, going on", what, seconds);
}

/* Newest first. What is busy (a stuck process) goes out of sight, after its data
 * has been written. */
static void unmount_all(void)
{
	char *point[MOUNTS_MAX];
	cleanup_file FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096];
	const char *at;
	size_t n = 0;

	while (f && n < MOUNTS_MAX && fgets(line, sizeof(line), f))
		if (mount_is_storage(line, &at) && (point[n] = strdup(at)))
			n++;
	while (n-- > 0)
		if (umount(point[n]) && mount(NULL, point[n], NULL, MS_REMOUNT | MS_RDONLY, NULL))
			umount2(point[n], MNT_DETACH);
}

static long reboot_now(unsigned command)
{
	return syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, NULL);
}

static void restart(void)
{
	reboot_now(LINUX_REBOOT_CMD_RESTART);
}

static void power_off(void)
{
	reboot_now(LINUX_REBOOT_CMD_POWER_OFF);
}

static void start_loaded_kernel(void)
{
	reboot_now(LINUX_REBOOT_CMD_KEXEC);
}

static bool is_kernel_loaded(void)
{
	uint64_t loaded;

	return !file_read_u64("/sys/kernel/kexec_loaded", &loaded) && loaded;
}

/* What happens after the shell is the person's wish. */
static enum after after(struct machine *m)
{
	if (m->settings.after == AFTER_SHELL) {
		shell_run(m);
		return m->request == REQUEST_POWEROFF ? AFTER_POWEROFF : AFTER_REBOOT;
	}
	if (m->settings.after == AFTER_KEXEC && !is_kernel_loaded()) {
		log_line("after = kexec, but no kernel is loaded: a plain reboot instead");
		return AFTER_REBOOT;
	}
	return m->settings.after;
}

void finish(struct machine *m)
{
	enum after how = after(m);

	end_all(m);
	bounded(m, sync, SYNC_S, "writing to the disks");
	bounded(m, unmount_all, UNMOUNT_S, "unmounting");
	watchdog_leave(&m->watchdog);
	console_flush(&m->console, FLUSH_S * 1000);
	/* reboot(2) waits for every device's driver: in a child, too. */
	if (how == AFTER_KEXEC)
		bounded(m, start_loaded_kernel, REBOOT_S, "starting the loaded kernel");
	if (how == AFTER_POWEROFF)
		bounded(m, power_off, REBOOT_S, "powering off");
	bounded(m, restart, REBOOT_S, "rebooting");
	for (;;) {
		console_flush(&m->console, 1000);
		sys_write("/proc/sysrq-trigger", "b");
		reboot_now(LINUX_REBOOT_CMD_RESTART);
		sleep(1);
	}
}
