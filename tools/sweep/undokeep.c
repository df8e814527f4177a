/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "undokeep.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <json-c/json_object.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"
#include "undobox.h"

#define ENDING ".e2undo"

/* "…/012.e2undo" to "…/012.json" */
static void companion(const char *path, char json[UNDO_PATH_SIZE])
{
	snprintf(json, UNDO_PATH_SIZE, "%.*s.json", (int)(strlen(path) - strlen(ENDING)), path);
}

static int sync_folder(const char *path, struct err *e)
{
	char copy[UNDO_PATH_SIZE];
	cleanup_fd int fd = -1;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || syncfs(fd) < 0)
		return err_set(e, errno, "sync %s: %s", copy, strerror(errno));
	return 0;
}

/* The host's volumes that n lies on: what a sweep has to open to come to it again. */
static void add_volumes(json_object *list, const struct node *n)
{
	char path[NODE_PATH_SIZE];
	size_t i;

	if (n->volume || n->n_parents == 0) {
		node_path(n, path);
		for (i = 0; i < json_object_array_length(list); i++)
			if (strcmp(json_object_get_string(json_object_array_get_idx(list, i)), path) == 0)
				return;
		json_object_array_add(list, json_object_new_string(path));
		return;
	}
	for (i = 0; i < n->n_parents; i++)
		add_volumes(list, n->parents[i]);
}

/* By write: file_write() where a sync follows, else file_write_atomic(). */
static int write_companion(const struct node *n, const char *path, const char *after,
			   int (*write)(const char *, const void *, size_t, struct err *), struct err *e)
{
	json_object *o = json_object_new_object(), *volumes = json_object_new_array();
	char json[UNDO_PATH_SIZE];
	const char *text;
	int rc;

	add_volumes(volumes, n->parents[0]);
	json_object_object_add(o, "node", json_object_new_int64(n->id));
	json_object_object_add(o, "device", json_object_new_string(n->parents[0]->stack));
	json_object_object_add(o, "stack", json_object_new_string(n->stack));
	json_object_object_add(o, "uuid", json_object_new_string(n->uuid));
	json_object_object_add(o, "volumes", volumes);
	json_object_object_add(o, "after", json_object_new_string(after));
	json_object_object_add(o, "forced", json_object_new_boolean(strstr(n->check.argv, "\n-y\n") != NULL));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	companion(path, json);
	rc = write(json, text, strlen(text), e);
	json_object_put(o);
	return rc;
}

static int make(const struct walk *w, const struct node *n, char path[UNDO_PATH_SIZE], struct err *e)
{
	struct err ignored;
	int rc;

	snprintf(path, UNDO_PATH_SIZE, "%s/%03u%s", w->env->undo_dir, n->id, ENDING);
	rc = file_write(path, "", 0, e);
	if (rc == 0)
		rc = write_companion(n, path, "", file_write, e);
	if (rc == 0)
		rc = sync_folder(path, e);
	if (rc < 0) {
		undokeep_drop(path);
		if (sync_folder(path, &ignored) < 0)
			log_line("%s: %s", n->stack, ignored.text);
	}
	return rc;
}

/* Cloned blocks may be more than bytes; e2fsck stops then. */
static bool has_room(const struct walk *w, uint64_t bytes)
{
	struct statvfs room;

	return w->env->undo_dir[0] && statvfs(w->env->undo_dir, &room) == 0 &&
	       (uint64_t)room.f_bavail * room.f_frsize >= bytes;
}

int undokeep_begin(const struct walk *w, const struct node *n, uint64_t bytes, char path[UNDO_PATH_SIZE],
		   struct err *e)
{
	uint64_t need = bytes + bytes / 8 + (1 << 20);

	path[0] = 0;
	if (w->env->undo == UNDO_OFF || (has_room(w, need) && make(w, n, path, e) == 0))
		return 0;
	path[0] = 0;
	if (w->env->undo == UNDO_REQUIRED)
		return err_set_word(e, ENOSPC, "no-undo",
				    "an undo file is required, and the report filesystem has no room for it "
				    "(%llu MiB); nothing is written", (unsigned long long)(need >> 20));
	return 0;
}

void undokeep_drop(const char *path)
{
	char json[UNDO_PATH_SIZE];

	companion(path, json);
	unlink(path);
	unlink(json);
}

/* e2fsck does not sync that it has come to its end. */
static int sync_file(const char *path, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 || fsync(fd) < 0 ? err_set(e, errno, "sync: %s", strerror(errno)) : 0;
}

void undokeep_end(const struct walk *w, struct node *n, const char *path)
{
	char hash[UNDOBOX_HASH_SIZE] = "";
	struct err why = { 0 };
	int rc = undobox_hash(w->env, n, path, hash, &why);

	if (rc == -ENODATA) {
		undokeep_drop(path);
		return;
	}
	snprintf(n->check.undo, sizeof(n->check.undo), "undo/%03u%s", n->id, ENDING);
	if (rc == 0)
		rc = sync_file(path, &why);
	if (rc == 0)
		rc = write_companion(n, path, hash, file_write_atomic, &why);
	if (rc < 0)
		node_note(n, "bad-undo", "its undo file may be of no use: %s", why.text);
}

int undokeep_give_up(const struct walk *w, const struct node *n, char *path, struct err *e)
{
	int rc = undobox_play(w->env, n, path, e);

	if (rc < 0 && rc != -ENODATA)
		return err_wrap(e, "the undo file could not be written, and what was written till then could not "
				"be taken back");
	undokeep_drop(path);
	path[0] = 0;
	if (w->env->undo == UNDO_REQUIRED)
		return err_set_word(e, ENOSPC, "no-undo",
				    "an undo file is required, and the report filesystem could not take all of it; "
				    "what had been written was taken back");
	return 0;
}
