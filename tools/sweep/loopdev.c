/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "loopdev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

#define ATTACH_TRIES 64
#define MAX_LOOPS 256

static int configure(int number, const struct loop_config *config, char device[LOOPDEV_SIZE])
{
	cleanup_fd int fd = -1;

	snprintf(device, LOOPDEV_SIZE, "/dev/loop%d", number);
	fd = open(device, (config->info.lo_flags & LO_FLAGS_READ_ONLY ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	return fd >= 0 && ioctl(fd, LOOP_CONFIGURE, config) == 0 ? 0 : -errno;
}

int loopdev_attach(const char *path, unsigned flags, char device[LOOPDEV_SIZE], struct err *e)
{
	struct loop_config config = { .block_size = 512, .info.lo_flags = flags };
	cleanup_fd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	cleanup_fd int file = open(path, (flags & LO_FLAGS_READ_ONLY ? O_RDONLY : O_RDWR) |
						 O_NOFOLLOW | O_CLOEXEC);
	int rc = control < 0 || file < 0 ? -errno : -EBUSY, i;

	config.fd = (unsigned)file;
	/* another process may take the free device between the two calls */
	for (i = 0; rc == -EBUSY && i < ATTACH_TRIES; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		rc = number < 0 ? -errno : configure(number, &config, device);
	}
	if (rc < 0)
		device[0] = 0;
	return rc < 0 ? err_set(e, -rc, "loop device over %s: %s", path, strerror(-rc)) : 0;
}

int loopdev_detach(char device[LOOPDEV_SIZE], struct err *e)
{
	cleanup_fd int fd = open(device, O_RDONLY | O_CLOEXEC);

	/* one told to go while it was in use has gone by itself */
	if (fd < 0 || (ioctl(fd, LOOP_CLR_FD) < 0 && errno != ENXIO))
		return err_set(e, errno, "detach %s: %s", device, strerror(errno));
	device[0] = 0;
	return 0;
}

unsigned loopdev_detach_all(void)
{
	char path[64], device[LOOPDEV_SIZE];
	unsigned left = 0;
	struct err e;
	int i;

	for (i = 0; i < MAX_LOOPS; i++) {
		snprintf(path, sizeof(path), "/sys/block/loop%d/loop/backing_file", i);
		if (access(path, F_OK) < 0)
			continue;
		snprintf(device, sizeof(device), "/dev/loop%d", i);
		if (loopdev_detach(device, &e) < 0) {
			log_line("%s", e.text);
			left++;
		}
	}
	return left;
}
