/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the reader answers about an image file. Inside of images/ and for its tests. */
#ifndef GS_IMAGE_BOXED_H
#define GS_IMAGE_BOXED_H

#include "facts.h"
#include "reader.h"

#define IMAGE_NAME_SIZE 1024       /* of a backing or data file's name, with its NUL */
#define IMAGE_EXTENT_NAME_SIZE 512
#define EXTENTS_PER_ANSWER 200

/* Facts without what pointers lead to. */
struct flat_facts {
	struct image_facts facts; /* its pointers mean nothing */
	bool has_backing_name, has_data_name;
	char backing_name[IMAGE_NAME_SIZE], data_name[IMAGE_NAME_SIZE];
	char no_disk[32]; /* "": NULL */
};

/* Some of the extents, one after another. */
struct flat_extents {
	struct {
		struct image_extent x; /* its pointer means nothing */
		char name[IMAGE_EXTENT_NAME_SIZE];
	} part[EXTENTS_PER_ANSWER];
};

_Static_assert(sizeof(struct flat_facts) <= READER_ANSWER_MAX, "an answer is too long");
_Static_assert(sizeof(struct flat_extents) <= READER_ANSWER_MAX, "an answer is too long");

/* Takes an answer, any bytes, about f read as format into *facts, with n_extents of which none is there
 * yet. Returns 0; -EIO (tool-failed) where it can't be right; -ENOMEM. Release with facts_clear(), also on
 * failure. */
int flat_facts_take(struct flat_facts *flat, const struct image_file *f, enum image_format format,
		    size_t *n_extents, struct image_facts *facts, struct err *e) must_check nonnull_all;

/* Adds the first n extents of an answer, any bytes, to the facts. Errors as there. */
int flat_extents_take(struct flat_extents *flat, size_t n, struct image_facts *facts, struct err *e)
	must_check nonnull_all;

#endif
