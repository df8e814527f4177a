/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"

#define FIRST_CHUNK 4096

/* Twice as much room for what is read, which begins in first. */
static char *grow(char *buf, const char *first, size_t *room)
{
	char *grown = realloc(buf, *room * 2);

	if (grown && !buf)
		memcpy(grown, first, *room);
	*room *= 2;
	return grown;
}

/* Nearly all that is read fits in the first chunk: it lies on the stack, because musl's malloc(3) maps and unmaps memory for
 * one of that size. */
int file_read(const char *path, size_t limit, char **text, size_t *size, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_free char *buf = NULL;
	char first[FIRST_CHUNK], *grown;
	size_t used = 0, room = sizeof(first);
	ssize_t n;

	if (fd < 0)
		return err_set(e, errno, "open %s: %s", path, strerror(errno));
	do {
		if (used == room) {
			grown = grow(buf, first, &room);
			if (!grown)
				return err_set(e, ENOMEM, "read %s: no memory", path);
			buf = grown;
		}
		do
			n = read(fd, (buf ?: first) + used, room - used);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return err_set(e, errno, "read %s: %s", path, strerror(errno));
		used += (size_t)n;
		if (used > limit)
			return err_set(e, EFBIG, "%s is longer than %zu bytes", path, limit);
	} while (n > 0);
	if (!buf) {
		buf = malloc(used + 1);
		if (!buf)
			return err_set(e, ENOMEM, "read %s: no memory", path);
		memcpy(buf, first, used);
	}
	buf[used] = 0;
	*text = steal_ptr(&buf);
	if (size)
		*size = used;
	return 0;
}

static int write_all(int fd, const char *p, size_t size)
{
	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static int sync_folder_of(const char *path)
{
	char copy[PATH_MAX];
	cleanup_fd int fd = -1;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* FAT has no fsync for folders; its rename is as safe as it gets */
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

int file_write_atomic(const char *path, const void *data, size_t size, struct err *e)
{
	char temporary[PATH_MAX];
	cleanup_fd int fd = -1;
	int rc;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		return err_set(e, ENAMETOOLONG, "write %s: the name is too long", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(e, errno, "open %s: %s", temporary, strerror(errno));
	rc = write_all(fd, data, size);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (rc == 0 && rename(temporary, path) < 0)
		rc = -errno;
	if (rc == 0)
		rc = sync_folder_of(path);
	if (rc < 0) {
		unlink(temporary);
		return err_set(e, -rc, "write %s: %s", path, strerror(-rc));
	}
	return 0;
}

static int write_to(const char *path, int flags, const void *data, size_t size, struct err *e)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	int rc;

	if (fd < 0)
		return err_set(e, errno, "open %s: %s", path, strerror(errno));
	rc = write_all(fd, data, size);
	if (rc < 0)
		return err_set(e, -rc, "write %s: %s", path, strerror(-rc));
	return 0;
}

int file_write(const char *path, const void *data, size_t size, struct err *e)
{
	return write_to(path, O_EXCL, data, size, e);
}

int file_append(const char *path, const void *data, size_t size, struct err *e)
{
	return write_to(path, O_APPEND, data, size, e);
}

int file_set(const char *path, const char *text, struct err *e)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_set(e, errno, "write %s: %s", path, strerror(errno));
	return 0;
}

int file_mkdirs(const char *path, struct err *e)
{
	char part[PATH_MAX];
	char *slash = part;

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return err_set(e, ENAMETOOLONG, "make folder %s: the name is too long", path);
	if (mkdir(part, 0755) == 0 || errno == EEXIST)
		return 0;
	do {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = 0;
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return err_set(e, errno, "make folder %s: %s", part, strerror(errno));
		if (slash)
			*slash = '/';
	} while (slash);
	return 0;
}

int file_read_u64(const char *path, uint64_t *value)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[32], *end;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	if (n < 0)
		return -errno;
	buf[n] = 0;
	if (buf[0] < '0' || buf[0] > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(buf, &end, 10);
	return errno || (*end && *end != '\n') ? -EINVAL : 0;
}
