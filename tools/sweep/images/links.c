/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the names in headers to the images and files they mean. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "facts.h"
#include "imagesearch.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* ---- backing files ---- */

/* Reads the image as the one above it says. That is taken over only where the content agrees, so
 * that one image can't spoil another by calling it what it is not. */
static int reread(struct search *s, struct image *image, enum image_format format, struct err *e)
{
	struct image as_said = *image;
	int rc;

	as_said.format = format;
	as_said.format_from = FORMAT_FROM_IMAGE_ABOVE;
	as_said.is_linked = false;
	memset(&as_said.refused, 0, sizeof(as_said.refused));
	memset(&as_said.facts, 0, sizeof(as_said.facts));
	rc = search_load(s, &as_said, e);
	if (rc == 0 && strcmp(as_said.refused.word, "bad-image") == 0) {
		*e = as_said.refused;
		rc = -EINVAL;
	}
	if (rc < 0) {
		facts_clear(&as_said.facts);
		return rc;
	}
	facts_clear(&image->facts);
	*image = as_said;
	return 0;
}

static int backing_format(const struct image_facts *facts, const char *path, bool *is_said,
			  enum image_format *format, struct err *e)
{
	*is_said = facts->backing_format[0] != 0;
	*format = image_format_of_path(path);
	if (*is_said && image_format_parse(facts->backing_format, format) < 0)
		return err_set_word(e, ENOTSUP, "unsupported-feature", "its format %s is not supported",
				    SHOWN_NAME(facts->backing_format));
	return 0;
}

static int find_backing(struct search *s, struct image *image, struct err *e)
{
	cleanup_free char *path = NULL;
	enum image_format format;
	struct image *below;
	struct stat st;
	bool is_said;
	int fd, rc = path_named(s->mounted_at, image->path, image->facts.backing_name, &path, e);

	if (rc < 0)
		return rc;
	fd = path_open(s->root, path, &st, e);
	if (fd < 0)
		return fd;
	close(fd);
	below = search_inode(s, st.st_ino);
	if (!below) {
		rc = search_add(s, path, &st, &below, e);
		if (rc == 0)
			rc = search_load(s, below, e);
		if (rc < 0)
			return rc;
	}
	below->backs_another = true;
	image->backing = below;
	rc = backing_format(&image->facts, path, &is_said, &format, e);
	if (rc < 0 || !is_said || below->format == format || below->format_from != FORMAT_FROM_NAME)
		return rc;
	return reread(s, below, format, e);
}

/* What an image lies on is never to be written to, also where the way there is one that we refuse
 * to go. */
static void spare_backing(struct search *s, const struct image *image)
{
	ino_t ino = path_leads_to(s->root, s->mounted_at, image->path, image->facts.backing_name);
	struct image *below = ino ? search_inode(s, ino) : NULL;

	if (below && below != image)
		below->backs_another = true;
}

/* ---- parts: extents and data files ---- */

/* One file in two images spoils both. */
static int contest(struct image *owner, struct image *other, const char *path, struct err *e)
{
	struct err why;

	if (other == owner)
		return image_bad(e, "it is named twice");
	image_bad(&why, "its part %s is also one of %s", SHOWN_NAME(path), SHOWN_NAME(owner->path));
	image_refuse(other, &why);
	return image_bad(e, "it is also a part of %s", SHOWN_NAME(other->path));
}

/* Notes that the file at path is a piece of owner. */
static int claim(struct search *s, struct image *owner, ino_t ino, const char *path, struct err *e)
{
	struct image_part *grown;
	size_t i;

	if (ino == owner->ino)
		return image_bad(e, "it is the image itself");
	for (i = 0; i < s->n_parts; i++)
		if (s->part[i].ino == ino)
			return contest(owner, s->part[i].owner, path, e);
	if (s->n_parts == IMAGES_MAX_PARTS)
		return err_set(e, E2BIG, "the images have more than %d extents", IMAGES_MAX_PARTS);
	grown = reallocarray(s->part, s->n_parts + 1, sizeof(*grown));
	if (!grown)
		return no_memory(e);
	s->part = grown;
	s->part[s->n_parts] = (struct image_part){ ino, strdup(path), owner };
	return s->part[s->n_parts++].path ? 0 : no_memory(e);
}

static int find_extent(struct search *s, struct image *image, const struct image_extent *x,
		       struct err *e)
{
	cleanup_free char *path = NULL;
	cleanup_fd int fd = -1;
	struct image_file f;
	struct stat st;
	int rc;

	if (x->name[0] == '/')
		return err_set_word(e, EINVAL, "bad-image",
				    "the name is absolute, and QEMU would open it as it is written");
	if (image_format_of_path(x->name) != IMAGE_VMDK)
		return err_set_word(e, EINVAL, "bad-image",
				    "a file that isn't called .vmdk is not taken for an extent");
	rc = path_named(s->mounted_at, image->path, x->name, &path, e);
	if (rc < 0)
		return rc;
	fd = path_open(s->root, path, &st, e);
	if (fd < 0)
		return fd;
	f = (struct image_file){ fd, (uint64_t)st.st_size };
	rc = st.st_ino == image->ino ? 0 : s->reader->extent_check(&f, x, e);
	return rc < 0 ? rc : claim(s, image, st.st_ino, path, e);
}

static int find_data_file(struct search *s, struct image *image, struct err *e)
{
	cleanup_fd int fd = -1;
	struct image_file f;
	struct stat st;
	int rc = path_named(s->mounted_at, image->path, image->facts.data_name, &image->data_path, e);

	if (rc < 0)
		return rc;
	fd = path_open(s->root, image->data_path, &st, e);
	if (fd < 0)
		return fd;
	f = (struct image_file){ fd, (uint64_t)st.st_size };
	rc = st.st_ino == image->ino ? 0 : s->reader->raw_check(&f, e);
	return rc < 0 ? rc : claim(s, image, st.st_ino, image->data_path, e);
}

/* ---- all that one image names ---- */

/* Adds to a failure what it was about. It is the image's own, unless memory or a limit of the
 * whole search ran out. */
static int settle(struct image *image, const char *what, const char *name, struct err *why,
		  struct err *e)
{
	if (why->code == ENOMEM || why->code == E2BIG) {
		*e = *why;
		return -why->code;
	}
	err_wrap(why, "its %s %s", what, SHOWN_NAME(name));
	image_refuse(image, why);
	return 0;
}

static int link_image(struct search *s, struct image *image, struct err *e)
{
	const struct image_facts *facts = &image->facts;
	struct err why = { 0 };
	int rc = 0;
	size_t i;

	image->is_linked = true;
	if (facts->backing_name && find_backing(s, image, &why) < 0) {
		spare_backing(s, image);
		rc = settle(image, "backing file", facts->backing_name, &why, e);
	}
	if (rc == 0 && facts->has_data_file && facts->data_name && find_data_file(s, image, &why) < 0)
		rc = settle(image, "data file", facts->data_name, &why, e);
	for (i = 0; rc == 0 && i < facts->n_extents; i++)
		if (find_extent(s, image, &facts->extents[i], &why) < 0)
			rc = settle(image, "extent", facts->extents[i].name, &why, e);
	return rc;
}

int search_link(struct search *s, struct err *e)
{
	size_t i, n = s->set->n;
	bool again = true;

	for (i = 0; i < n; i++) {
		int rc = s->set->image[i]->ino ? search_load(s, s->set->image[i], e) : 0;

		if (rc < 0)
			return rc;
	}
	/* what is linked may add images, or change how one was read */
	while (again) {
		again = false;
		for (i = 0; i < s->set->n; i++) {
			int rc;

			if (s->set->image[i]->is_linked)
				continue;
			again = true;
			rc = link_image(s, s->set->image[i], e);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}
