/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A place for programs that read what a guest has written. A child in it is a user of its own,
 * without a capability or a way to get one, in mount, PID, UTS and cgroup namespaces of its own, and in
 * network and IPC namespaces that are its own or its guest's (sandbox_cut_off()). Its root is an empty
 * one with nothing but /dev/null and the devices and files named here, under the paths that they have
 * outside. What it may ask the kernel for is a list (sandbox_profiles.c); memory, processor time,
 * descriptors, threads and the size of files have limits; and when memory runs out it is the first to go.
 *
 * Use it through spawn.h (struct spawn_options.sandbox), or sandbox_fork() for code of ours.
 */
#ifndef GS_SANDBOX_H
#define GS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attrs.h"
#include "err.h"

#define SANDBOX_FILES_MAX 384

struct sandbox_profile; /* sandbox_profiles.h */

/* A block device, or a file, by its absolute path. */
struct sandbox_path {
	const char *path;
	bool writable;
};

struct sandbox {
	const struct sandbox_profile *profile;
	const struct sandbox_path *devices;
	size_t n_devices;
	/* Regular files that exist already, SANDBOX_FILES_MAX at most; their owner on disk does not change. */
	const struct sandbox_path *files;
	size_t n_files;
	uint64_t file_bytes; /* no file may become longer than this; 0: none may grow */
	unsigned seconds;    /* of processor time, per processor; 0: no limit */
};

/* Before anything is run in one, by the first process of the sweep: what all sandboxes share. Says
 * in the log what this kernel lacks to make them. */
void sandbox_prepare(void);

/* Gives this process, and the sandboxes that it makes from here on, a network without anything in it and
 * IPC with nobody else; without it each sandbox gets its own. */
void sandbox_cut_off(void);

/* Runs code(arg) in a child in the sandbox, which ends when that returns. Its descriptors are fds,
 * n of them, as 0, 1, ... Returns its process; -errno where it could not be put in there. */
pid_t sandbox_fork(const struct sandbox *s, const int *fds, size_t n, void (*code)(void *arg), void *arg,
		   struct err *e) must_check nonnull_at(1, 2, 4, 6);

/* The sandbox of process pid, its first, may use bytes of memory from here on, be that more or less than before;
 * nothing where the kernel limits none. */
void sandbox_set_memory(pid_t pid, uint64_t bytes);

/* In a sandbox: only what p lists may be asked of the kernel from here on. Returns 0 or -errno. */
int sandbox_narrow(const struct sandbox_profile *p, struct err *e) must_check nonnull_all;

/* Waits for the end of a child, the first process of a sandbox or one without a sandbox, and clears up behind it. Returns its
 * wait status; -1: this process has no such child. */
int sandbox_wait(pid_t pid);

/* Ends the sandboxes that another process of the sweep has left behind, pid, which is gone: a child that was stopped before it
 * was in its sandbox would stay, and know its keys. Nothing where the kernel has no cgroups. */
void sandbox_end_those_of(pid_t pid);

/* SIGTERM, in the way that a PID namespace's first process takes it: where pid has no handler for
 * it, the kernel would spare it, and it gets SIGKILL, which is what SIGTERM then stands for. All
 * other processes of the sandbox end with it. */
void sandbox_terminate(pid_t pid);

#endif
