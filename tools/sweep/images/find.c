/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The search for files that are called like images: every folder of one filesystem, bounded in
 * depth and number, no link followed; symbolic links that are called so are kept for later. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "imagesearch.h"

#define PATH_BYTES ((IMAGES_MAX_DEPTH + 2) * 256) /* a name has 255 bytes at most */

/* The folders that are open, each inside the one before. */
struct walk {
	struct search *search;
	DIR *dir[IMAGES_MAX_DEPTH];
	size_t length[IMAGES_MAX_DEPTH]; /* of the folder's path, with its slash, in path */
	unsigned depth;
	uint64_t entries;
	char path[PATH_BYTES];
};

static int read_error(const struct walk *w, struct err *e)
{
	return err_set_word(e, errno, "io-error", "reading the folder /%s: %s", SHOWN_NAME(w->path),
			    strerror(errno));
}

/* Goes into the folder whose path is w->path. */
static int enter(struct walk *w, int parent, const char *name, struct err *e)
{
	cleanup_fd int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	size_t length = strlen(w->path);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return read_error(w, e);
	if (st.st_dev != w->search->dev)
		return search_skip(w->search, w->path, true, "another filesystem or a subvolume", e);
	if (w->depth == IMAGES_MAX_DEPTH)
		return err_set(e, E2BIG, "the folder /%s is more than %d folders deep",
			       SHOWN_NAME(w->path), IMAGES_MAX_DEPTH);
	w->dir[w->depth] = fdopendir(fd);
	if (!w->dir[w->depth])
		return read_error(w, e);
	steal_fd(&fd);
	if (length)
		w->path[length++] = '/';
	w->length[w->depth++] = length;
	return 0;
}

static bool matches(const struct words *patterns, const char *name)
{
	size_t i;

	for (i = 0; i < patterns->n; i++)
		if (fnmatch(patterns->item[i], name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static int take_file(struct walk *w, int folder, const char *name, struct err *e)
{
	struct image *image;
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return read_error(w, e);
	if (!S_ISREG(st.st_mode) || st.st_dev != w->search->dev)
		return 0;
	return search_add(w->search, w->path, &st, &image, e);
}

static int take_entry(struct walk *w, const struct dirent *d, struct err *e)
{
	int folder = dirfd(w->dir[w->depth - 1]);
	unsigned char type = d->d_type;
	struct stat st;

	if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
		return 0;
	if (w->entries++ == IMAGES_MAX_ENTRIES)
		return err_set(e, E2BIG, "the filesystem has more than %d files", IMAGES_MAX_ENTRIES);
	snprintf(w->path + w->length[w->depth - 1], 256, "%s", d->d_name);
	if (type == DT_UNKNOWN) {
		if (fstatat(folder, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return read_error(w, e);
		type = IFTODT(st.st_mode);
	}
	if (type == DT_DIR)
		return enter(w, folder, d->d_name, e);
	if (type == DT_REG && matches(w->search->patterns, d->d_name))
		return take_file(w, folder, d->d_name, e);
	if (type == DT_LNK && matches(w->search->patterns, d->d_name))
		return search_symlink(w->search, w->path, e);
	return 0;
}

static int walk(struct walk *w, struct err *e)
{
	int rc = enter(w, w->search->root, ".", e);

	while (rc == 0 && w->depth) {
		const struct dirent *d;

		errno = 0;
		d = readdir(w->dir[w->depth - 1]);
		if (d) {
			rc = take_entry(w, d, e);
		} else if (errno) {
			w->path[w->length[w->depth - 1]] = 0;
			rc = read_error(w, e);
		} else {
			closedir(w->dir[--w->depth]);
		}
	}
	return rc;
}

int search_walk(struct search *s, struct err *e)
{
	struct walk w = { .search = s };
	int rc = walk(&w, e);

	while (w.depth)
		closedir(w.dir[--w.depth]);
	return rc;
}
