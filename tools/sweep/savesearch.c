/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "savesearch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "blockdev.h"
#include "cleanup.h"
#include "log.h"
#include "mounts.h"
#include "savefolder.h"

/* libvirt's folder of saves, by where the filesystem may be mounted. In those that are not surely
 * libvirt's only what begins like a save is one. */
static const struct {
	const char *above, *folder; /* a folder that can't be read matters where the one above it is there */
	bool sure;
} places[] = {
	{ "/var/lib/libvirt", "/qemu/save", true }, /* / */
	{ "/lib/libvirt", "/qemu/save", true },     /* /var */
	{ "/libvirt", "/qemu/save", true },         /* /var/lib */
	{ "", "/qemu/save", false },                /* /var/lib/libvirt */
	{ "", "/save", false },                     /* /var/lib/libvirt/qemu */
	{ "", "/", false },                         /* /var/lib/libvirt/qemu/save */
};

/* Names that distributions give to the btrfs subvolumes of / and /var. */
static const char *const subvolumes[] = { "", "/@", "/@rootfs", "/root", "/@var" };

static void add(json_object *saves, json_object *save)
{
	if (save)
		json_object_array_add(saves, save);
}

void savefolder_take(const struct savefolder *f, const char *file, const void *head, ssize_t n)
{
	size_t length = strlen(file) - strlen(SAVE_ENDING);
	char where[1024], name[256];

	snprintf(where, sizeof(where), "%s:%s%s%s", f->volume, f->path, f->path[1] ? "/" : "", file);
	snprintf(name, sizeof(name), "%.*s", (int)length, file);
	if (n < 0 && f->sure)
		add(f->saves, savefile_unread(where, name, "it can't be read"));
	else if (n >= 0 && (f->sure || savefile_is_one(head, (size_t)n)))
		add(f->saves, savefile_read(head, (size_t)n, where, name));
}

bool savefolder_wants(const char *file)
{
	size_t n = strlen(file), ending = strlen(SAVE_ENDING);

	return n > ending && strcmp(file + n - ending, SAVE_ENDING) == 0;
}

/* ---- a mounted filesystem ---- */

/* Symbolic links lead to where they would on the host, and never out of the filesystem's tree. */
static int open_inside(int root, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static void read_file(const struct savefolder *f, int folder, const char *name)
{
	cleanup_fd int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	cleanup_free char *head = NULL;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		head = malloc(SAVEFILE_HEAD);
	savefolder_take(f, name, head, head ? pread(fd, head, SAVEFILE_HEAD, 0) : -1);
}

static int read_mounted(const struct savefolder *f, int root)
{
	cleanup_fd int fd = open_inside(root, f->path, O_DIRECTORY);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir)
		return -errno;
	steal_fd(&fd);
	for (errno = 0; (d = readdir(dir)); errno = 0)
		if (savefolder_wants(d->d_name))
			read_file(f, dirfd(dir), d->d_name);
	return -errno;
}

static bool is_there_mounted(int root, const char *path)
{
	cleanup_fd int fd = open_inside(root, path, O_DIRECTORY);

	return fd >= 0;
}

/* ---- which folders ---- */

/* f->path is the folder; above: the one that makes it matter, when it can't be read. */
static void look_into(struct savefolder *f, const struct savereader *reader, const char *above)
{
	int rc = reader->mounted ? read_mounted(f, reader->root) : savefolder_read_ext(f, reader->fs);
	char where[600];
	bool is_there;

	if (rc == 0 || rc == -ENOENT || rc == -ENOTDIR || !f->sure)
		return;
	is_there = reader->mounted ? is_there_mounted(reader->root, above) : savefolder_is_in_ext(reader->fs, above);
	snprintf(where, sizeof(where), "%s:%s", f->volume, f->path);
	if (is_there)
		add(f->saves, savefile_unread(where, "", "the folder can't be read"));
}

/* The folders that the configuration names on this volume. */
static void look_where_named(const struct settings *s, struct savefolder *f, const struct savereader *reader)
{
	size_t n = strlen(f->volume), i;

	f->sure = true;
	for (i = 0; i < s->saves.n; i++) {
		if (strncmp(s->saves.item[i], f->volume, n) != 0 || s->saves.item[i][n] != ':')
			continue;
		snprintf(f->path, sizeof(f->path), "%s", s->saves.item[i] + n + 1);
		look_into(f, reader, "/");
	}
}

static void look(const struct settings *s, const char *volume, json_object *saves,
		 const struct savereader *reader, bool has_subvolumes)
{
	struct savefolder f = { .volume = volume, .saves = saves };
	size_t i, k, n = has_subvolumes ? ARRAY_SIZE(subvolumes) : 1;
	char above[128];

	if (s->saves.n) {
		look_where_named(s, &f, reader);
		return;
	}
	for (i = 0; i < n; i++)
		for (k = 0; k < ARRAY_SIZE(places); k++) {
			snprintf(above, sizeof(above), "%s%s", subvolumes[i], places[k].above);
			snprintf(f.path, sizeof(f.path), "%s%s", above, places[k].folder);
			f.sure = places[k].sure;
			look_into(&f, reader, above);
		}
}

static void look_mounted(const struct settings *s, const char *folder, const char *volume,
			 json_object *saves, bool has_subvolumes)
{
	cleanup_fd int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct savereader reader = { .mounted = true, .root = root };

	if (root >= 0)
		look(s, volume, saves, &reader, has_subvolumes);
}

void savesearch_mounted(const struct settings *s, const char *folder, const char *volume, json_object *saves)
{
	look_mounted(s, folder, volume, saves, true);
}

/* ---- a filesystem that is not mounted ---- */

static void look_at_ext(struct walk *w, const struct node *n, const char *volume, json_object *saves)
{
	struct savereader reader = { .fs = savefolder_open_ext(n->parents[0]->device) };

	if (!reader.fs)
		return;
	look(w->env->settings, volume, saves, &reader, false);
	savefolder_close_ext(reader.fs);
}

static void mount_and_look(struct walk *w, const struct node *n, const char *volume, json_object *saves)
{
	const struct node *device = n->parents[0];
	char folder[64];
	struct mounted m;
	struct err e;
	int rc = device->read_only ? 0 : blockdev_set_read_only(device->device, true, &e);

	snprintf(folder, sizeof(folder), "%s/%u", MOUNTS_FOLDER, n->id);
	if (rc == 0)
		rc = mounts_mount(&m, device->device, folder, true, &e);
	if (rc == 0) {
		look_mounted(w->env->settings, folder, volume, saves, strcmp(n->type, "btrfs") == 0);
		rc = mounts_unmount(&m, &e);
	}
	if (rc < 0)
		log_line("%s: not looked through for saved guests: %s", n->stack, e.text);
	if (!device->read_only && blockdev_set_read_only(device->device, false, &e) < 0)
		log_line("%s: %s", n->stack, e.text);
}

/* Whether one of the folders that the configuration names is on this volume, or it names none. */
static bool may_have_saves(const struct settings *s, const char *volume)
{
	size_t n = strlen(volume), i;

	for (i = 0; i < s->saves.n; i++)
		if (strncmp(s->saves.item[i], volume, n) == 0 && s->saves.item[i][n] == ':')
			return true;
	return s->saves.n == 0;
}

void savesearch(struct walk *w, struct node *n, json_object *saves)
{
	char volume[NODE_PATH_SIZE];

	node_volume_path(n, volume);
	if (!may_have_saves(w->env->settings, volume))
		return;
	if (strncmp(n->type, "ext", 3) == 0)
		look_at_ext(w, n, volume, saves);
	else if ((strcmp(n->type, "xfs") == 0 || strcmp(n->type, "btrfs") == 0) && walk_check_early(w, n))
		mount_and_look(w, n, volume, saves);
}
