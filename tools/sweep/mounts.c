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
#include "extsuper.h"
#include "file.h"
#include "log.h"
#include "looks.h"

#define OUR_FOLDER "/run/guestsweep/"
#define UNMOUNT_TRIES 50
#define UNMOUNT_PAUSE_NS 100000000L

struct kind_of_mount {
	const char *type;
	const char *kernel_type;
	const char *writable;  /* options: a copy beside its original is no reason to refuse */
	const char *read_only; /* the same, and no replay of a journal */
};

/* btrfs discards by default what it frees, ext4 where its superblock asks for that. */
static const struct kind_of_mount known[] = {
	{ "ext2", "ext4", "nodiscard", "noload" },
	{ "ext3", "ext4", "nodiscard", "noload" },
	{ "ext4", "ext4", "nodiscard", "noload" },
	{ "vfat", "vfat", "", "" },
	{ "xfs", "xfs", "nouuid", "nouuid,norecovery" },
	{ "btrfs", "btrfs", "nodiscard", "rescue=nologreplay" },
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

static bool is_ext(const struct kind_of_mount *kind)
{
	return strcmp(kind->kernel_type, "ext4") == 0;
}

/* Not a folder of ours: a sweep that broke off may have left one. */
static int remember_place(struct mounted *m, struct err *e)
{
	int rc = look_ext_mounted(m->device, m->last_mounted, e);

	if (rc == 0 && strncmp(m->last_mounted, OUR_FOLDER, strlen(OUR_FOLDER)) == 0)
		m->last_mounted[0] = 0;
	return rc;
}

int mounts_mount(struct mounted *m, const char *device, const char *folder, bool read_only,
		 struct err *e)
{
	unsigned long flags = MS_NODEV | MS_NOSUID | MS_NOEXEC | MS_NOATIME |
			      (read_only ? MS_RDONLY : 0);
	const struct kind_of_mount *kind;
	struct node n = { 0 };
	int rc;

	memset(m, 0, sizeof(*m));
	snprintf(m->device, sizeof(m->device), "%s", device);
	snprintf(m->folder, sizeof(m->folder), "%s", folder);
	snprintf(n.device, sizeof(n.device), "%s", device);
	rc = look_content(&n, e);
	if (rc < 0)
		return rc;
	kind = find_kind(n.content.type);
	if (!kind)
		return err_set(e, ENODEV, "%s holds no filesystem that can be mounted here", device);
	m->forgets = is_ext(kind) && !read_only;
	rc = is_ext(kind) ? remember_place(m, e) : 0;
	if (rc == 0)
		rc = file_mkdirs(folder, e);
	if (rc < 0)
		return rc;
	if (mount(device, folder, kind->kernel_type, flags,
		  read_only ? kind->read_only : kind->writable) < 0)
		return err_set(e, errno, "mount %s: %s", device, strerror(errno));
	return 0;
}

static int unmount(const char *folder, struct err *e)
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

int mounts_unmount(const struct mounted *m, struct err *e)
{
	int rc = unmount(m->folder, e);

	if (rc == 0 && m->forgets)
		rc = extsuper_set_last_mounted(m->device, m->last_mounted, e);
	return rc;
}

int mounts_with(const char *device, const char *folder, int (*work)(const char *folder, void *arg, struct err *e),
		void *arg, struct err *e)
{
	struct mounted m;
	struct err ignored;
	int rc = mounts_mount(&m, device, folder, true, e);

	if (rc < 0)
		return rc;
	rc = work(m.folder, arg, e);
	if (mounts_unmount(&m, rc < 0 ? &ignored : e) < 0 && rc == 0)
		rc = -e->code;
	return rc;
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
		if (i < n || unmount(path, &e) == 0)
			continue;
		log_line("%s", e.text);
		left++;
	}
	return left;
}
