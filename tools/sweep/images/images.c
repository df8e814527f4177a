/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "facts.h"
#include "imagesearch.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

int search_add(struct search *s, const char *path, const struct stat *st, struct image **image,
	       struct err *e)
{
	struct imageset *set = s->set;
	struct image **grown, *new;

	if (set->n == IMAGES_MAX)
		return err_set(e, E2BIG, "there are more than %d images", IMAGES_MAX);
	grown = reallocarray(set->image, set->n + 1, sizeof(struct image *));
	if (!grown)
		return no_memory(e);
	set->image = grown;
	new = calloc(1, sizeof(*new));
	if (!new)
		return no_memory(e);
	set->image[set->n++] = new;
	new->path = strdup(path);
	new->format = image_format_of_path(path);
	new->ino = st->st_ino;
	new->file_bytes = (uint64_t)st->st_size;
	*image = new;
	return new->path ? 0 : no_memory(e);
}

struct image *search_inode(const struct search *s, ino_t ino)
{
	size_t i;

	for (i = 0; i < s->set->n; i++)
		if (s->set->image[i]->ino == ino)
			return s->set->image[i];
	return NULL;
}

int search_skip(struct search *s, const char *path, bool is_folder, const char *why, struct err *e)
{
	struct imageset *set = s->set;
	struct image_skipped *grown;

	if (set->n_skipped == IMAGES_MAX_SKIPPED) {
		set->n_more_skipped++;
		return 0;
	}
	grown = reallocarray(set->skipped, set->n_skipped + 1, sizeof(*grown));
	if (!grown)
		return no_memory(e);
	set->skipped = grown;
	grown[set->n_skipped].path = strdup(path);
	grown[set->n_skipped].why = why;
	grown[set->n_skipped].is_folder = is_folder;
	return grown[set->n_skipped++].path ? 0 : no_memory(e);
}

void image_refuse(struct image *image, const struct err *why)
{
	if (!image->refused.code)
		image->refused = *why;
}

int search_load(struct search *s, struct image *image, struct err *e)
{
	struct stat st;
	struct err why = { 0 };
	cleanup_fd int fd = path_open(s->root, image->path, &st, &why);
	int rc = fd;

	if (fd >= 0) {
		struct image_file f = { fd, (uint64_t)st.st_size };

		rc = s->reader->facts(&f, image->format, image->format_from, &image->facts, &why);
		if (rc == 0)
			rc = facts_judge(&image->facts, &why);
	}
	if (rc == -ENOMEM)
		return no_memory(e);
	if (rc < 0)
		image_refuse(image, &why);
	if (rc < 0 && image->format != IMAGE_RAW && strcmp(why.word, "tool-failed") == 0 && !s->blind.code) {
		s->blind = why;
		err_wrap(&s->blind, "%s", SHOWN_NAME(image->path));
	}
	return 0;
}

/* ---- wishes ---- */

static int wish_format(struct image *image, const struct image_wish *wish, struct err *e)
{
	enum image_format format = image->format;

	if (wish->format && image_format_parse(wish->format, &format) < 0)
		return err_set_word(e, EINVAL, "unsupported-feature",
				    "sweep.conf gives it the format %s, which is not known",
				    SHOWN_NAME(wish->format));
	if (image->format_from == FORMAT_FROM_WISH && image->format != format)
		return image_bad(e, "sweep.conf gives it two formats, %s and %s",
				 image_format_name(image->format), image_format_name(format));
	if (wish->format)
		image->format_from = FORMAT_FROM_WISH;
	image->format = format;
	return 0;
}

/* The image that a wish names, made if no pattern found it, also if there is no such file. */
static int grant(struct search *s, const struct image_wish *wish, struct image **image, struct err *e)
{
	cleanup_free char *path = NULL;
	struct err why = { 0 };
	struct stat st = { 0 };
	cleanup_fd int fd = -1;
	int rc = path_plain("", wish->path, &path, &why);

	if (rc == 0)
		rc = fd = path_open(s->root, path, &st, &why);
	if (fd < 0)
		memset(&st, 0, sizeof(st));
	*image = fd < 0 ? NULL : search_inode(s, st.st_ino);
	if (!*image) {
		int added = search_add(s, path ? path : wish->path, &st, image, e);

		if (added < 0)
			return added;
	}
	if (rc >= 0)
		rc = wish_format(*image, wish, &why);
	(*image)->is_wished = true;
	if (rc == -ENOMEM)
		return no_memory(e);
	if (rc < 0)
		image_refuse(*image, &why);
	return 0;
}

static int grant_all(struct search *s, const struct image_wish *wishes, size_t n, struct err *e)
{
	struct imageset *set = s->set;

	set->wished = calloc(n + 1, sizeof(struct image *));
	if (!set->wished)
		return no_memory(e);
	while (set->n_wished < n) {
		int rc = grant(s, &wishes[set->n_wished], &set->wished[set->n_wished], e);

		if (rc < 0)
			return rc;
		set->n_wished++;
	}
	return 0;
}

/* ---- what is left in the end ---- */

static void image_free(struct image *image)
{
	facts_clear(&image->facts);
	free(image->data_path);
	free(image->path);
	free(image);
}

static int by_inode_and_path(const void *a, const void *b)
{
	const struct image *x = *(struct image *const *)a, *y = *(struct image *const *)b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int by_path(const void *a, const void *b)
{
	return strcmp((*(struct image *const *)a)->path, (*(struct image *const *)b)->path);
}

static int by_skipped_path(const void *a, const void *b)
{
	return strcmp(((const struct image_skipped *)a)->path, ((const struct image_skipped *)b)->path);
}

/* Of several names of one file the first counts. */
static void drop_hard_links(struct imageset *set)
{
	size_t i, kept = 0;

	if (set->n)
		qsort(set->image, set->n, sizeof(struct image *), by_inode_and_path);
	for (i = 0; i < set->n; i++) {
		if (kept && set->image[kept - 1]->ino == set->image[i]->ino)
			image_free(set->image[i]);
		else
			set->image[kept++] = set->image[i];
	}
	set->n = kept;
	if (set->n)
		qsort(set->image, set->n, sizeof(struct image *), by_path);
}

/* Why a raw image that merely matches a pattern is surely no disk, or NULL. */
static const char *why_no_disk(const struct image *image)
{
	if (image->format != IMAGE_RAW || image->is_wished || image->backs_another ||
	    image->part_of || (image->refused.code && image->file_bytes))
		return NULL;
	return image->facts.no_disk;
}

static int drop_what_is_no_disk(struct search *s, struct err *e)
{
	struct imageset *set = s->set;
	size_t i, kept = 0;
	int rc = 0;

	for (i = 0; i < set->n; i++) {
		const char *why = rc == 0 ? why_no_disk(set->image[i]) : NULL;

		if (why) {
			rc = search_skip(s, set->image[i]->path, false, why, e);
			image_free(set->image[i]);
		} else {
			set->image[kept++] = set->image[i];
		}
	}
	set->n = kept;
	return rc;
}

static int find(struct search *s, const struct image_wish *wishes, size_t n_wishes, struct err *e)
{
	struct imageset *set = s->set;
	int rc = search_walk(s, e);

	if (rc < 0)
		return rc;
	drop_hard_links(set);
	rc = grant_all(s, wishes, n_wishes, e);
	if (rc == 0)
		rc = search_link(s, e);
	if (rc < 0)
		return rc;
	if (s->blind.code) {
		*e = s->blind;
		return -e->code;
	}
	search_judge(s);
	rc = drop_what_is_no_disk(s, e);
	if (rc == 0)
		rc = search_judge_symlinks(s, e);
	if (rc < 0)
		return rc;
	if (set->n)
		qsort(set->image, set->n, sizeof(struct image *), by_path);
	if (set->n_skipped)
		qsort(set->skipped, set->n_skipped, sizeof(*set->skipped), by_skipped_path);
	return 0;
}

int imageset_find(struct imageset *set, const char *root, const struct words *patterns,
		  const struct image_wish *wishes, size_t n_wishes, const char *mounted_at,
		  const struct image_reader *reader, struct err *e)
{
	cleanup_fd int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct search s = { .set = set, .root = fd, .mounted_at = mounted_at, .patterns = patterns,
			    .reader = reader };
	struct stat st;
	size_t i;
	int rc;

	memset(set, 0, sizeof(*set));
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set_word(e, errno, "io-error", "open %s: %s", root, strerror(errno));
	s.dev = st.st_dev;
	rc = find(&s, wishes, n_wishes, e);
	for (i = 0; i < s.n_parts; i++)
		free(s.part[i].path);
	free(s.part);
	for (i = 0; i < s.n_symlinks; i++)
		free(s.symlink[i]);
	free(s.symlink);
	if (rc < 0)
		imageset_free(set);
	return rc;
}

void imageset_free(struct imageset *set)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		image_free(set->image[i]);
	for (i = 0; i < set->n_skipped; i++)
		free(set->skipped[i].path);
	free(set->image);
	free(set->wished);
	free(set->skipped);
	memset(set, 0, sizeof(*set));
}

struct image *imageset_get(const struct imageset *set, const char *path)
{
	size_t i;

	path += strspn(path, "/");
	for (i = 0; i < set->n; i++)
		if (strcmp(set->image[i]->path, path) == 0)
			return set->image[i];
	return NULL;
}
