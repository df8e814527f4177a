/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits for a sandbox as a whole. PID 1 has mounted the hierarchy, and put memory and pids at the
 * disposal of the folders below sweep/; where the kernel has none of them there are no such limits,
 * which sandbox_prepare() has said. A group serves one sandbox after the other: to make and remove one takes the kernel
 * longer than all else of a sandbox's begin. PID 1 removes them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "sandbox_steps.h"

#define GROUPS "/sys/fs/cgroup/sweep"
#define MEMINFO_MAX 16384
#define LEAST_MEMORY (64ULL << 20)
#define FOLDER_SIZE 160
#define GROUPS_MAX 4096 /* sandboxes at a time, and those whose end nobody was left to see */

/* By a group's number: the process whose sandbox is in it; 0: none is. Of all processes of the sweep together. */
static pid_t *owner;

int sandbox_share_cgroups(void)
{
	void *p;

	if (owner)
		return 0;
	p = mmap(NULL, GROUPS_MAX * sizeof(*owner), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	owner = p;
	return 0;
}

static int take_group(void)
{
	pid_t own = getpid(), none;
	int i;

	for (i = 0; i < GROUPS_MAX; i++) {
		none = 0;
		if (__atomic_compare_exchange_n(&owner[i], &none, own, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return i;
	}
	return -1;
}

void sandbox_give_back(int number)
{
	if (number >= 0)
		__atomic_store_n(&owner[number], 0, __ATOMIC_RELEASE);
}

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

/* 0: no limit. */
static void set_memory(const char *folder, uint64_t bytes)
{
	char value[32];

	snprintf(value, sizeof(value), "%llu", (unsigned long long)bytes);
	set(folder, "memory.max", bytes ? value : "max");
}

/* Returns -errno where there is none. */
static int make_group(const char *folder)
{
	if (mkdir(folder, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	set(folder, "memory.swap.max", "0");
	set(folder, "memory.oom.group", "1");
	return 0;
}

static void folder_of(int number, char folder[FOLDER_SIZE])
{
	snprintf(folder, FOLDER_SIZE, GROUPS "/box-%d", number);
}

void sandbox_take_cgroup(struct sandbox_plan *p)
{
	uint64_t most = free_memory() / 100 * p->s->profile->memory_percent;
	char folder[FOLDER_SIZE], value[32];

	p->group = take_group();
	folder_of(p->group, folder);
	if (p->group >= 0 && make_group(folder) == 0) {
		set_memory(folder, most && most < LEAST_MEMORY ? LEAST_MEMORY : most);
		snprintf(value, sizeof(value), "%u", p->s->profile->threads);
		set(folder, "pids.max", value);
		p->cgroup = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (p->cgroup < 0) {
		sandbox_give_back(p->group);
		p->group = -1;
	}
}

int sandbox_group(pid_t pid)
{
	static const char box[] = "/sweep/box-";
	cleanup_free char *text = NULL;
	char path[64], *name;
	struct err e;
	int group;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (file_read(path, 4096, &text, NULL, &e) < 0)
		return -1;
	name = strstr(text, box);
	group = name ? atoi(name + strlen(box)) : -1;
	return group < GROUPS_MAX ? group : -1;
}

void sandbox_set_memory(pid_t pid, uint64_t bytes)
{
	char folder[FOLDER_SIZE];
	int group = sandbox_group(pid);

	folder_of(group, folder);
	if (group >= 0)
		set_memory(folder, bytes);
}

/* A group's folder can be removed when nothing is in it any more. */
void sandbox_end_those_of(pid_t pid)
{
	char folder[FOLDER_SIZE];
	int i;

	for (i = 0; owner && i < GROUPS_MAX; i++) {
		if (owner[i] != pid)
			continue;
		folder_of(i, folder);
		set(folder, "cgroup.kill", "1");
		if (rmdir(folder) == 0)
			sandbox_give_back(i);
	}
}
