/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "blockdev.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "file.h"

#define MAX_DEPTH 16
#define VIRTIO_PREFIX "vd" /* drivers/block/virtio_blk.c */

int blockdev_open(const char *path, struct err *e)
{
	size_t n = strlen(BLOCKDEV_FD);
	int fd = strncmp(path, BLOCKDEV_FD, n) == 0 ? fcntl(atoi(path + n), F_DUPFD_CLOEXEC, 0) :
						       open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? err_set(e, errno, "open %s: %s", path, strerror(errno)) : fd;
}

int blockdev_size(const char *path, uint64_t *bytes, struct err *e)
{
	cleanup_fd int fd = blockdev_open(path, e);

	if (fd < 0)
		return fd;
	if (ioctl(fd, BLKGETSIZE64, bytes) < 0)
		return err_set(e, errno, "size of %s: %s", path, strerror(errno));
	return 0;
}

unsigned blockdev_sector_size(const char *path)
{
	struct err e;
	cleanup_fd int fd = blockdev_open(path, &e);
	int size = 512;

	if (fd < 0 || ioctl(fd, BLKSSZGET, &size) < 0 || size < 512)
		return 512;
	return (unsigned)size;
}

int blockdev_set_read_only(const char *path, bool read_only, struct err *e)
{
	cleanup_fd int fd = blockdev_open(path, e);
	int value = read_only;

	if (fd < 0)
		return fd;
	if (ioctl(fd, BLKROSET, &value) < 0)
		return err_set(e, errno, "make %s read-%s: %s", path, read_only ? "only" : "write",
			       strerror(errno));
	return 0;
}

bool blockdev_is_read_only(const char *path)
{
	struct err e;
	cleanup_fd int fd = blockdev_open(path, &e);
	int value = 1;

	return fd < 0 || ioctl(fd, BLKROGET, &value) < 0 || value;
}

int blockdev_read(const char *path, uint64_t offset, void *buf, size_t size, struct err *e)
{
	cleanup_fd int fd = blockdev_open(path, e);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pread(fd, buf, size, (off_t)offset);
	if (n < 0)
		return err_set_word(e, errno, "io-error", "read %s at byte %llu: %s", path,
				    (unsigned long long)offset, strerror(errno));
	if ((size_t)n < size)
		return err_set_word(e, EIO, "io-error", "read %s at byte %llu: the device ends there",
				    path, (unsigned long long)offset);
	return 0;
}

int blockdev_kernel_name(const char *path, char name[32], struct err *e)
{
	char link[64], target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (stat(path, &st) < 0)
		return err_set(e, errno, "%s: %s", path, strerror(errno));
	if (!S_ISBLK(st.st_mode))
		return err_set(e, ENOTBLK, "%s is not a block device", path);
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0)
		return err_set(e, errno, "%s: %s", link, strerror(errno));
	target[n] = 0;
	snprintf(name, 32, "%.31s", basename(target));
	return 0;
}

struct disks {
	char (*names)[32];
	size_t n, max;
};

static void add_disk(struct disks *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (strcmp(d->names[i], name) == 0)
			return;
	if (d->n < d->max)
		snprintf(d->names[d->n++], 32, "%s", name);
}

/* A partition's disk is its parent folder in sysfs; dm and md name theirs in slaves/. */
static void walk_down(const char *name, struct disks *d, unsigned depth)
{
	char path[PATH_MAX], real[PATH_MAX];
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;
	bool has_slaves = false;

	snprintf(path, sizeof(path), "/sys/class/block/%s/slaves", name);
	dir = depth < MAX_DEPTH ? opendir(path) : NULL;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		has_slaves = true;
		walk_down(entry->d_name, d, depth + 1);
	}
	if (has_slaves)
		return;
	snprintf(path, sizeof(path), "/sys/class/block/%s/partition", name);
	if (access(path, F_OK) == 0) {
		snprintf(path, sizeof(path), "/sys/class/block/%s", name);
		if (realpath(path, real))
			add_disk(d, basename(dirname(real)));
		return;
	}
	add_disk(d, name);
}

size_t blockdev_disks(const char *path, char names[][32], size_t n)
{
	struct disks d = { .names = names, .max = n };
	char name[32];
	struct err e;

	if (blockdev_kernel_name(path, name, &e) == 0)
		walk_down(name, &d, 0);
	return d.n;
}

bool is_rotational(const char *kernel_name)
{
	char path[96];
	uint64_t value = 0;

	if (strncmp(kernel_name, VIRTIO_PREFIX, strlen(VIRTIO_PREFIX)) == 0)
		return false;
	snprintf(path, sizeof(path), "/sys/class/block/%s/queue/rotational", kernel_name);
	return file_read_u64(path, &value) == 0 && value == 1;
}
