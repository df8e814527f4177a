/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define HEADER 110
#define FOLDERS_MAX 64
#define PACK_MAX (256u << 20)

/* Writes to at, or only counts where that is NULL. */
struct writer {
	char *at;
	size_t used;
	unsigned inode;
	char folder[FOLDERS_MAX][PATH_MAX]; /* those that have an entry */
	size_t n_folders;
};

static void put(struct writer *w, const void *bytes, size_t size)
{
	if (w->at)
		memcpy(w->at + w->used, bytes, size);
	w->used += size;
}

static void pad(struct writer *w)
{
	put(w, "\0\0\0", -w->used & 3);
}

static void put_header(struct writer *w, const char *name, unsigned mode, size_t size)
{
	char header[HEADER + 1];

	snprintf(header, sizeof(header), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		 ++w->inode, mode, 0, 0, 1, 0, (unsigned)size, 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0);
	put(w, header, HEADER);
	put(w, name, strlen(name) + 1);
	pad(w);
}

static void put_bytes(struct writer *w, const char *path, const void *bytes, size_t size)
{
	put_header(w, path + 1, S_IFREG | 0600, size);
	put(w, bytes, size);
	pad(w);
}

/* The folders that path lies in, each once. */
static int put_folders(struct writer *w, const char *path, struct err *e)
{
	const char *slash = path;
	size_t i;

	while ((slash = strchr(slash + 1, '/'))) {
		int n = (int)(slash - path);

		for (i = 0; i < w->n_folders; i++)
			if (strncmp(w->folder[i], path, (size_t)n) == 0 && !w->folder[i][n])
				break;
		if (i < w->n_folders)
			continue;
		if (i == FOLDERS_MAX)
			return err_set(e, E2BIG, "the keys lie in more than %d folders", FOLDERS_MAX);
		snprintf(w->folder[w->n_folders++], PATH_MAX, "%.*s", n, path);
		put_header(w, w->folder[i] + 1, S_IFDIR | (strchr(w->folder[i] + 1, '/') ? 0700 : 0755), 0);
	}
	return 0;
}

/* Reads a file straight to where it belongs. */
static int put_file(struct writer *w, const char *root, const char *path, struct err *e)
{
	char full[PATH_MAX];
	cleanup_fd int fd = -1;
	struct stat st;
	size_t done = 0;
	ssize_t n;

	snprintf(full, sizeof(full), "%s%s", root, path);
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, errno, "open %s: %s", full, strerror(errno));
	if ((size_t)st.st_size > PACK_MAX)
		return err_set(e, EFBIG, "%s is too long to be handed over", full);
	put_header(w, path + 1, S_IFREG | 0600, (size_t)st.st_size);
	while (w->at && done < (size_t)st.st_size) {
		n = pread(fd, w->at + w->used + done, (size_t)st.st_size - done, (off_t)done);
		if (n <= 0)
			return err_set(e, n < 0 ? errno : EIO, "read %s: %s", full,
				       n < 0 ? strerror(errno) : "it became shorter");
		done += (size_t)n;
	}
	w->used += (size_t)st.st_size;
	pad(w);
	return 0;
}

static int put_all(struct writer *w, const struct configset *set, const char *root, const char *plan,
		   const uint8_t *salt, struct err *e)
{
	int rc = put_folders(w, PLAN_PATH, e);
	size_t i;

	for (i = 0; rc == 0 && i < set->n; i++) {
		rc = put_folders(w, set->path[i], e);
		if (rc == 0)
			rc = put_file(w, root, set->path[i], e);
	}
	put_bytes(w, PLAN_PATH, plan, strlen(plan));
	put_bytes(w, PLAN_SALT_PATH, salt, PLAN_SALT_SIZE);
	put_header(w, "TRAILER!!!", 0, 0);
	return rc;
}

static int make_memory(struct pack *p, const char *name, size_t size, struct err *e)
{
	p->fd = memfd_create(name, MFD_CLOEXEC);
	p->bytes = NULL;
	p->size = size;
	if (p->fd < 0 || ftruncate(p->fd, (off_t)size) < 0)
		return err_set(e, errno, "no memory for %s: %s", name, strerror(errno));
	p->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
	if (p->bytes == MAP_FAILED) {
		p->bytes = NULL;
		return err_set(e, ENOMEM, "no memory for %s", name);
	}
	if (mlock2(p->bytes, size, 0) < 0)
		return err_set(e, errno, "no locked memory for %s: %s", name, strerror(errno));
	return 0;
}

int pack_make(struct pack *p, const void *image, size_t image_size, const struct configset *set,
	      const char *root, const char *plan, const uint8_t *salt, struct err *e)
{
	cleanup_free struct writer *w = calloc(1, sizeof(*w));
	int rc;

	*p = (struct pack){ .fd = -1 };
	if (!w)
		return err_set(e, ENOMEM, "no memory for the configuration");
	w->used = (image_size + 3) & ~(size_t)3;
	rc = put_all(w, set, root, plan, salt, e);
	if (rc == 0)
		rc = make_memory(p, "image and configuration", w->used, e);
	if (rc < 0)
		return rc;
	memset(w, 0, sizeof(*w));
	w->at = p->bytes;
	if (image_size)
		put(w, image, image_size);
	pad(w);
	rc = put_all(w, set, root, plan, salt, e);
	if (rc == 0 && w->used != p->size)
		rc = err_set(e, EAGAIN, "a file of the configuration was changed meanwhile");
	return rc;
}

int pack_file(struct pack *p, const char *path, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t done = 0;
	ssize_t n;
	int rc;

	*p = (struct pack){ .fd = -1 };
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, errno, "open %s: %s", path, strerror(errno));
	if (st.st_size == 0 || (size_t)st.st_size > PACK_MAX)
		return err_set(e, EINVAL, "%s can't be an image or a kernel", path);
	rc = make_memory(p, path, (size_t)st.st_size, e);
	while (rc == 0 && done < p->size) {
		n = read(fd, p->bytes + done, p->size - done);
		if (n <= 0)
			return err_set(e, EIO, "read %s: it became shorter", path);
		done += (size_t)n;
	}
	return rc;
}

void pack_free(struct pack *p)
{
	if (p->bytes) {
		explicit_bzero(p->bytes, p->size);
		munmap(p->bytes, p->size);
	}
	if (p->fd >= 0)
		close(p->fd);
	*p = (struct pack){ .fd = -1 };
}
