/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filesystems of the host that hold disk images.
 *
 * Recognises  a filesystem that lies on a volume of the host itself, was found sound, and holds
 *             files that the setting images, or a guest's section, names. An ext filesystem is
 *             looked into by libext2fs before, so that one without images is never mounted; the
 *             others are mounted for a look, from a device that the kernel holds read-only.
 * Uses        mount(2), images/ to find the image files and what belongs to them.
 * open        mounts it nodev, nosuid, noexec; read-only and without replaying a journal where
 *             the mode or the device below is read-only.
 * close       unmounts it.
 * Never       mounts a damaged filesystem, or one inside a guest's disk; opens an image itself:
 *             that is another worker's, with a scope of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_util.h>

#include "blockdev.h"
#include "cleanup.h"
#include "images.h"
#include "imagesource.h"
#include "log.h"
#include "looks.h"
#include "mounts.h"
#include "registry.h"
#include "walk.h"

#define MAX_WISHES 256

struct hostfs {
	struct mounted mounted;
	struct imageset set;
};

static size_t find_wishes(const struct walk *w, const struct node *n, struct image_wish *wishes)
{
	const struct settings *s = w->env->settings;
	char path[NODE_PATH_SIZE];
	size_t found = 0, i, k;

	node_volume_path(n, path);
	for (i = 0; i < s->n_guests; i++)
		for (k = 0; k < s->guests[i].n_disks && found < MAX_WISHES; k++) {
			const struct guest_disk *disk = &s->guests[i].disks[k];

			if (disk->path && strcmp(disk->volume, path) == 0)
				wishes[found++] = (struct image_wish){ disk->path, disk->format };
		}
	return found;
}

static bool is_ext(const struct node *n)
{
	return strncmp(n->type, "ext", 3) == 0;
}

static bool is_sound(const struct node *n)
{
	struct extsuper super;
	struct err e;

	if (n->verdict == VERDICT_CLEAN || n->verdict == VERDICT_REPAIRED)
		return true;
	if (strcmp(n->code, "mode-list") != 0)
		return false;
	return !is_ext(n) || (look_ext(n->parents[0]->device, &super, &e) == 0 && !super.is_pending);
}

/* A look into one that is no ext filesystem: mounted for a moment, while the kernel holds its
 * device read-only. */
static int look_mounted(struct walk *w, const struct node *n, struct err *e)
{
	const struct node *device = n->parents[0];
	struct imageset set = { .n = 0 };
	struct mounted m;
	struct err why;
	char folder[64];
	int rc = device->read_only ? 0 : blockdev_set_read_only(device->device, true, e);

	snprintf(folder, sizeof(folder), "%s/%u", MOUNTS_FOLDER, n->id);
	if (rc == 0)
		rc = mounts_mount(&m, device->device, folder, true, e);
	if (rc == 0) {
		rc = imageset_find(&set, folder, &w->env->settings->images, NULL, 0, "",
				   &image_reader_boxed, e);
		if (mounts_unmount(&m, &why) < 0 && rc == 0) {
			*e = why;
			rc = -e->code;
		}
		rc = rc == 0 ? set.n > 0 : rc;
		imageset_free(&set);
	}
	if (!device->read_only && blockdev_set_read_only(device->device, false, &why) < 0)
		log_line("%s: %s", n->stack, why.text);
	return rc;
}

/* Whether it holds images, so that none is mounted for writing that has nothing to do with them. */
static int holds_images(struct walk *w, struct node *n, struct err *e)
{
	struct image_wish wishes[MAX_WISHES];

	if (find_wishes(w, n, wishes) > 0)
		return 1;
	if (is_ext(n))
		return look_ext_images(n->parents[0]->device, &w->env->settings->images, e);
	return mounts_can(n->type) ? look_mounted(w, n, e) : 0;
}

static int hostfs_enter(struct walk *w, struct node *n, struct err *e)
{
	int rc;

	if (n->verdict == VERDICT_ERROR || (!is_sound(n) && !is_ext(n)))
		return 0;
	rc = holds_images(w, n, e);
	if (rc <= 0)
		return rc;
	if (is_ext(n))
		n->kind = KIND_HOSTFS;
	if (!is_sound(n))
		return err_set(e, EUCLEAN, "it is not clean");
	free(n->state);
	n->state = NULL;
	n->ops = &hostfs_ops;
	return 1;
}

/* The report's filesystem is mounted already. */
static int make_state(struct node *n, struct err *e)
{
	if (!n->state)
		n->state = calloc(1, sizeof(struct hostfs));
	return n->state ? 0 : err_set(e, ENOMEM, "no memory for a host filesystem");
}

static int hostfs_open(struct walk *w, struct node *n, struct err *e)
{
	struct node *device = n->parents[0];
	struct hostfs *h;
	int rc = make_state(n, e);

	if (rc < 0)
		return rc;
	h = n->state;
	n->read_only = device->read_only || w->env->mode <= MODE_CHECK;
	snprintf(n->folder, sizeof(n->folder), "%s/%u", MOUNTS_FOLDER, n->id);
	rc = mounts_mount(&h->mounted, device->device, n->folder, n->read_only, e);
	if (rc == 0)
		memcpy(n->mounted_at, h->mounted.last_mounted, sizeof(n->mounted_at));
	return rc;
}

/* The name of a backing file that was not found here: it may be on another filesystem. */
static void note_reference(struct node *n, const struct image *image)
{
	if (image->facts.backing_name && !image->backing)
		snprintf(n->refers_to, sizeof(n->refers_to), "%s", image->facts.backing_name);
}

/* What is to become of an image: swept by a worker of its own, or left alone for a reason. */
static int place(struct node *n, const struct image *image, struct err *e)
{
	struct err why = image->refused;
	int rc;

	if (why.code) {
		node_fail(n, &why, "bad-image");
		note_reference(n, image);
		return 0;
	}
	if (image->backs_another) {
		node_verdict(n, VERDICT_SKIPPED, "backing-file",
			     "another image lies on it; only the newest of a chain is swept");
		return 0;
	}
	if (image->facts.has_vm_state)
		node_forbid(n, "saved-state",
			    "a snapshot in the image holds the memory of the running guest; delete it "
			    "(qemu-img snapshot -d) or move the guest back to it and shut it down");
	rc = imagesource_write(n->id, image, n->parents[0]->folder, e);
	if (rc < 0) {
		node_fail(n, e, "bad-image");
		return 0;
	}
	n->volume = n->handed_over = true;
	return 0;
}

static int add_image(struct walk *w, struct node *n, const struct image *image, struct err *e)
{
	char word[600], escaped[512], volume[NODE_PATH_SIZE];
	struct node *node;

	escape_text(escaped, sizeof(escaped), image->path);
	snprintf(word, sizeof(word), "file:%s", escaped);
	node = walk_add(w, KIND_IMAGE, n, n->parents[0], word, e);
	if (!node)
		return -ENOMEM;
	node_volume_path(n, volume);
	snprintf(node->name, sizeof(node->name), "%s:/%s", volume, escaped);
	snprintf(node->type, sizeof(node->type), "%s", image_format_name(image->format));
	node->bytes = image->facts.bytes;
	node->read_only = n->read_only;
	if (n->mounted_at[0])
		snprintf(node->host_path, sizeof(node->host_path), "%s%s%s", n->mounted_at,
			 n->mounted_at[1] ? "/" : "", image->path);
	return place(node, image, e);
}

static void tell_skipped(struct node *n, const struct imageset *set)
{
	char path[512];
	size_t i;

	for (i = 0; i < set->n_skipped; i++) {
		escape_text(path, sizeof(path), set->skipped[i].path);
		log_line("%s: %s is left out: %s", n->stack, path, set->skipped[i].why);
		if (set->skipped[i].is_folder)
			node_note(n, "not-opened", "images in %s are not looked for: %s", path,
				  set->skipped[i].why);
	}
}

static int hostfs_children(struct walk *w, struct node *n, struct err *e)
{
	struct image_wish wishes[MAX_WISHES];
	size_t n_wishes = find_wishes(w, n, wishes), i;
	struct hostfs *h;
	int rc = make_state(n, e);

	if (rc < 0)
		return rc;
	h = n->state;
	rc = imageset_find(&h->set, n->folder, &w->env->settings->images, wishes, n_wishes,
			   n->mounted_at, &image_reader_boxed, e);

	if (rc < 0)
		return rc;
	tell_skipped(n, &h->set);
	for (i = 0; i < h->set.n; i++) {
		if (h->set.image[i]->part_of)
			continue;
		n->kind = KIND_HOSTFS;
		rc = add_image(w, n, h->set.image[i], e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int hostfs_close(struct walk *w, struct node *n, struct err *e)
{
	struct hostfs *h = n->state;

	(void)w;
	return mounts_unmount(&h->mounted, e);
}

static void hostfs_forget(struct node *n)
{
	struct hostfs *h = n->state;

	if (h)
		imageset_free(&h->set);
	free(h);
	n->state = NULL;
}

const struct layer_ops hostfs_ops = {
	.name = "host filesystem", .kind = KIND_HOSTFS, .enter = hostfs_enter, .open = hostfs_open,
	.children = hostfs_children, .close = hostfs_close, .forget = hostfs_forget,
};
