/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "imagesource.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json_util.h>

#include "cleanup.h"

#define FOLDER "/run/guestsweep"

static void path_of(unsigned id, char *path, size_t size)
{
	snprintf(path, size, FOLDER "/image-%u.json", id);
}

static int add_graph(json_object *o, const char *key, const struct image *image, const char *folder,
		     bool read_only, struct err *e)
{
	cleanup_free char *graph = image_graph(image, folder, read_only, e);
	json_object *text;

	if (!graph)
		return -e->code;
	text = json_object_new_string(graph);
	if (key)
		json_object_object_add(o, key, text);
	else
		json_object_array_add(o, text);
	return 0;
}

static int add_graphs(json_object *o, const struct image *image, const char *folder, struct err *e)
{
	json_object *below = json_object_new_array();
	const struct image *lower;
	int rc = add_graph(o, "read_graph", image, folder, true, e);

	json_object_object_add(o, "below", below);
	if (rc == 0 && !image->facts.is_read_only)
		rc = add_graph(o, "write_graph", image, folder, false, e);
	for (lower = image->backing; rc == 0 && lower; lower = lower->backing)
		if (lower->format != IMAGE_RAW)
			rc = add_graph(below, NULL, lower, folder, true, e);
	return rc;
}

static int add_file(const char *path, void *arg, struct err *e)
{
	(void)e;
	json_object_array_add(arg, json_object_new_string(path));
	return 0;
}

static int add_files(json_object *o, const struct image *image, const char *folder, struct err *e)
{
	json_object *files = json_object_new_array(), *below = json_object_new_array();
	const struct image *lower;
	int rc = image_each_file(image, folder, add_file, files, e);

	json_object_object_add(o, "files", files);
	json_object_object_add(o, "files_below", below);
	for (lower = image->backing; rc == 0 && lower; lower = lower->backing)
		rc = image_each_file(lower, folder, add_file, below, e);
	return rc;
}

int imagesource_write(unsigned id, const struct image *image, const char *folder, struct err *e)
{
	json_object *o = json_object_new_object();
	char path[64], file[4096];
	int rc = 0;

	snprintf(file, sizeof(file), "%s/%s", folder, image->path);
	json_object_object_add(o, "file", json_object_new_string(file));
	json_object_object_add(o, "raw", json_object_new_int(image->format == IMAGE_RAW));
	json_object_object_add(o, "log_dirty", json_object_new_int(image->facts.is_log_dirty));
	json_object_object_add(o, "corrupt", json_object_new_int(image->facts.is_corrupt));
	if (image->format != IMAGE_RAW)
		rc = add_graphs(o, image, folder, e);
	if (rc == 0)
		rc = add_files(o, image, folder, e);
	path_of(id, path, sizeof(path));
	if (rc == 0 && json_object_to_file(path, o) < 0)
		rc = err_set(e, EIO, "%s can't be written", path);
	json_object_put(o);
	return rc;
}

json_object *imagesource_read(unsigned id, struct err *e)
{
	char path[64];
	json_object *o;

	path_of(id, path, sizeof(path));
	o = json_object_from_file(path);
	if (!o)
		err_set(e, ENOENT, "%s can't be read", path);
	return o;
}
