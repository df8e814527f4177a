/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder that may hold saves, inside of savesearch.c: read through a mount, or by libext2fs. */
#ifndef GS_SAVEFOLDER_H
#define GS_SAVEFOLDER_H

#include <sys/types.h>

#include <json-c/json_object.h>

#include "savefile.h"

#define SAVE_ENDING ".save"

struct savefolder {
	const char *volume; /* what an admin calls the filesystem's device */
	char path[512];     /* from the filesystem's root */
	bool sure;          /* it is libvirt's: whatever is called like a save is one */
	json_object *saves; /* what was found goes in here */
};

struct ext_reader;

/* How the filesystem is read. */
struct savereader {
	bool mounted;
	int root;              /* its root folder, where it is mounted */
	struct ext_reader *fs; /* else */
};

/* Whether a file of that name may be a save. */
bool savefolder_wants(const char *file) nonnull_all;

/* The file's first n bytes are at head; n < 0: they can't be read, or it is no file. */
void savefolder_take(const struct savefolder *f, const char *file, const void *head, ssize_t n)
	nonnull_at(1, 2);

/* An ext filesystem on device, not mounted, for reading; NULL: it can't be opened. */
struct ext_reader *savefolder_open_ext(const char *device) nonnull_all;
void savefolder_close_ext(struct ext_reader *r) nonnull_all;

/* Takes every save in f->path. Returns 0; -ENOENT: there is no such folder; -EIO. */
int savefolder_read_ext(const struct savefolder *f, struct ext_reader *r) must_check nonnull_all;

/* true where there is a folder path. */
bool savefolder_is_in_ext(struct ext_reader *r, const char *path) nonnull_all;

#endif
