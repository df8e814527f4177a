/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mdarray.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <linux/types.h>
#include <linux/raid/md_u.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"

#define PAUSE_MS 20
#define STOP_LIMIT_MS 5000

static void attribute(const char *device, const char *name, char *path, size_t size)
{
	snprintf(path, size, "/sys/block/%s/md/%s", device + strlen("/dev/"), name);
}

bool mdarray_is_there(const char *device)
{
	char path[96];

	attribute(device, "level", path, sizeof(path));
	return access(path, F_OK) == 0;
}

unsigned mdarray_missing(const char *device)
{
	uint64_t missing = 0;
	char path[96];

	/* levels without redundancy have no such file */
	attribute(device, "degraded", path, sizeof(path));
	return file_read_u64(path, &missing) == 0 ? (unsigned)missing : 0;
}

static int ask_to_stop(const char *device, struct err *e)
{
	cleanup_fd int fd = open(device, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, STOP_ARRAY, NULL) < 0)
		return err_set(e, errno, "stop %s: %s", device, strerror(errno));
	return 0;
}

int mdarray_stop(const char *device, struct err *e)
{
	int rc = mdarray_is_there(device) ? ask_to_stop(device, e) : 0, waited;

	for (waited = 0; rc == 0 && mdarray_is_there(device); waited += PAUSE_MS) {
		if (waited >= STOP_LIMIT_MS)
			return err_set(e, EBUSY, "%s is still there", device);
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
	}
	return rc;
}

unsigned mdarray_stop_all(bool (*is_spared)(const char *device, void *arg), void *arg)
{
	unsigned left = 0, i;
	char device[32];
	struct err e;

	for (i = 0; i < MAX_ARRAYS; i++) {
		snprintf(device, sizeof(device), "/dev/md%u", i);
		if (!mdarray_is_there(device) || is_spared(device, arg) || mdarray_stop(device, &e) == 0)
			continue;
		log_line("%s", e.text);
		left++;
	}
	return left;
}
