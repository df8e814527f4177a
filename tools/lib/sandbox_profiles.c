/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measured with strace over the tests' filesystems, sound and damaged. Memory: a checker is alone in
 * its worker; several workers share what there is, and the kernel takes the first that wants too
 * much.
 */
#include "sandbox_profiles.h"

#include <sys/syscall.h>

#include <linux/capability.h>

/* In an empty root they would tell that they can't find out what is mounted. */
static const char *const nothing_mounted[] = { "/proc/mounts", "/proc/self/mounts", "/etc/mtab", 0 };

#define THREADS SYS_membarrier, SYS_sched_setaffinity

/* Coroutines that change stacks by a signal to themselves, threads that read and write, and what
 * wakes its main loop. */
#define QEMU THREADS, SYS_tkill, SYS_rt_sigsuspend, SYS_rt_sigpending, SYS_signalfd4, SYS_eventfd2, \
	SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_wait, SYS_epoll_pwait

const struct sandbox_profile sandbox_qemu_img = {
	.name = "qemu-img", .memory_percent = 80, .threads = 80, .descriptors = 512, .calls = { QEMU },
};

/* Checkers depend on it: they go before it. */
const struct sandbox_profile sandbox_qemu_nbd = {
	.name = "qemu-nbd", .memory_percent = 50, .oom_score_adj = "900", .threads = 80, .descriptors = 512,
	.calls = { QEMU, SYS_accept4, SYS_getsockname, SYS_getpeername, SYS_recvmsg, SYS_sendmsg, SYS_shutdown,
		   SYS_chdir },
};

/* That the clock is not to be trusted. */
static const char *const e2fsck_conf[] = { "/etc/e2fsck.conf", 0 };

const struct sandbox_profile sandbox_e2fsck = {
	/* libext2fs reads bitmaps with as many threads as there are processors */
	.name = "e2fsck", .memory_percent = 80, .threads = 512, .descriptors = 32,
	.empty = nothing_mounted, .copied = e2fsck_conf, .calls = { THREADS },
};

const struct sandbox_profile sandbox_xfs_repair = {
	.name = "xfs_repair", .memory_percent = 80, .threads = 256, .descriptors = 256,
	.memory_files = true,
	.empty = nothing_mounted, .calls = { THREADS, SYS_fchmod },
};

const struct sandbox_profile sandbox_btrfs = {
	.name = "btrfs", .memory_percent = 80, .threads = 16, .descriptors = 128, .empty = nothing_mounted,
	.calls = { THREADS },
};

const struct sandbox_profile sandbox_fat = {
	.name = "fsck.fat", .memory_percent = 60, .threads = 1, .descriptors = 16, .empty = nothing_mounted,
};

const struct sandbox_profile sandbox_ntfs = {
	.name = "ntfsfix", .memory_percent = 60, .threads = 1, .descriptors = 16, .empty = nothing_mounted,
};

const struct sandbox_profile sandbox_exfat = {
	.name = "fsck.exfat", .memory_percent = 60, .threads = 1, .descriptors = 16, .empty = nothing_mounted,
};

/* It notes in the superblock which kernel it has met. */
static const char *const kernel_version[] = { "/proc/version", 0 };

const struct sandbox_profile sandbox_f2fs = {
	.name = "fsck.f2fs", .memory_percent = 80, .threads = 1, .descriptors = 16, .empty = nothing_mounted,
	.copied = kernel_version,
};

/* Only reads metadata, and is told that there is no device-mapper. */
static const char *const device_kinds[] = { "/proc/devices", 0 };

const struct sandbox_profile sandbox_lvm_report = {
	.name = "lvm fullreport", .memory_percent = 40, .threads = 1, .descriptors = 128,
	.empty = nothing_mounted, .copied = device_kinds, .lists_devices = true,
	.mapped_are_loops = true,
	.calls = { SYS_getdents64 },
};

/* Activates: device-mapper asks for CAP_SYS_ADMIN; it opens some of what it has mapped, in its own /dev. */
static const char *const dm_kinds[] = { "/proc/devices", "/proc/misc", 0 };

const struct sandbox_profile sandbox_lvm = {
	.name = "lvm", .memory_percent = 40, .threads = 1, .descriptors = 128,
	.capabilities = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_MKNOD, .empty = nothing_mounted, .copied = dm_kinds,
	.lists_devices = true,
	.calls = { SYS_getdents64, SYS_mkdir, SYS_rmdir, SYS_symlink, SYS_unlink, SYS_rename, SYS_flock,
		   SYS_getpriority, SYS_setpriority, SYS_mlock, SYS_munlock, SYS_mlockall, SYS_munlockall,
		   SYS_statfs },
};

/* libcryptsetup, reading a header and deriving its key: Argon2 in threads, PBKDF2 by itself, the key slots'
 * cipher and the rarer hashes by the kernel. Argon2's memory is allowed once the header has told how much (sandbox_set_memory()). */
const struct sandbox_profile sandbox_luks = {
	.name = "LUKS", .memory_percent = 25, .threads = 16, .descriptors = 32, .asks_ciphers = true,
	.locked_bytes = 32u << 20,
	.calls = { THREADS, SYS_bind, SYS_setsockopt, SYS_accept, SYS_sendmsg, SYS_sendto, SYS_mlock, SYS_mlock2, SYS_munlock },
};

/* Takes open descriptors of devices, and forks a sandbox_look for each. */
const struct sandbox_profile sandbox_reader = {
	.name = "reader", .memory_percent = 25, .threads = 2, .descriptors = 16, .stops = true,
	.calls = { SYS_fork, SYS_wait4, SYS_recvmsg, SYS_sendto, SYS_seccomp },
};

/* Does by itself what a sandbox_look does. */
const struct sandbox_profile sandbox_reader_of_one = {
	.name = "reader of one", .memory_percent = 25, .threads = 1, .descriptors = 16, .stops = true,
	.calls = { SYS_recvmsg, SYS_sendto },
};

const struct sandbox_profile sandbox_look = {
	.name = "look", .memory_percent = 25, .threads = 1, .descriptors = 16, .stops = true,
};

/* Takes open descriptors of an undo file and of the device that it belongs to. What it needs of memory is the same for all of them. */
const struct sandbox_profile sandbox_undo = {
	.name = "undo", .memory_percent = 10, .threads = 1, .descriptors = 16, .stops = true,
};
