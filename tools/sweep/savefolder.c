/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder of saves on an ext filesystem that is not mounted. */
#include "savefolder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include <ext2fs/ext2fs.h>

#include "blockdev.h"
#include "cleanup.h"

struct ext_reader {
	ext2_filsys fs;
	int fd;
};

/* On its way through the entries of a folder. */
struct visit {
	const struct savefolder *folder;
	ext2_filsys fs;
};

struct ext_reader *savefolder_open_ext(const char *device)
{
	struct ext_reader *r = calloc(1, sizeof(*r));
	char number[16];
	struct err e;

	if (!r)
		return NULL;
	r->fd = blockdev_open(device, &e);
	snprintf(number, sizeof(number), "%d", r->fd);
	if (r->fd >= 0 && ext2fs_open(number, EXT2_FLAG_64BITS, 0, 0, unixfd_io_manager, &r->fs) == 0)
		return r;
	if (r->fd >= 0)
		close(r->fd);
	free(r);
	return NULL;
}

void savefolder_close_ext(struct ext_reader *r)
{
	ext2fs_free(r->fs);
	close(r->fd);
	free(r);
}

static ssize_t read_head(ext2_filsys fs, ext2_ino_t ino, char *head)
{
	unsigned got = 0;
	ext2_file_t file;
	errcode_t rc;

	if (ext2fs_file_open(fs, ino, 0, &file))
		return -1;
	rc = ext2fs_file_read(file, head, SAVEFILE_HEAD, &got);
	ext2fs_file_close(file);
	return rc ? -1 : (ssize_t)got;
}

static int take_entry(struct ext2_dir_entry *entry, int offset, int blocksize, char *buf, void *arg)
{
	const struct visit *v = arg;
	struct ext2_inode inode;
	char name[EXT2_NAME_LEN + 1];
	size_t n = entry->name_len & 0xff;
	cleanup_free char *head = NULL;

	(void)offset;
	(void)blocksize;
	(void)buf;
	memcpy(name, entry->name, n);
	name[n] = 0;
	if (!savefolder_wants(name))
		return 0;
	if (ext2fs_read_inode(v->fs, entry->inode, &inode) == 0 && LINUX_S_ISREG(inode.i_mode))
		head = malloc(SAVEFILE_HEAD);
	savefolder_take(v->folder, name, head, head ? read_head(v->fs, entry->inode, head) : -1);
	return 0;
}

static errcode_t find(ext2_filsys fs, const char *path, ext2_ino_t *ino)
{
	return ext2fs_namei_follow(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path[0] ? path : "/", ino);
}

int savefolder_read_ext(const struct savefolder *f, struct ext_reader *r)
{
	struct visit v = { .folder = f, .fs = r->fs };
	ext2_ino_t ino;
	errcode_t rc = find(r->fs, f->path, &ino);

	if (rc == 0)
		rc = ext2fs_dir_iterate(r->fs, ino, 0, NULL, take_entry, &v);
	if (rc == EXT2_ET_FILE_NOT_FOUND || rc == EXT2_ET_NO_DIRECTORY)
		return -ENOENT;
	return rc ? -EIO : 0;
}

bool savefolder_is_in_ext(struct ext_reader *r, const char *path)
{
	ext2_ino_t ino;

	return find(r->fs, path, &ino) == 0 && ext2fs_check_directory(r->fs, ino) == 0;
}
