/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "hotplug.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"
#include "loop.h"
#include "modules.h"
#include "settle.h"
#include "uevent.h"

#define ALIAS_MAX 4096
#define TICK_MS 50
#define CPU_ALIAS "/sys/devices/system/cpu/modalias"

/* Static: in a child of its own, and larger than a stack likes. */
static struct uevent event;

static void load_alias_file(struct modules *m, const char *path)
{
	cleanup_free char *text = NULL;
	struct err e;

	if (file_read(path, ALIAS_MAX, &text, NULL, &e))
		return;
	text[strcspn(text, "\n")] = 0;
	if (*text)
		modules_load_alias(m, text);
}

/* Some buses (MMC) tell the alias in the uevent file only. */
static void load_uevent_file(struct modules *m, const char *path)
{
	cleanup_free char *text = NULL;
	struct err e;
	char *at;

	if (file_read(path, ALIAS_MAX, &text, NULL, &e))
		return;
	at = strstr(text, "MODALIAS=");
	if (!at || (at > text && at[-1] != '\n'))
		return;
	at += strlen("MODALIAS=");
	at[strcspn(at, "\n")] = 0;
	modules_load_alias(m, at);
}

static void coldplug_bus(struct modules *m, const char *bus)
{
	char folder[PATH_MAX], path[PATH_MAX + NAME_MAX + 16];
	cleanup_dir DIR *d = NULL;
	struct dirent *entry;

	snprintf(folder, sizeof(folder), "/sys/bus/%s/devices", bus);
	d = opendir(folder);
	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/modalias", folder, entry->d_name);
		if (!access(path, F_OK)) {
			load_alias_file(m, path);
			continue;
		}
		snprintf(path, sizeof(path), "%s/%s/uevent", folder, entry->d_name);
		load_uevent_file(m, path);
	}
}

/* The drivers of all devices that are there. */
static void coldplug(struct modules *m)
{
	cleanup_dir DIR *d = opendir("/sys/bus");
	struct dirent *entry;

	load_alias_file(m, CPU_ALIAS);
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			coldplug_bus(m, entry->d_name);
}

/* Waits for one uevent and loads its driver. true when a device has come. */
static bool follow(struct modules *m, int fd, int timeout_ms)
{
	int r = uevent_next(fd, timeout_ms, &event);

	if (r == -ENOBUFS) {
		coldplug(m);
		return true;
	}
	if (r < 0) /* never; but then not in a busy loop */
		poll(NULL, 0, 1000);
	if (r <= 0 || strcmp(event.action, "add"))
		return false;
	if (event.modalias)
		modules_load_alias(m, event.modalias);
	return true;
}

static void settle(struct modules *m, int fd, int64_t until_ms)
{
	int64_t last = now_ms();

	while (now_ms() < until_ms) {
		int quiet;

		if (follow(m, fd, TICK_MS) || modules_busy(m)) {
			last = now_ms();
			continue;
		}
		quiet = settle_quiet_ms(settle_look());
		if (quiet >= 0 && now_ms() - last >= quiet)
			return;
	}
}

static void __attribute__((noreturn)) hotplug(unsigned settle_s, int settled_fd)
{
	int64_t until_ms = now_ms() + settle_s * (int64_t)1000;
	struct modules *m;
	struct err e;
	int fd;

	prctl(PR_SET_NAME, "hotplug");
	fd = uevent_open(&e);
	if (fd < 0)
		log_line("%s: devices that come late stay unseen", e.text);
	m = modules_open();
	if (!m)
		_exit(1);
	coldplug(m);
	modules_load_list(m);
	if (fd >= 0)
		settle(m, fd, until_ms);
	close(settled_fd);
	if (access("/dev/watchdog0", F_OK))
		modules_load(m, "softdog", "");
	while (fd >= 0)
		follow(m, fd, modules_busy(m) ? TICK_MS : -1);
	_exit(0);
}

void hotplug_start(struct machine *m)
{
	int64_t limit_ms = now_ms() + (m->settings.settle_s + SETTLE_GRACE_S) * (int64_t)1000;
	int settled[2];
	pid_t pid;

	if (pipe2(settled, O_CLOEXEC | O_NONBLOCK) < 0) {
		log_line("no driver is loaded: pipe: %s", strerror(errno));
		return;
	}
	pid = loop_fork(m, ROLE_HOTPLUG);
	if (!pid)
		hotplug(m->settings.settle_s, settled[1]);
	close(settled[1]);
	if (pid < 0) {
		log_line("no driver is loaded: fork: %s", strerror(errno));
		close(settled[0]);
		return;
	}
	m->settled_fd = settled[0];
	while (m->settled_fd >= 0 && now_ms() < limit_ms)
		loop_turn(m, limit_ms);
	if (m->settled_fd >= 0)
		log_line("a driver's start hangs: going on without it");
}
