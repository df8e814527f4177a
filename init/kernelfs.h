/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's file systems and the folders in RAM that every tool expects. */
#ifndef GS_KERNELFS_H
#define GS_KERNELFS_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"

/* Makes sure that descriptors 0, 1 and 2 are something, so that no later open
 * becomes one of them. Needs nothing, not even /dev. */
void descriptors_sane(void);

/* Mounts everything. What can't be mounted is told in a line and left out; the
 * sweep finds out what it misses. */
void mounts_make(void);

/* All of the sweep's processes, whatever sessions they make, are in one group that the kernel kills
 * at one word: its own in main/, those of a sandbox in folders of their own beside that, whose
 * memory and number of processes can be limited. */
#define SWEEP_GROUP "/sys/fs/cgroup/sweep"
#define SWEEP_GROUP_PROCS SWEEP_GROUP "/main/cgroup.procs"

/* Makes the group, as far as the kernel can. */
void sweep_group_make(void);

/* Removes it. Returns 0; -EBUSY: not all of its processes are gone yet. */
int sweep_group_remove(void);

/* Sets what the kernel does on a panic: the host must come back. A panic= on the
 * kernel command line stays. */
void panic_reboots(void);

#define OOM_SCORE_ADJ "/proc/self/oom_score_adj"

/* Out of memory never kills this process, nor the sweep's supervisor, which inherits that. */
void never_out_of_memory(void);

/*
 * Reads one line of /proc/self/mountinfo (and changes it): true when a file
 * system that lies on a block device is mounted there, *point is then the
 * mount point. Pure.
 */
bool mount_is_storage(char *line, const char **point) nonnull_all;

/* Writes text to a file of /proc or /sys. Returns 0 or -errno. */
int sys_write(const char *path, const char *text) nonnull_all;

#endif
