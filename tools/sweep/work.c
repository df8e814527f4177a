/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"

#define PROC_FILE_MAX (1u << 20)

static double busy_at_start;
static uint64_t most_in_use; /* KiB */

static uint64_t meminfo(const char *key)
{
	cleanup_free char *text = NULL;
	struct err e;
	char *at;

	if (file_read("/proc/meminfo", PROC_FILE_MAX, &text, NULL, &e) < 0)
		return 0;
	at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

uint64_t work_free_memory(void)
{
	return meminfo("MemAvailable:");
}

/* All CPUs together, without idle and iowait (proc_stat(5)), in seconds. */
static double busy(void)
{
	unsigned long long user, nice, system, idle, wait, irq, soft, steal;
	cleanup_free char *text = NULL;
	struct err e;

	if (file_read("/proc/stat", PROC_FILE_MAX, &text, NULL, &e) < 0 ||
	    sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle,
		   &wait, &irq, &soft, &steal) != 8)
		return 0;
	return (double)(user + nice + system + irq + soft + steal) / (double)sysconf(_SC_CLK_TCK);
}

void work_start(void)
{
	busy_at_start = busy();
	work_sample();
}

void work_sample(void)
{
	uint64_t total = meminfo("MemTotal:"), available = work_free_memory();

	if (total > available && total - available > most_in_use)
		most_in_use = total - available;
}

json_object *work_report(void)
{
	json_object *o = json_object_new_object();
	char seconds[32];

	snprintf(seconds, sizeof(seconds), "%.2f", busy() - busy_at_start);
	json_object_object_add(o, "cpus", json_object_new_int64(sysconf(_SC_NPROCESSORS_ONLN)));
	json_object_object_add(o, "cpu_seconds", json_object_new_double_s(atof(seconds), seconds));
	json_object_object_add(o, "memory_peak_mib", json_object_new_int64((int64_t)(most_in_use >> 10)));
	return o;
}
