/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU finds in its sandbox: the files of one image, and of those it lies on. */
#ifndef GS_IMAGEBOX_H
#define GS_IMAGEBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json_object.h>

#include "err.h"
#include "sandbox.h"

struct imagebox {
	struct sandbox_path *files; /* under the names that the block graph has */
	size_t n_files;
	uint64_t file_bytes;        /* the longest that one may become; 0: none is written to */
};

/* For the image whose imagesource_read() is source, which must outlive *b; bytes: of the disk in
 * it. Where writable, its own files may be written to; backing files never. Returns 0; -E2BIG
 * more files than a sandbox takes (unsupported-feature); -errno. */
int imagebox_make(struct imagebox *b, json_object *source, uint64_t bytes, bool writable,
		  struct err *e) must_check nonnull_all;
void imagebox_free(struct imagebox *b) nonnull_all;

#endif
