/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the sweep cost the machine, for the report and the benchmarks. */
#ifndef GS_WORK_H
#define GS_WORK_H

#include <stdint.h>

#include <json-c/json_object.h>

#include "attrs.h"

/* Memory in KiB that a new program could have (MemAvailable, proc_meminfo(5)); 0 where
 * it can't be read. */
uint64_t work_free_memory(void);

/* Begins to count CPU time; to be called first. */
void work_start(void);

/* Looks at the memory in use; to be called now and then. */
void work_sample(void);

/* {"cpus": N, "cpu_seconds": all CPUs busy, kernel and all processes, since the start,
 *  "memory_peak_mib": the most that was in use at a sample}. */
json_object *work_report(void) must_check;

#endif
