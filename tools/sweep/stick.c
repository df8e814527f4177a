/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stick.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"
#include "looks.h"
#include "mounts.h"

#define LABEL "LABEL="
#define UUID "UUID="
#define PAUSE_MS 250

static bool has_name(const char *device, const char *spec)
{
	struct node n = { 0 };
	struct err e;

	snprintf(n.device, sizeof(n.device), "%s", device);
	if (look_content(&n, &e) < 0)
		return false;
	return strncmp(spec, LABEL, strlen(LABEL)) == 0 ? strcmp(n.content.label, spec + strlen(LABEL)) == 0
							: strcasecmp(n.content.uuid, spec + strlen(UUID)) == 0;
}

static bool is_mapping(const char *name)
{
	return strncmp(name, "dm-", 3) == 0;
}

/* What is built on something else, and may show its superblock a second time. */
static bool is_no_disk(const char *name)
{
	static const char *const others[] = { "loop", "ram", "zram", "nbd", "sr", "fd" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (strncmp(name, others[i], strlen(others[i])) == 0)
			return true;
	return false;
}

/* mkfs.fat gives a whole disk a partition that is all of it. */
static bool is_whole_disk_again(const char *name)
{
	char path[128];
	uint64_t start;

	snprintf(path, sizeof(path), "/sys/class/block/%.60s/start", name);
	return file_read_u64(path, &start) == 0 && start == 0;
}

/* Returns how many block devices of that kind have the name; device is the last of them. */
static unsigned count(const char *spec, bool mappings, char device[80])
{
	cleanup_dir DIR *d = opendir("/sys/class/block");
	struct dirent *entry;
	char path[80];
	unsigned n = 0;

	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.' || is_no_disk(entry->d_name) ||
		    is_mapping(entry->d_name) != mappings || is_whole_disk_again(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/dev/%.60s", entry->d_name);
		if (has_name(path, spec)) {
			memcpy(device, path, sizeof(path));
			n++;
		}
	}
	return n;
}

static int find(const char *spec, char device[80], struct err *e)
{
	unsigned n = count(spec, false, device);

	if (n == 0)
		n = count(spec, true, device);
	if (n > 1)
		return err_set(e, ENOTUNIQ, "%u filesystems are named %s", n, spec);
	return n ? 0 : err_set(e, ENODEV, "there is no filesystem %s", spec);
}

static int once(const char *spec, int (*work)(const char *folder, void *arg, struct err *e), void *arg,
		struct err *e)
{
	char device[80], folder[64];
	int rc = find(spec, device, e);

	snprintf(folder, sizeof(folder), "/run/guestsweep/key-%d", (int)getpid());
	return rc < 0 ? rc : mounts_with(device, folder, work, arg, e);
}

static long now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

int stick_with(const struct walk_env *env, const char *spec,
	       int (*work)(const char *folder, void *arg, struct err *e), void *arg, struct err *e)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	long end = now_s() + env->settings->settle_s;
	bool told = false;
	int rc;

	while ((rc = once(spec, work, arg, e)) < 0 && rc != -ENOTUNIQ && now_s() < end && !env->cancelled()) {
		if (!told)
			log_line("waiting for %s, %u s at most: %s", spec, env->settings->settle_s, e->text);
		told = true;
		env->idle(true);
		nanosleep(&pause, NULL);
	}
	env->idle(false);
	return rc;
}
