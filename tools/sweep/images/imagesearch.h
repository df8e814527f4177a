/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of imageset_find(). Inside of images/. */
#ifndef GS_IMAGE_SEARCH_H
#define GS_IMAGE_SEARCH_H

#include <sys/stat.h>

#include "images.h"
#include "log.h"

#define IMAGES_MAX_PARTS 20000 /* extents and data files of all images together */

/* A file that holds a piece of an image. */
struct image_part {
	ino_t ino;
	char *path;
	struct image *owner;
};

struct search {
	struct imageset *set;
	int root;  /* the filesystem's root folder */
	dev_t dev;
	const char *mounted_at;
	const struct words *patterns;
	const struct image_reader *reader;
	struct image_part *part;
	size_t n_parts;
	char **symlink; /* paths of those that are called like images */
	size_t n_symlinks;
	struct err blind; /* code not 0: what an image may lie on is not known, nor which may be written to */
};

/* find.c: adds every file that matches, in no order. Errors as imageset_find(). */
int search_walk(struct search *s, struct err *e) must_check nonnull_all;

/* images.c: adds an image (its format by its name, nothing read yet). Returns 0, -E2BIG, -ENOMEM. */
int search_add(struct search *s, const char *path, const struct stat *st, struct image **image,
	       struct err *e) must_check nonnull_all;
/* The image that is inode ino, or NULL. */
struct image *search_inode(const struct search *s, ino_t ino) nonnull_all;
/* Notes a file or folder that was left out. Returns 0 or -ENOMEM. */
int search_skip(struct search *s, const char *path, bool is_folder, const char *why, struct err *e)
	must_check nonnull_all;
/* Reads the image's header as its format says; what is wrong goes to its refused, and to blind where
 * nothing is known of what it names. Returns 0 or -ENOMEM. */
int search_load(struct search *s, struct image *image, struct err *e) must_check nonnull_all;
/* Says why the image is refused; the first reason stays. */
void image_refuse(struct image *image, const struct err *why) nonnull_all;

/* symlinks.c: keeps a symbolic link that is called like an image. Returns 0, -E2BIG, -ENOMEM. */
int search_symlink(struct search *s, const char *path, struct err *e) must_check nonnull_all;
/* Once all images are known: adds, as refused, every such link to a file that may be a disk and is no image and no
 * part of one, so that nobody takes it for swept. Returns 0, -E2BIG, -ENOMEM. */
int search_judge_symlinks(struct search *s, struct err *e) must_check nonnull_all;

/* links.c: resolves what the images' headers name; adds backing files that no pattern found.
 * Returns 0, -E2BIG, -ENOMEM. */
int search_link(struct search *s, struct err *e) must_check nonnull_all;
/* chains.c: refuses images by what they belong to: parts, loops, chains too long or broken. */
void search_judge(struct search *s) nonnull_all;

/* reference.c: a path below the root without ".", from name in folder dir ("": the root), as *path
 * (free it). Returns 0; -EINVAL (bad-image) for "..", an empty or too long one; -ENOMEM. */
int path_plain(const char *dir, const char *name, char **path, struct err *e)
	must_check nonnull_all;
/* The same for what the header of the image at from names, which QEMU must not take for a
 * protocol; absolute ones are looked for below mounted_at. Errors as there. */
int path_named(const char *mounted_at, const char *from, const char *name, char **path,
	       struct err *e) must_check nonnull_all;
/* Opens the regular file at path for reading. No link is followed, no other filesystem entered,
 * no device opened. Returns a descriptor; -errno with missing-device, bad-image or io-error. */
int path_open(int root, const char *path, struct stat *st, struct err *e) must_check nonnull_all;
/* The inode on this filesystem that a name leads to which we don't follow: through links and
 * "..", from the header of the image at from; 0: none. */
ino_t path_leads_to(int root, const char *mounted_at, const char *from, const char *name)
	nonnull_at(2, 3, 4);
/* Opens for reading the regular file that the symbolic link at path leads to, through links and "..", where that lies on
 * this filesystem. Returns a descriptor and fills *st; -1: there is none. */
int path_behind_symlink(int root, const char *mounted_at, const char *path, struct stat *st) must_check nonnull_at(2, 3, 4);

/* A name from a header or a path, escaped and cut, for an error's text. Lives as long as the
 * block it stands in. */
#define NAME_SHOWN 160
#define SHOWN_NAME(text) escape_text((char[NAME_SHOWN]){ 0 }, NAME_SHOWN, (text))

#endif
