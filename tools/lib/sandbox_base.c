/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mounts that sandboxes begin with: a namespace with the root and /proc, which their own roots are made over, and nothing
 * else. All of them are copies of it, made from the first one's process. So none has to let go of what is mounted
 * elsewhere, which takes the kernel longer than all the rest, and a filesystem of the host can be unmounted while they go on.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "cleanup.h"
#include "sandbox_steps.h"

#define MOUNTS "/proc/self/ns/mnt"

static int base = -1;

static int failed(struct err *e)
{
	return err_set(e, errno, "no sandbox: mounts: %s", strerror(errno));
}

static void detach_all_but(const char *kept)
{
	cleanup_dir DIR *dir = opendir("/");
	struct dirent *entry;
	char path[300];

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/%s", entry->d_name);
		if (entry->d_name[0] != '.' && strcmp(path, kept) != 0)
			umount2(path, MNT_DETACH);
	}
}

int sandbox_make_base(struct err *e)
{
	cleanup_fd int own = base < 0 ? open(MOUNTS, O_RDONLY | O_CLOEXEC) : -1;
	int rc = 0;

	if (base >= 0)
		return 0;
	if (own < 0 || unshare(CLONE_NEWNS) < 0)
		return failed(e);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		rc = failed(e);
	} else {
		detach_all_but(SANDBOX_ROOT);
		base = open(MOUNTS, O_RDONLY | O_CLOEXEC);
		rc = base < 0 ? failed(e) : 0;
	}
	return setns(own, CLONE_NEWNS) < 0 ? failed(e) : rc;
}

int sandbox_enter_base(struct err *e)
{
	return setns(base, CLONE_NEWNS) < 0 || unshare(CLONE_NEWNS) < 0 ? failed(e) : 0;
}
