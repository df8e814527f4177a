/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What images are to each other: pieces, chains, loops. */
#include <errno.h>
#include <string.h>

#include "facts.h"
#include "imagesearch.h"

/* A piece of another image is none itself, whatever its content looks like. But no image makes one
 * its piece that the configuration names, or that others lie on. */
static void judge_part(struct search *s, const struct image_part *part)
{
	struct image *image = search_inode(s, part->ino);
	struct err e;

	if (!image)
		return;
	if (image->is_wished || image->backs_another) {
		image_bad(&e, "its part %s is %s", SHOWN_NAME(part->path),
			  image->is_wished ? "a disk of its own in sweep.conf"
					   : "the backing file of another image");
		image_refuse(part->owner, &e);
		return;
	}
	image->part_of = part->owner;
	memset(&image->refused, 0, sizeof(image->refused));
}

static void judge_length(struct search *s, struct image *image)
{
	const struct image *below = image->backing;
	size_t steps = 0;
	struct err e;

	while (below && steps < s->set->n) {
		below = below->backing;
		steps++;
	}
	if (below)
		image_bad(&e, "its backing files lead round in a circle");
	else if (steps > IMAGES_MAX_CHAIN)
		err_set_word(&e, ENOTSUP, "unsupported-feature", "it has more than %d backing files",
			     IMAGES_MAX_CHAIN);
	else
		return;
	/* the circle's reason goes before all others: nobody may follow it */
	image->refused = e;
	if (below)
		image->backing = NULL;
}

/* Two images may call the one below them different things, and the configuration something else. */
static void judge_format(struct image *image)
{
	const struct image *below = image->backing;
	enum image_format said;
	struct err e;

	if (!below || image_format_parse(image->facts.backing_format, &said) < 0 || below->format == said)
		return;
	image_bad(&e, "its backing file %s is %s, but its header says %s", SHOWN_NAME(below->path),
		  image_format_name(below->format), image_format_name(said));
	image_refuse(image, &e);
}

/* VMware gives a disk a new content ID when it is first written to, so that what lies on it is
 * known to be stale. */
static void judge_content_id(struct image *image)
{
	const struct image *below = image->backing;
	struct err e;

	if (!below || image->format != IMAGE_VMDK || image->refused.code || below->refused.code)
		return;
	if (below->format != IMAGE_VMDK || below->facts.cid == image->facts.parent_cid)
		return;
	image_bad(&e, "its parent %s was changed after it: its content ID is %08x, not %08x",
		  SHOWN_NAME(below->path), below->facts.cid, image->facts.parent_cid);
	image_refuse(image, &e);
}

static bool take_over(struct image *image)
{
	struct err e;

	if (image->refused.code || !image->backing || !image->backing->refused.code)
		return false;
	e = image->backing->refused;
	err_wrap(&e, "its backing file %s", SHOWN_NAME(image->backing->path));
	image_refuse(image, &e);
	return true;
}

void search_judge(struct search *s)
{
	bool again = true;
	size_t i;

	for (i = 0; i < s->n_parts; i++)
		judge_part(s, &s->part[i]);
	for (i = 0; i < s->set->n; i++)
		judge_length(s, s->set->image[i]);
	for (i = 0; i < s->set->n; i++) {
		judge_format(s->set->image[i]);
		judge_content_id(s->set->image[i]);
	}
	while (again) {
		again = false;
		for (i = 0; i < s->set->n; i++)
			again |= take_over(s->set->image[i]);
	}
}
