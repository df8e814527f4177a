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
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"

#define NEW_ARRAY "/sys/module/md_mod/parameters/new_array"
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

static int add_member(int fd, const struct mdarray_member *member, struct err *e)
{
	mdu_disk_info_t disk = { 0 };
	struct stat st;

	if (stat(member->device, &st) < 0)
		return err_set(e, errno, "%s: %s", member->device, strerror(errno));
	disk.major = (int)major(st.st_rdev);
	disk.minor = (int)minor(st.st_rdev);
	if (ioctl(fd, ADD_NEW_DISK, &disk) < 0)
		return err_set(e, errno, "the kernel does not take %s as a member: %s", member->name, strerror(errno));
	return 0;
}

static int add_members(const char *device, const char *version, const struct mdarray_member *members, size_t n,
		       struct err *e)
{
	cleanup_fd int fd = open(device, O_RDONLY | O_CLOEXEC);
	mdu_array_info_t info = { 0 }; /* with no number of members: only how to read their superblocks */
	size_t i;
	int rc = 0;

	if (fd < 0)
		return err_set(e, errno, "open %s: %s", device, strerror(errno));
	if (sscanf(version, "%d.%d", &info.major_version, &info.minor_version) != 2 ||
	    ioctl(fd, SET_ARRAY_INFO, &info) < 0)
		return err_set(e, EINVAL, "the kernel does not know md's metadata of version %s", version);
	for (i = 0; i < n && rc == 0; i++)
		rc = add_member(fd, &members[i], e);
	return rc;
}

int mdarray_start(const char *device, const char *version, const struct mdarray_member *members, size_t n,
		  struct err *e)
{
	int rc = file_set(NEW_ARRAY, device + strlen("/dev/"), e);
	char path[96];

	if (rc == 0)
		rc = add_members(device, version, members, n, e);
	attribute(device, "array_state", path, sizeof(path));
	if (rc == 0 && file_set(path, "readonly", e) < 0)
		rc = err_set(e, e->code, "the kernel does not start it: %s", strerror(e->code));
	if (rc < 0)
		snprintf(e->word, sizeof(e->word), "tool-failed");
	return rc;
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
