/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the name that a header gives to an open file, without a step off the filesystem. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "imagesearch.h"

#define REFUSED "bad-image"

/* Adds the parts of name to out, each behind a slash. */
static int add_parts(char *out, size_t size, const char *name, struct err *e)
{
	size_t used = strlen(out);

	while (*name) {
		size_t n = strcspn(name, "/");

		if (n == 2 && memcmp(name, "..", 2) == 0)
			return err_set_word(e, EINVAL, REFUSED, "a name with .. in it is not followed");
		if (n && !(n == 1 && name[0] == '.')) {
			if (used + 1 + n >= size)
				return err_set_word(e, EINVAL, REFUSED, "its path is too long");
			out[used++] = '/';
			memcpy(out + used, name, n);
			used += n;
			out[used] = 0;
		}
		name += n + (name[n] == '/');
	}
	return 0;
}

int path_plain(const char *dir, const char *name, char **path, struct err *e)
{
	char out[PATH_MAX] = "";
	int rc = add_parts(out, sizeof(out), dir, e);
	size_t length = strlen(out);

	if (rc == 0)
		rc = add_parts(out, sizeof(out), name, e);
	if (rc < 0)
		return rc;
	if (strlen(out) == length)
		return err_set_word(e, EINVAL, REFUSED, "the name is empty");
	*path = strdup(out + 1);
	return *path ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* What is left of the absolute name behind the folder mounted_at, or NULL. */
static const char *below(const char *mounted_at, const char *name)
{
	size_t n = strlen(mounted_at);

	while (n && mounted_at[n - 1] == '/')
		n--;
	if (!mounted_at[0] || strncmp(name, mounted_at, n) != 0 || name[n] != '/')
		return NULL;
	return name + n;
}

int path_named(const char *mounted_at, const char *from, const char *name, char **path,
	       struct err *e)
{
	cleanup_free char *dir = NULL;
	const char *slash = strrchr(from, '/');

	if (name[strcspn(name, ":/")] == ':')
		return err_set_word(e, EINVAL, REFUSED, "it is no file but a protocol's address");
	if (name[0] == '/') {
		name = below(mounted_at, name);
		if (!name && !mounted_at[0])
			return err_set_word(e, EINVAL, REFUSED,
					    "the name is absolute, and where the host mounts this "
					    "filesystem is not known");
		if (!name)
			return err_set_word(e, EINVAL, REFUSED,
					    "the name leads out of this filesystem, which the host "
					    "mounts at %s", SHOWN_NAME(mounted_at));
		return path_plain("", name, path, e);
	}
	dir = strndup(from, slash ? (size_t)(slash - from) : 0);
	if (!dir)
		return err_set(e, ENOMEM, "out of memory");
	return path_plain(dir, name, path, e);
}

static int open_below(int root, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int open_error(struct err *e)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
		return err_set_word(e, ENOENT, "missing-device", "there is no such file");
	case ELOOP:
		return err_set_word(e, ELOOP, REFUSED,
				    "a symbolic link stands on the way, which is not followed");
	case EXDEV:
		return err_set_word(e, EXDEV, REFUSED, "it lies on another filesystem");
	default:
		return err_set_word(e, errno, "io-error", "open: %s", strerror(errno));
	}
}

/* Only text can be said in the JSON that QEMU is given, and in a report. */
static bool is_text(const char *path)
{
	char shown[PATH_MAX];

	return strcmp(escape_text(shown, sizeof(shown), path), path) == 0;
}

int path_open(int root, const char *path, struct stat *st, struct err *e)
{
	/* looked at before it is opened: opening a device may do things */
	cleanup_fd int there = open_below(root, path, O_PATH);
	cleanup_fd int fd = -1;
	struct stat opened;

	if (!is_text(path))
		return err_set_word(e, EINVAL, REFUSED,
				    "its name is not text that QEMU could be given");
	if (there < 0 || fstat(there, st) < 0)
		return open_error(e);
	if (!S_ISREG(st->st_mode))
		return err_set_word(e, EINVAL, "bad-image", "it is not a regular file");
	fd = open_below(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &opened) < 0)
		return open_error(e);
	if (opened.st_ino != st->st_ino || opened.st_dev != st->st_dev)
		return err_set_word(e, EINVAL, "bad-image", "it changed while it was looked at");
	return steal_fd(&fd);
}

/* Opens what a name in the file at from leads to, through links and "..", on this filesystem. */
static int open_behind(int root, const char *mounted_at, const char *from, const char *name, uint64_t flags)
{
	struct open_how how = { .flags = flags | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS };
	const char *slash = strrchr(from, '/'), *inside = below(mounted_at, name);
	char path[PATH_MAX];

	if (name[0] == '/')
		snprintf(path, sizeof(path), "%s", inside ? inside : name);
	else
		snprintf(path, sizeof(path), "%.*s/%s", slash ? (int)(slash - from) : 0, from, name);
	return (int)syscall(SYS_openat2, root, path[0] == '/' && !path[1] ? "." : path, &how, sizeof(how));
}

ino_t path_leads_to(int root, const char *mounted_at, const char *from, const char *name)
{
	cleanup_fd int fd = open_behind(root, mounted_at, from, name, O_PATH);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

int path_behind_symlink(int root, const char *mounted_at, const char *path, struct stat *st)
{
	char name[PATH_MAX];
	ssize_t n = readlinkat(root, path, name, sizeof(name));
	cleanup_fd int there = -1;

	if (n < 0 || n == sizeof(name))
		return -1;
	name[n] = 0;
	there = open_behind(root, mounted_at, path, name, O_PATH);
	if (there < 0 || fstat(there, st) < 0 || !S_ISREG(st->st_mode))
		return -1;
	return open_behind(root, mounted_at, path, name, O_RDONLY | O_NOCTTY | O_NONBLOCK);
}
