/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img(1) check: whether an image file's own tables are sound. */
#ifndef GS_QEMUIMG_H
#define GS_QEMUIMG_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json_object.h>

#include "walk.h"

struct image_health {
	bool known;          /* the format can be checked */
	uint64_t corruptions;
	uint64_t leaks;      /* clusters that nothing refers to: lost room, no harm */
	bool is_cut_off;     /* its tables refer to what lies behind the end of the file */
};

/* Checks the image that graph names ("json:{...}", one of those in source, see imagesource.h)
 * without writing to it; with repair, what it finds in source's own image is corrected before.
 * check of node n is filled in. Returns 0, or -errno with the code bad-image where it can't be read
 * as an image at all. */
int qemuimg_check(const struct walk_env *env, struct node *n, const char *graph,
		  json_object *source, bool repair, struct image_health *health, struct err *e)
	must_check nonnull_all;

#endif
