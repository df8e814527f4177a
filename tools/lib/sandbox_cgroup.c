/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits for a sandbox as a whole. PID 1 has mounted the hierarchy, and put memory and pids at the
 * disposal of the folders below sweep/; where the kernel has none of them there are no such limits,
 * which sandbox_prepare() has said.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "sandbox_steps.h"

#define GROUPS "/sys/fs/cgroup/sweep"
#define MEMINFO_MAX 16384
#define LEAST_MEMORY (64ULL << 20)
#define FOLDER_SIZE 160

/* Bytes; 0: not known. */
static uint64_t free_memory(void)
{
	cleanup_free char *text = NULL;
	struct err e;
	char *at;

	if (file_read("/proc/meminfo", MEMINFO_MAX, &text, NULL, &e) < 0)
		return 0;
	at = strstr(text, "MemAvailable:");
	return at ? strtoull(at + strlen("MemAvailable:"), NULL, 10) << 10 : 0;
}

static void set(const char *folder, const char *name, const char *value)
{
	char path[FOLDER_SIZE + 32];
	struct err ignored;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (file_set(path, value, &ignored) < 0)
		return; /* without that controller there is no such file */
}

static void set_memory(const char *folder, uint64_t bytes)
{
	char value[32];

	snprintf(value, sizeof(value), "%llu", (unsigned long long)bytes);
	set(folder, "memory.max", value);
}

void sandbox_make_cgroup(struct sandbox_plan *p)
{
	uint64_t most = free_memory() / 100 * p->s->profile->memory_percent;
	char folder[FOLDER_SIZE], value[32];

	snprintf(folder, sizeof(folder), GROUPS "/box-%u", p->number);
	if (mkdir(folder, 0755) < 0)
		return;
	if (most) {
		set_memory(folder, most < LEAST_MEMORY ? LEAST_MEMORY : most);
		set(folder, "memory.swap.max", "0");
	}
	set(folder, "memory.oom.group", "1");
	snprintf(value, sizeof(value), "%u", p->s->profile->threads);
	set(folder, "pids.max", value);
	p->cgroup = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Of the sandbox whose first process is pid. Returns false where it has none. */
static bool find_cgroup(pid_t pid, char folder[FOLDER_SIZE])
{
	cleanup_free char *text = NULL;
	char path[64], *name;
	struct err e;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (file_read(path, 4096, &text, NULL, &e) < 0)
		return false;
	name = strstr(text, "/box-");
	if (name)
		snprintf(folder, FOLDER_SIZE, GROUPS "%.*s", (int)strcspn(name, " \n"), name);
	return name;
}

void sandbox_set_memory(pid_t pid, uint64_t bytes)
{
	char folder[FOLDER_SIZE];

	if (find_cgroup(pid, folder))
		set_memory(folder, bytes);
}

void sandbox_drop_cgroup(pid_t pid)
{
	char folder[FOLDER_SIZE];

	if (find_cgroup(pid, folder))
		rmdir(folder); /* PID 1 clears up what is left */
}
