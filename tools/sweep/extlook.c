/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "extlook.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <ext2fs/ext2fs.h>

#include "blockdev.h"
#include "cleanup.h"
#include "facts.h"

#define MAX_ENTRIES 10000000 /* looked at, in all folders */
#define LINK_MAX_BYTES 4096

struct look {
	ext2_filsys fs;
	const struct words *patterns;
	ext2_ino_t here;          /* the folder that is read */
	ext2fs_inode_bitmap seen; /* folders, so that a damaged tree is walked once */
	ext2_ino_t *folder;       /* still to be read */
	size_t n_folders;
	unsigned long entries;
	bool found;
	bool failed;              /* no memory, or more than MAX_ENTRIES */
};

static void add_folder(struct look *l, ext2_ino_t ino)
{
	ext2_ino_t *grown;

	if (ino < EXT2_ROOT_INO || ino > l->fs->super->s_inodes_count ||
	    ext2fs_mark_inode_bitmap2(l->seen, ino))
		return;
	grown = realloc(l->folder, (l->n_folders + 1) * sizeof(*grown));
	if (!grown) {
		l->failed = true;
		return;
	}
	l->folder = grown;
	l->folder[l->n_folders++] = ino;
}

static bool matches(const struct look *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->patterns->n; i++)
		if (fnmatch(l->patterns->item[i], name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

/* Reads up to size bytes from the start of a file. Returns how many; 0 where it can't be read. */
static unsigned read_start(ext2_filsys fs, ext2_ino_t ino, void *buf, unsigned size)
{
	ext2_file_t file;
	unsigned n = 0;

	if (ext2fs_file_open(fs, ino, 0, &file))
		return 0;
	if (ext2fs_file_read(file, buf, size, &n))
		n = 0;
	ext2fs_file_close(file);
	return n;
}

/* The text of a symbolic link, without the folder where the host had the filesystem mounted last. NULL: it can't be read. */
static const char *link_text(const struct look *l, ext2_ino_t ino, struct ext2_inode *inode, char text[LINK_MAX_BYTES + 1])
{
	const char *mounted_at = (const char *)l->fs->super->s_last_mounted;
	size_t n = strnlen(mounted_at, sizeof(l->fs->super->s_last_mounted));
	unsigned size = inode->i_size < LINK_MAX_BYTES ? inode->i_size : LINK_MAX_BYTES;

	if (ext2fs_is_fast_symlink(inode))
		memcpy(text, inode->i_block, size);
	else
		size = read_start(l->fs, ino, text, size);
	text[size] = 0;
	while (n && mounted_at[n - 1] == '/')
		n--;
	return size == 0 ? NULL : n && strncmp(text, mounted_at, n) == 0 && text[n] == '/' ? text + n : text;
}

/* Whether a symbolic link that is called name leads to a file that may be a disk: as symlinks.c finds it, once it is mounted. */
static bool leads_to_disk(const struct look *l, const char *name, ext2_ino_t ino, struct ext2_inode *inode)
{
	unsigned char head[IMAGE_HEAD];
	char text[LINK_MAX_BYTES + 1];
	const char *path = link_text(l, ino, inode, text);

	if (!path || ext2fs_namei_follow(l->fs, EXT2_ROOT_INO, l->here, path, &ino) ||
	    ext2fs_read_inode(l->fs, ino, inode) || !LINUX_S_ISREG(inode->i_mode) ||
	    !image_may_be_disk(name, EXT2_I_SIZE(inode)))
		return false;
	return image_format_of_path(name) != IMAGE_RAW ||
	       !image_no_disk(head, read_start(l->fs, ino, head, sizeof(head)), EXT2_I_SIZE(inode));
}

static int visit(struct ext2_dir_entry *entry, int offset, int blocksize, char *buf, void *arg)
{
	struct ext2_dir_entry_2 *d = (struct ext2_dir_entry_2 *)entry;
	struct look *l = arg;
	struct ext2_inode inode;
	char name[EXT2_NAME_LEN + 1];

	(void)offset;
	(void)blocksize;
	(void)buf;
	if (++l->entries > MAX_ENTRIES)
		l->failed = true;
	if (!entry->inode)
		return l->failed ? DIRENT_ABORT : 0;
	memcpy(name, d->name, d->name_len);
	name[d->name_len] = 0;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return l->failed ? DIRENT_ABORT : 0;
	/* without the feature filetype each inode has to be asked */
	if ((d->file_type == EXT2_FT_DIR || d->file_type == EXT2_FT_UNKNOWN || matches(l, name)) &&
	    ext2fs_read_inode(l->fs, entry->inode, &inode) == 0) {
		if (LINUX_S_ISDIR(inode.i_mode))
			add_folder(l, entry->inode);
		else if (LINUX_S_ISREG(inode.i_mode) && image_may_be_disk(name, EXT2_I_SIZE(&inode)) &&
			 matches(l, name))
			l->found = true;
		else if (LINUX_S_ISLNK(inode.i_mode) && matches(l, name))
			l->found = leads_to_disk(l, name, entry->inode, &inode);
	}
	return l->found || l->failed ? DIRENT_ABORT : 0;
}

static int walk(struct look *l, struct err *e)
{
	errcode_t rc = ext2fs_allocate_inode_bitmap(l->fs, "folders", &l->seen);

	if (rc == 0)
		add_folder(l, EXT2_ROOT_INO);
	while (rc == 0 && l->n_folders && !l->found && !l->failed) {
		l->here = l->folder[--l->n_folders];
		/* A folder that can't be read has nothing to find in it. Empty entries count too: a
		 * few blocks that point at each other can make a folder of billions of them. */
		ext2fs_dir_iterate(l->fs, l->here, DIRENT_FLAG_INCLUDE_EMPTY, NULL, visit, l);
	}
	if (rc || l->failed)
		return err_set(e, rc ? EIO : E2BIG, "its folders can't be looked through");
	return l->found;
}

int extlook_has_image(const char *device, const struct words *patterns, struct err *e)
{
	struct look l = { .patterns = patterns };
	cleanup_fd int fd = blockdev_open(device, e);
	char number[16];
	int rc;

	if (fd < 0)
		return fd;
	snprintf(number, sizeof(number), "%d", fd);
	if (ext2fs_open(number, EXT2_FLAG_64BITS, 0, 0, unixfd_io_manager, &l.fs))
		return err_set(e, EIO, "its folders can't be read");
	rc = walk(&l, e);
	free(l.folder);
	if (l.seen)
		ext2fs_free_inode_bitmap(l.seen);
	ext2fs_free(l.fs);
	return rc;
}
