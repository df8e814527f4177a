/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "mounts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "content.h"
#include "file.h"
#include "log.h"

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

static const struct kind_of_mount *find_kind(const char *type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].type, type) == 0)
			return &known[i];
	return NULL;
}

bool mounts_can(const char *type)
{
	return find_kind(type) != NULL;
}

int mounts_mount(const char *device, const char *folder, bool read_only, struct err *e)
{
	unsigned long flags = MS_NODEV | MS_NOSUID | MS_NOEXEC | MS_NOATIME |
			      (read_only ? MS_RDONLY : 0);
	const struct kind_of_mount *kind;
	struct node n = { 0 };
	int rc;

	snprintf(n.device, sizeof(n.device), "%s", device);
	rc = content_read(&n, e);
	if (rc < 0)
		return rc;
	kind = find_kind(n.content.type);
	if (!kind)
		return err_set(e, ENODEV, "%s holds no filesystem that can be mounted here", device);
	rc = file_mkdirs(folder, e);
	if (rc < 0)
		return rc;
	if (mount(device, folder, kind->kernel_type, flags, read_only ? kind->read_only : "") < 0)
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

unsigned mounts_unmount_all(const unsigned *ids, size_t n)
{
	cleanup_dir DIR *dir = opendir(MOUNTS_FOLDER);
	unsigned left = 0, id;
	struct dirent *entry;
	char path[320];
	struct err e;
	size_t i;

	while (dir && (entry = readdir(dir))) {
		if (sscanf(entry->d_name, "%u", &id) != 1)
			continue;
		for (i = 0; i < n && ids[i] != id; i++)
			;
		snprintf(path, sizeof(path), MOUNTS_FOLDER "/%s", entry->d_name);
		if (i < n || mounts_unmount(path, &e) == 0)
			continue;
		log_line("%s", e.text);
		left++;
	}
	return left;
}
