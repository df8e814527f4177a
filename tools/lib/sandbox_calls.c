/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of system calls, as a filter for the kernel (seccomp).
 *
 * A checker's call that is not on the list fails as on a kernel that does not have it (ENOSYS), and
 * has done nothing: every C library can live with that answer, and a checker shot in the midst of a
 * repair for a harmless question would do more harm than the question. Our own reader writes nothing
 * and is known to the last call; there it ends the process. So does any call by another architecture's
 * numbers.
 *
 * Running a program is allowed from one descriptor, the program's: it closes itself by that, and its
 * number is above the limit of descriptors, so that nothing is there ever again. Memory can't become
 * code.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/blkzoned.h>
#include <linux/dm-ioctl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <linux/seccomp.h>

#include "cleanup.h"
#include "file.h"
#include "sandbox_start.h"
#include "sandbox_steps.h"

#define FILTER_MAX 512
#define X32_BIT 0x40000000
#define DEVICES_MAX 4096
#define MAJOR_MASK 0xfff00 /* of a dev_t as system calls have it */
#define MEMFD_NOEXEC_SEAL 0x8 /* linux/memfd.h of kernel 6.3 */

/* What every program of the image uses. */
static const int common[] = {
	SYS_read, SYS_write, SYS_pread64, SYS_pwrite64, SYS_readv, SYS_writev, SYS_preadv, SYS_pwritev,
	SYS_lseek, SYS_close, SYS_open, SYS_openat, SYS_stat, SYS_fstat, SYS_lstat, SYS_newfstatat, SYS_statx,
	SYS_access, SYS_faccessat, SYS_faccessat2, SYS_readlink, SYS_readlinkat, SYS_getcwd, SYS_fcntl, SYS_dup,
	SYS_dup2, SYS_dup3, SYS_fsync, SYS_fdatasync, SYS_fallocate, SYS_ftruncate, SYS_fadvise64, SYS_umask,
	SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk,
	SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
	SYS_clock_gettime, SYS_gettimeofday, SYS_nanosleep, SYS_clock_nanosleep, SYS_getrusage, SYS_times,
	SYS_sysinfo, SYS_uname, SYS_getrlimit, SYS_sched_yield, SYS_sched_getaffinity, SYS_getrandom,
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_pause,
	SYS_alarm, SYS_setitimer, SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6,
	SYS_futex, SYS_set_tid_address, SYS_set_robust_list, SYS_arch_prctl, SYS_exit, SYS_exit_group,
};

/* Questions about a device, which a checker may ask; to all others: no such thing here. */
static const unsigned ioctls[] = {
	BLKGETSIZE64, BLKGETSIZE, BLKSSZGET, BLKPBSZGET, BLKBSZGET, BLKIOMIN, BLKIOOPT, BLKALIGNOFF,
	BLKROTATIONAL, BLKROGET, BLKRAGET, BLKGETZONESZ, BLKGETNRZONES, HDIO_GETGEO, FIGETBSZ,
};

struct filter {
	struct sock_filter line[FILTER_MAX];
	unsigned short n;
};

static void add(struct filter *f, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (f->n < FILTER_MAX)
		f->line[f->n++] = (struct sock_filter)BPF_JUMP(code, k, yes, no);
}

static void load(struct filter *f, size_t offset)
{
	add(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* The low half of an argument: no argument that is looked at has more, the kernel takes an int. */
static void load_arg(struct filter *f, unsigned i)
{
	load(f, offsetof(struct seccomp_data, args[i]));
}

static void end(struct filter *f, uint32_t how)
{
	add(f, BPF_RET | BPF_K, how, 0, 0);
}

static void end_if(struct filter *f, uint32_t value, uint32_t how)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	end(f, how);
}

/* The number of lines in front of which a call that is not this one jumps. */
static unsigned begin_call(struct filter *f, int call)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 0);
	return f->n - 1u;
}

static void end_call(struct filter *f, unsigned from)
{
	f->line[from].jf = (uint8_t)(f->n - from - 1);
}

static void only_own_architecture(struct filter *f)
{
	load(f, offsetof(struct seccomp_data, arch));
	add(f, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	end(f, SECCOMP_RET_KILL_PROCESS);
	load(f, offsetof(struct seccomp_data, nr));
	add(f, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	end(f, SECCOMP_RET_KILL_PROCESS);
}

/* execveat(PROGRAM, "", ..., AT_EMPTY_PATH), as long as there is something there. */
static void the_program(struct filter *f, uint32_t otherwise)
{
	unsigned from = begin_call(f, SYS_execveat);

	load_arg(f, 0);
	add(f, BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_PROGRAM_FD, 1, 0);
	end(f, otherwise);
	load_arg(f, 4);
	end_if(f, AT_EMPTY_PATH, SECCOMP_RET_ALLOW);
	end(f, otherwise);
	end_call(f, from);
}

static void memory_without_code(struct filter *f, int call)
{
	unsigned from = begin_call(f, call);

	load_arg(f, 2);
	add(f, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
	end(f, SECCOMP_RET_ERRNO | EACCES);
	end(f, SECCOMP_RET_ALLOW);
	end_call(f, from);
}

/* Files in memory, none of which can ever be run. */
static void memory_files(struct filter *f)
{
	unsigned from = begin_call(f, SYS_memfd_create);

	load_arg(f, 1);
	add(f, BPF_JMP | BPF_JSET | BPF_K, MEMFD_NOEXEC_SEAL, 0, 1);
	end(f, SECCOMP_RET_ALLOW);
	end(f, SECCOMP_RET_ERRNO | EINVAL);
	end_call(f, from);
}

/* Ciphers of the kernel, and nothing that has another end. */
static void ciphers_only(struct filter *f)
{
	unsigned from = begin_call(f, SYS_socket);

	load_arg(f, 0);
	end_if(f, AF_ALG, SECCOMP_RET_ALLOW);
	end(f, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
	end_call(f, from);
}

static void known_ioctls(struct filter *f)
{
	unsigned from = begin_call(f, SYS_ioctl);
	size_t i;

	load_arg(f, 1);
	for (i = 0; i < ARRAY_SIZE(ioctls); i++)
		end_if(f, ioctls[i], SECCOMP_RET_ALLOW);
	/* it takes a right; the caller syncs the device anyway */
	end_if(f, BLKFLSBUF, SECCOMP_RET_ERRNO | 0);
	end(f, SECCOMP_RET_ERRNO | ENOTTY);
	end_call(f, from);
}

/* 0: none; no device has that. */
static uint32_t mapper_major(void)
{
	cleanup_free char *text = NULL;
	struct err e;
	char *at;

	if (file_read("/proc/devices", DEVICES_MAX, &text, NULL, &e) < 0)
		return 0;
	at = strstr(text, " device-mapper\n");
	while (at && at > text && at[-1] != '\n')
		at--;
	return at ? (uint32_t)strtoul(at, NULL, 10) : 0;
}

/* mknod(2) of block devices that are mapped. */
static void mapped_nodes(struct filter *f)
{
	unsigned from = begin_call(f, SYS_mknod);

	load_arg(f, 1);
	add(f, BPF_ALU | BPF_AND | BPF_K, S_IFMT, 0, 0);
	add(f, BPF_JMP | BPF_JEQ | BPF_K, S_IFBLK, 1, 0);
	end(f, SECCOMP_RET_ERRNO | EPERM);
	load_arg(f, 2);
	add(f, BPF_ALU | BPF_AND | BPF_K, MAJOR_MASK, 0, 0);
	end_if(f, mapper_major() << 8, SECCOMP_RET_ALLOW);
	end(f, SECCOMP_RET_ERRNO | EPERM);
	end_call(f, from);
}

/* Whatever device-mapper can do. The nodes of what it maps belong to root without being given. */
static void device_mapper(struct filter *f)
{
	static const int nodes[] = { SYS_chown, SYS_fchownat, SYS_chmod };
	unsigned from = begin_call(f, SYS_ioctl);
	size_t i;

	load_arg(f, 1);
	add(f, BPF_ALU | BPF_AND | BPF_K, 0xff00, 0, 0);
	end_if(f, DM_IOCTL << 8, SECCOMP_RET_ALLOW);
	load(f, offsetof(struct seccomp_data, nr));
	end_call(f, from);
	for (i = 0; i < ARRAY_SIZE(nodes); i++)
		end_if(f, (uint32_t)nodes[i], SECCOMP_RET_ERRNO | 0);
	mapped_nodes(f);
}

/* Threads, never a process or a namespace. */
static void threads_only(struct filter *f, uint32_t otherwise)
{
	unsigned from = begin_call(f, SYS_clone);

	load_arg(f, 0);
	add(f, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0);
	end(f, otherwise);
	add(f, BPF_JMP | BPF_JSET | BPF_K,
	    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
		    CLONE_NEWNET, 0, 1);
	end(f, otherwise);
	end(f, SECCOMP_RET_ALLOW);
	end_call(f, from);
}

/* prctl(2) for what a C library and libext2fs use it for. */
static void own_name(struct filter *f)
{
	unsigned from = begin_call(f, SYS_prctl);

	load_arg(f, 0);
	end_if(f, PR_GET_DUMPABLE, SECCOMP_RET_ALLOW);
	end_if(f, PR_SET_NAME, SECCOMP_RET_ALLOW);
	end(f, SECCOMP_RET_ERRNO | EINVAL);
	end_call(f, from);
}

/* prlimit(2) of itself, to ask. Who sets a limit is told that it is done: some give up without. */
static void own_limits(struct filter *f, uint32_t otherwise)
{
	unsigned from = begin_call(f, SYS_prlimit64);

	load_arg(f, 0);
	add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	end(f, otherwise);
	load_arg(f, 2);
	end_if(f, 0, SECCOMP_RET_ALLOW);
	end(f, SECCOMP_RET_ERRNO | 0);
	end_call(f, from);
}

static void make(struct filter *f, const struct sandbox_profile *p)
{
	uint32_t otherwise = p->stops ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | ENOSYS;
	size_t i;

	only_own_architecture(f);
	for (i = 0; i < ARRAY_SIZE(common); i++)
		end_if(f, (uint32_t)common[i], SECCOMP_RET_ALLOW);
	for (i = 0; i < SANDBOX_CALLS_MAX && p->calls[i]; i++)
		end_if(f, (uint32_t)p->calls[i], SECCOMP_RET_ALLOW);
	memory_without_code(f, SYS_mmap);
	memory_without_code(f, SYS_mprotect);
	if (p->memory_files)
		memory_files(f);
	if (p->asks_ciphers)
		ciphers_only(f);
	if (p->capabilities)
		device_mapper(f);
	known_ioctls(f);
	own_limits(f, otherwise);
	own_name(f);
	if (p->threads > 1)
		threads_only(f, otherwise);
	the_program(f, otherwise);
	end(f, otherwise);
}

int sandbox_narrow(const struct sandbox_profile *p, struct err *e)
{
	struct filter f = { .n = 0 };
	struct sock_fprog program = { .filter = f.line };

	make(&f, p);
	if (f.n == FILTER_MAX)
		return err_set(e, E2BIG, "the list of system calls is too long");
	program.len = f.n;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return err_set(e, errno, "seccomp: %s", strerror(errno));
	return 0;
}

int sandbox_restrict_calls(const struct sandbox_plan *p, struct err *e)
{
	return sandbox_narrow(p->s->profile, e);
}
