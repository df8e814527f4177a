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

#include <json-c/json_tokener.h>

#include "blockdev.h"
#include "channel.h"
#include "cleanup.h"
#include "log.h"
#include "mounts.h"
#include "nodejson.h"
#include "reader.h"
#include "savefolder.h"

#define TEXT_MAX 1024
#define MESSAGE_EXTRA 100 /* bytes around a save in a message of a worker */

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

static void name_save(const struct savefolder *f, const char *file, char where[TEXT_MAX], char name[256])
{
	size_t length = strlen(file) - strlen(SAVE_ENDING);

	snprintf(where, TEXT_MAX, "%s:%s%s%s", f->volume, f->path, f->path[1] ? "/" : "", file);
	snprintf(name, 256, "%.*s", (int)length, file);
}

void savefolder_take(const struct savefolder *f, const char *file, const void *head, ssize_t n)
{
	char where[TEXT_MAX], name[256];

	name_save(f, file, where, name);
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

/* ---- what the reader answers ---- */

/* In the reader: the saves, which it frees, as text. */
static int tell_saves(json_object *saves, char *answer, struct err *e)
{
	int n = snprintf(answer, READER_ANSWER_MAX, "%s", json_object_to_json_string(saves));

	json_object_put(saves);
	return n < (int)READER_ANSWER_MAX ? 0 : err_set(e, E2BIG, "there are too many saved guests on it");
}

static json_object *escaped(const char *raw)
{
	char text[TEXT_MAX];

	return json_object_new_string(escape_text(text, sizeof(text), raw));
}

/* What the reader says may be anything: only what savefile.h names is taken over. */
static json_object *tidy_save(json_object *from)
{
	static const char *const texts[] = { "where", "name", "domain", "problem" };
	json_object *save = json_object_new_object(), *sources = json_object_new_array(), *list;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		json_object_object_add(save, texts[i], escaped(json_text(from, texts[i])));
	if (json_object_object_get_ex(from, "sources", &list) && json_object_is_type(list, json_type_array))
		for (i = 0; i < json_object_array_length(list); i++) {
			json_object *source = json_object_array_get_idx(list, i);

			json_object_array_add(sources, escaped(source ? json_object_get_string(source) : ""));
		}
	json_object_object_add(save, "sources", sources);
	json_object_object_add(save, "looked", json_object_new_int(json_number(from, "looked") == 1));
	return save;
}

static int take_answer(char *text, json_object *saves, struct err *e)
{
	json_object *found;
	int rc = 0;
	size_t i;

	text[READER_ANSWER_MAX - 1] = 0;
	found = json_tokener_parse(text);
	if (!json_object_is_type(found, json_type_array)) {
		json_object_put(found);
		return reader_nonsense(e);
	}
	for (i = 0; rc == 0 && i < json_object_array_length(found); i++) {
		json_object *save = tidy_save(json_object_array_get_idx(found, i));

		if (strlen(json_object_to_json_string(save)) + MESSAGE_EXTRA <= CHANNEL_MESSAGE_MAX) {
			add(saves, save);
		} else {
			json_object_put(save);
			rc = reader_nonsense(e);
		}
	}
	json_object_put(found);
	return rc;
}

/* ---- a mounted filesystem ---- */

/* Symbolic links lead to where they would on the host, and never out of the filesystem's tree. */
static int open_inside(int root, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* The question's text: the file's name; its number: whether it is surely a save. */
static int look_at_file(const struct reader_question *q, void *answer, struct err *e)
{
	struct savefolder f = { .volume = "", .path = "/", .sure = q->number != 0, .saves = json_object_new_array() };
	cleanup_free char *head = malloc(SAVEFILE_HEAD);

	savefolder_take(&f, q->text, head, head ? pread(READER_FD, head, SAVEFILE_HEAD, 0) : -1);
	return tell_saves(f.saves, answer, e);
}

/* Takes over what the reader says of the save at where, if it is one, but not what it is called. */
static int ask_file(const struct savefolder *f, int fd, const char *file, const char *where, const char *name,
		    struct err *e)
{
	struct reader_question q = { .number = f->sure };
	cleanup_free char *answer = malloc(READER_ANSWER_MAX);
	json_object *found = json_object_new_array();
	int rc = answer && found ? 0 : err_set(e, ENOMEM, "there is no memory to read it");

	snprintf(q.text, sizeof(q.text), "%s", file);
	if (rc == 0)
		rc = reader_ask_fd(fd, look_at_file, &q, answer, READER_ANSWER_MAX, e);
	if (rc == 0)
		rc = take_answer(answer, found, e);
	if (rc == 0 && f->sure && json_object_array_length(found) == 0)
		rc = reader_nonsense(e);
	if (rc == 0 && json_object_array_length(found) > 0) {
		json_object *save = json_object_get(json_object_array_get_idx(found, 0));

		json_object_object_add(save, "where", escaped(where));
		json_object_object_add(save, "name", escaped(name));
		json_object_object_del(save, "looked"); /* a folder's word */
		add(f->saves, save);
	}
	json_object_put(found);
	return rc;
}

static void read_file(const struct savefolder *f, int folder, const char *file)
{
	cleanup_fd int fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	char where[TEXT_MAX], name[256];
	struct stat st;
	struct err e;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		savefolder_take(f, file, NULL, -1);
		return;
	}
	name_save(f, file, where, name);
	if (ask_file(f, fd, file, where, name, &e) < 0)
		add(f->saves, savefile_unread(where, name, e.text));
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

static int read_folder(const struct savefolder *f, const struct savereader *reader)
{
	return reader->mounted ? read_mounted(f, reader->root) : savefolder_read_ext(f, reader->fs);
}

/* f->path is the folder; above: the one that makes it matter, when it can't be read. */
static void look_into(struct savefolder *f, const struct savereader *reader, const char *above)
{
	int rc = read_folder(f, reader);
	char where[600];
	bool is_there;

	if (rc == 0 || rc == -ENOENT || rc == -ENOTDIR || !f->sure)
		return;
	is_there = reader->mounted ? is_there_mounted(reader->root, above) : savefolder_is_in_ext(reader->fs, above);
	snprintf(where, sizeof(where), "%s:%s", f->volume, f->path);
	if (is_there)
		add(f->saves, savefile_unread(where, "", "the folder can't be read"));
}

static json_object *looked_into(const char *folder)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "where", json_object_new_string(folder));
	json_object_object_add(o, "looked", json_object_new_int(1));
	return o;
}

/* The folders that the configuration names on this volume. One that can't be read, or is not there, is not looked
 * into, and what that means is saves_judge()'s to say. */
static void look_where_named(const struct settings *s, struct savefolder *f, const struct savereader *reader)
{
	size_t n = strlen(f->volume), i;

	f->sure = true;
	for (i = 0; i < s->saves.n; i++) {
		if (strncmp(s->saves.item[i], f->volume, n) != 0 || s->saves.item[i][n] != ':')
			continue;
		snprintf(f->path, sizeof(f->path), "%s", s->saves.item[i] + n + 1);
		if (read_folder(f, reader) == 0)
			add(f->saves, looked_into(s->saves.item[i]));
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

/* ---- an ext filesystem, in the reader ---- */

/* The question's text: the volume, and so many settings of saves = as number says, each with a NUL behind it.
 * The answer's: the saves, as JSON. */
static int look_at_ext(const struct reader_question *q, void *answer, struct err *e)
{
	static char *item[READER_TEXT_MAX / 2];
	const struct settings s = { .saves = { .item = item, .n = q->number } };
	struct savereader reader = { .fs = savefolder_open_ext(READER_DEVICE) };
	json_object *saves = json_object_new_array();
	const char *at = q->text + strlen(q->text) + 1;
	size_t i;

	for (i = 0; i < q->number; i++, at += strlen(at) + 1)
		item[i] = (char *)(uintptr_t)at;
	if (reader.fs) {
		look(&s, q->text, saves, &reader, false);
		savefolder_close_ext(reader.fs);
	}
	return tell_saves(saves, answer, e);
}

static int make_question(struct reader_question *q, const struct settings *s, const char *volume, struct err *e)
{
	size_t used = (size_t)snprintf(q->text, sizeof(q->text), "%s", volume) + 1, i;

	for (i = 0; i < s->saves.n; i++, q->number++) {
		size_t size = strlen(s->saves.item[i]) + 1;

		if (used + size > sizeof(q->text))
			return err_set(e, E2BIG, "the setting saves is too long");
		memcpy(q->text + used, s->saves.item[i], size);
		used += size;
	}
	return 0;
}

static void ask_ext(struct walk *w, const struct node *n, const char *volume, json_object *saves)
{
	struct reader_question *q = calloc(1, sizeof(*q));
	char *answer = malloc(READER_ANSWER_MAX), where[NODE_PATH_SIZE + 2];
	struct err e = { 0 };
	int rc = q && answer ? make_question(q, w->env->settings, volume, &e) : err_set(&e, ENOMEM, "no memory");

	if (rc == 0)
		rc = reader_ask(n->parents[0]->device, look_at_ext, q, answer, READER_ANSWER_MAX, &e);
	if (rc == 0)
		rc = take_answer(answer, saves, &e);
	snprintf(where, sizeof(where), "%s:/", volume);
	if (rc < 0)
		add(saves, savefile_unread(where, "", e.text));
	free(answer);
	free(q);
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

/* A btrfs may lie on several devices, which are put together later. */
static bool is_whole(const struct node *n)
{
	return n->parents[0]->content.fs_bytes <= n->bytes;
}

void savesearch(struct walk *w, struct node *n, json_object *saves)
{
	char volume[NODE_PATH_SIZE];

	node_volume_path(n, volume);
	if (!may_have_saves(w->env->settings, volume))
		return;
	if (strncmp(n->type, "ext", 3) == 0)
		ask_ext(w, n, volume, saves);
	else if ((strcmp(n->type, "xfs") == 0 || strcmp(n->type, "btrfs") == 0) && is_whole(n) && walk_check_early(w, n))
		mount_and_look(w, n, volume, saves);
}
