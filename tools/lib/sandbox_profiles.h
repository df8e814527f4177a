/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each kind of program may do in its sandbox: data only. */
#ifndef GS_SANDBOX_PROFILES_H
#define GS_SANDBOX_PROFILES_H

#include <stdbool.h>
#include <stdint.h>

#define SANDBOX_CALLS_MAX 24

struct sandbox_profile {
	const char *name;
	unsigned memory_percent; /* of the memory that is free when it starts */
	unsigned threads;        /* processes and threads in all */
	unsigned descriptors;
	bool memory_files;       /* makes files in memory, whose size has no limit of its own */
	bool stops;              /* a call that is not listed ends it; else the call fails (ENOSYS) */
	const char *const *empty;   /* files that it finds, without anything in them; NULL-ended */
	const char *copied;         /* one that it finds as it is outside, 4 KiB of it; NULL: none */
	int calls[SANDBOX_CALLS_MAX]; /* system calls besides those that all may use; 0 ends them */
};

extern const struct sandbox_profile sandbox_e2fsck, sandbox_xfs_repair, sandbox_btrfs, sandbox_fat,
	sandbox_ntfs, sandbox_exfat, sandbox_f2fs, sandbox_reader, sandbox_look;

#endif
