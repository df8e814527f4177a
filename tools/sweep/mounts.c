/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "mounts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "content.h"
#include "file.h"

#define UNMOUNT_TRIES 50
#define UNMOUNT_PAUSE_NS 100000000L

struct kind_of_mount {
	const char *type;
	const char *kernel_type;
	const char *read_only; /* options that keep a mount from replaying a journal */
};

static const struct kind_of_mount known[] = {
	{ "ext2", "ext4", "noload" }, { "ext3", "ext4", "noload" }, { "ext4", "ext4", "noload" },
	{ "vfat", "vfat", "" },       { "xfs", "xfs", "norecovery" }, { "btrfs", "btrfs", "rescue=nologreplay" },
};

int mounts_mount(const char *device, const char *folder, bool read_only, struct err *e)
{
	unsigned long flags = MS_NODEV | MS_NOSUID | MS_NOEXEC | MS_NOATIME |
			      (read_only ? MS_RDONLY : 0);
	struct node n = { 0 };
	size_t i;
	int rc;

	snprintf(n.device, sizeof(n.device), "%s", device);
	rc = content_read(&n, e);
	if (rc < 0)
		return rc;
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].type, n.content.type) == 0)
			break;
	if (i == ARRAY_SIZE(known))
		return err_set(e, ENODEV, "%s holds no filesystem that can be mounted here", device);
	rc = file_mkdirs(folder, e);
	if (rc < 0)
		return rc;
	if (mount(device, folder, known[i].kernel_type, flags, read_only ? known[i].read_only : "") < 0)
		return err_set(e, errno, "mount %s: %s", device, strerror(errno));
	return 0;
}

int mounts_unmount(const char *folder, struct err *e)
{
	const struct timespec pause = { .tv_nsec = UNMOUNT_PAUSE_NS };
	int i;

	for (i = 0; i < UNMOUNT_TRIES; i++) {
		if (umount2(folder, 0) == 0) {
			rmdir(folder);
			return 0;
		}
		if (errno != EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	return err_set(e, errno, "unmount %s: %s", folder, strerror(errno));
}
