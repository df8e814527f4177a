/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "imagebox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SLACK (1u << 30) /* the last block of a format with large ones, its tables and its log */

static size_t take(json_object *source, const char *key, bool writable, struct sandbox_path *to)
{
	json_object *files;
	size_t n, i;

	if (!json_object_object_get_ex(source, key, &files))
		return 0;
	n = json_object_array_length(files);
	for (i = 0; i < n && to; i++)
		to[i] = (struct sandbox_path){ json_object_get_string(json_object_array_get_idx(files, i)),
					       writable };
	return n;
}

/* A guest can have no more written than its whole disk once more, beside what snapshots keep, and
 * the tables for it: of qcow2's smallest clusters, 512 bytes, they are less than an eighth. */
static uint64_t longest(const struct imagebox *b, uint64_t bytes)
{
	uint64_t most = 0;
	struct stat st;
	size_t i;

	for (i = 0; i < b->n_files && b->files[i].writable; i++)
		if (stat(b->files[i].path, &st) == 0 && (uint64_t)st.st_size > most)
			most = (uint64_t)st.st_size;
	return most + bytes + bytes / 8 + SLACK;
}

int imagebox_make(struct imagebox *b, json_object *source, uint64_t bytes, bool writable,
		  struct err *e)
{
	size_t own = take(source, "files", false, NULL);

	memset(b, 0, sizeof(*b));
	b->n_files = own + take(source, "files_below", false, NULL);
	if (b->n_files > SANDBOX_FILES_MAX)
		return err_set_word(e, E2BIG, "unsupported-feature",
				    "it consists of %zu files, and no more than %d can be given to QEMU",
				    b->n_files, SANDBOX_FILES_MAX);
	b->files = calloc(b->n_files + 1, sizeof(*b->files));
	if (!b->files)
		return err_set(e, ENOMEM, "no memory for an image");
	take(source, "files", writable, b->files);
	take(source, "files_below", false, b->files + own);
	b->file_bytes = writable ? longest(b, bytes) : 0;
	return 0;
}

void imagebox_free(struct imagebox *b)
{
	free(b->files);
	memset(b, 0, sizeof(*b));
}
