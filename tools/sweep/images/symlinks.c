/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Symbolic links that are called like images. The file behind one is an image where its own name, or the configuration,
 * says so; else nothing would be said of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "facts.h"
#include "imagesearch.h"

int search_symlink(struct search *s, const char *path, struct err *e)
{
	char **grown;

	if (s->n_symlinks == IMAGES_MAX)
		return err_set(e, E2BIG, "there are more than %d symbolic links that are called like images", IMAGES_MAX);
	grown = reallocarray(s->symlink, s->n_symlinks + 1, sizeof(*grown));
	if (!grown)
		return err_set(e, ENOMEM, "out of memory");
	s->symlink = grown;
	grown[s->n_symlinks] = strdup(path);
	return grown[s->n_symlinks++] ? 0 : err_set(e, ENOMEM, "out of memory");
}

static bool is_part(const struct search *s, ino_t ino)
{
	size_t i;

	for (i = 0; i < s->n_parts; i++)
		if (s->part[i].ino == ino)
			return true;
	return false;
}

/* Whether the link leads to a file that may be a disk and is not known: no kernel or initramfs, of which every host has
 * links called initrd.img. */
static bool leads_to_unknown(const struct search *s, const char *path)
{
	struct image_facts facts;
	struct stat st = { 0 };
	struct err ignored;
	cleanup_fd int fd = path_behind_symlink(s->root, s->mounted_at, path, &st);
	struct image_file f = { fd, (uint64_t)st.st_size };
	bool is_disk;

	if (fd < 0 || !f.bytes || search_inode(s, st.st_ino) || is_part(s, st.st_ino))
		return false;
	is_disk = s->reader->facts(&f, image_format_of_path(path), FORMAT_FROM_NAME, &facts, &ignored) < 0 || !facts.no_disk;
	facts_clear(&facts);
	return is_disk;
}

static int add(struct search *s, const char *path, struct err *e)
{
	static const struct stat nothing;
	struct image *image;
	struct err why;
	int rc = search_add(s, path, &nothing, &image, e);

	if (rc < 0)
		return rc;
	err_set_word(&why, ELOOP, "bad-image",
		     "it is a symbolic link, which is not followed, to a file that is not called like an image; give that "
		     "file such a name, or name it in sweep.conf");
	image_refuse(image, &why);
	return 0;
}

int search_judge_symlinks(struct search *s, struct err *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < s->n_symlinks; i++)
		if (!imageset_get(s->set, s->symlink[i]) && leads_to_unknown(s, s->symlink[i]))
			rc = add(s, s->symlink[i], e);
	return rc;
}
