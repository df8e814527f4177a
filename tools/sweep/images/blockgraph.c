/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image and what lies below it as QEMU's block graph. Format: QEMU, qapi/block-core.json,
 * BlockdevOptions, behind the "json:" that its tools take for a file name. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "images.h"
#include "imagesearch.h"

#define PREFIX "json:"
#define MAX_ARGUMENT (128u << 10) /* Linux, MAX_ARG_STRLEN */

/* Adds value, which o owns from then on. Returns whether there was memory for both. */
static bool add(json_object *o, const char *key, json_object *value)
{
	if (value && json_object_object_add(o, key, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static bool add_text(json_object *o, const char *key, const char *value)
{
	return add(o, key, json_object_new_string(value));
}

static bool add_bool(json_object *o, const char *key, bool value)
{
	return add(o, key, json_object_new_boolean(value));
}

/* The node of the file at path below root. */
static json_object *file_node(const char *root, const char *path, bool read_only)
{
	json_object *o = json_object_new_object();
	cleanup_free char *name = NULL;

	if (o && asprintf(&name, "%s/%s", root, path) >= 0 && add_text(o, "driver", "file") &&
	    add_text(o, "filename", name) && add_bool(o, "read-only", read_only) &&
	    add_text(o, "locking", "on"))
		return o;
	json_object_put(o);
	return NULL;
}

/* QEMU takes the extents' names from the descriptor; that they are files, from here. */
static bool add_extents(json_object *o, const struct image *image)
{
	size_t i;

	for (i = 0; i < image->facts.n_extents; i++) {
		char key[40];

		snprintf(key, sizeof(key), "extents.%zu.driver", i);
		if (!add_text(o, key, "file"))
			return false;
	}
	return true;
}

/* The node of one image on top of below (owned; NULL: of nothing). */
static json_object *image_node(const struct image *image, const char *root, bool read_only,
			       json_object *below)
{
	json_object *o = json_object_new_object();

	if (o && json_object_object_add(o, "backing", below) == 0) {
		if (add_text(o, "driver", image_format_name(image->format)) &&
		    add_bool(o, "read-only", read_only) &&
		    add(o, "file", file_node(root, image->path, read_only)) && add_extents(o, image) &&
		    (!image->data_path ||
		     add(o, "data-file", file_node(root, image->data_path, read_only))))
			return o;
	} else {
		json_object_put(below);
	}
	json_object_put(o);
	return NULL;
}

static char *write_graph(json_object *o, struct err *e)
{
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
								     JSON_C_TO_STRING_NOSLASHESCAPE);
	char *graph = NULL;

	if (!text || asprintf(&graph, PREFIX "%s", text) < 0) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	if (strlen(graph) >= MAX_ARGUMENT) {
		free(graph);
		err_set_word(e, E2BIG, "unsupported-feature", "the names in its chain are too long");
		return NULL;
	}
	return graph;
}

char *image_graph(const struct image *top, const char *root, bool read_only, struct err *e)
{
	const struct image *chain[IMAGES_MAX_CHAIN + 1], *image;
	json_object *o = NULL;
	char *graph;
	size_t n = 0;

	for (image = top; image && n < ARRAY_SIZE(chain); image = image->backing)
		chain[n++] = image;
	if (image || top->refused.code || top->part_of) {
		err_set(e, EINVAL, "it can't be opened as an image");
		return NULL;
	}
	if (!read_only && (top->facts.is_read_only || top->backs_another)) {
		err_set_word(e, EROFS, "unsupported-feature", "it can't be written to");
		return NULL;
	}
	while (n--) {
		o = image_node(chain[n], root, read_only || n > 0, o);
		if (!o) {
			err_set(e, ENOMEM, "out of memory");
			return NULL;
		}
	}
	graph = write_graph(o, e);
	json_object_put(o);
	return graph;
}

static int tell_file(const char *root, const char *path,
		     int (*each)(const char *path, void *arg, struct err *e), void *arg, struct err *e)
{
	cleanup_free char *name = NULL;

	if (asprintf(&name, "%s/%s", root, path) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return each(name, arg, e);
}

int image_each_file(const struct image *image, const char *root,
		    int (*each)(const char *path, void *arg, struct err *e), void *arg, struct err *e)
{
	const char *slash = strrchr(image->path, '/');
	cleanup_free char *dir = strndup(image->path, slash ? (size_t)(slash - image->path) : 0);
	int rc = tell_file(root, image->path, each, arg, e);
	size_t i;

	if (!dir)
		return err_set(e, ENOMEM, "out of memory");
	if (rc == 0 && image->data_path)
		rc = tell_file(root, image->data_path, each, arg, e);
	for (i = 0; rc == 0 && i < image->facts.n_extents; i++) {
		cleanup_free char *path = NULL;

		rc = path_plain(dir, image->facts.extents[i].name, &path, e);
		if (rc == 0)
			rc = tell_file(root, path, each, arg, e);
	}
	return rc;
}
