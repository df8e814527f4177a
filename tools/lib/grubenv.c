/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grubenv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"

#define MAGIC "# GRUB Environment Block\n"
#define MAGIC_SIZE (sizeof(MAGIC) - 1)

static bool is_block(const char *block, size_t size)
{
	return size > MAGIC_SIZE && memcmp(block, MAGIC, MAGIC_SIZE) == 0;
}

/* Where the line at at ends, behind its newline; size where it has none. */
static size_t line_end(const char *block, size_t size, size_t at)
{
	for (; at < size; at++) {
		if (block[at] == '\\')
			at++;
		else if (block[at] == '\n')
			return at + 1;
	}
	return size;
}

/* Finds "name=" at the begin of a line: from *at to behind its newline, *next. */
static bool find(const char *block, size_t size, const char *name, size_t *at, size_t *next)
{
	size_t n = strlen(name);

	for (*at = MAGIC_SIZE; *at < size; *at = *next) {
		*next = line_end(block, size, *at);
		if (*next - *at > n && memcmp(block + *at, name, n) == 0 && block[*at + n] == '=')
			return true;
	}
	return false;
}

int grubenv_get(const char *block, size_t size, const char *name, char *value, size_t room)
{
	size_t at, next, used = 0;

	if (!is_block(block, size))
		return -EINVAL;
	value[0] = 0;
	if (!find(block, size, name, &at, &next))
		return 0;
	for (at += strlen(name) + 1; at < next && block[at] != '\n'; at++) {
		if (block[at] == '\\' && ++at >= next)
			break;
		if (used + 1 >= room)
			return -ENAMETOOLONG;
		value[used++] = block[at];
	}
	value[used] = 0;
	return 0;
}

int grubenv_unset(char *block, size_t size, const char *name)
{
	size_t at, next;

	if (!is_block(block, size))
		return -EINVAL;
	if (!find(block, size, name, &at, &next))
		return 0;
	memmove(block + at, block + next, size - next);
	memset(block + size - (next - at), '#', next - at);
	return 1;
}

int grubenv_unset_in_file(const char *path, const char *name, struct err *e)
{
	cleanup_free char *block = NULL;
	cleanup_fd int fd = -1;
	size_t size;
	int rc = file_read(path, GRUBENV_MAX, &block, &size, e);

	if (rc < 0)
		return rc;
	rc = grubenv_unset(block, size, name);
	if (rc < 0)
		return err_set(e, -rc, "%s is no environment block of GRUB's", path);
	if (rc == 0)
		return 0;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, block, size, 0) != (ssize_t)size || fsync(fd) < 0)
		return err_set(e, errno ? errno : EIO, "write %s: %s", path, strerror(errno));
	return 1;
}
