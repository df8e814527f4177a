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
	const char *oom_score_adj; /* NULL: 1000, the first to go */
	unsigned threads;        /* processes and threads in all */
	unsigned descriptors;
	bool memory_files;       /* makes files in memory, whose size has no limit of its own */
	bool asks_ciphers;       /* sockets to the kernel's ciphers (AF_ALG), of no other family */
	uint64_t locked_bytes;   /* of memory that it may lock, for keys */
	uint64_t capabilities;   /* it stays root and keeps these: one bit each; its /dev is its own then */
	bool mapped_are_loops;   /* /proc/devices calls device-mapper "loop": LVM asks that nothing then */
	bool lists_devices;      /* may see which devices it has */
	bool stops;              /* a call that is not listed ends it; else the call fails (ENOSYS) */
	const char *const *empty;   /* files that it finds, without anything in them; NULL-ended */
	const char *const *copied;  /* files below /proc that it finds as they are outside, likewise */
	int calls[SANDBOX_CALLS_MAX]; /* system calls besides those that all may use; 0 ends them */
};

extern const struct sandbox_profile sandbox_e2fsck, sandbox_xfs_repair, sandbox_btrfs, sandbox_fat,
	sandbox_ntfs, sandbox_exfat, sandbox_f2fs, sandbox_reader, sandbox_reader_of_one, sandbox_look,
	sandbox_lvm_report, sandbox_lvm, sandbox_luks, sandbox_undo;
extern const struct sandbox_profile sandbox_qemu_img, sandbox_qemu_nbd;

#endif
