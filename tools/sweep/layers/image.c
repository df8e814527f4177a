/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disk image files.
 *
 * Recognises  nothing by itself: hostfs finds them, and says how they are opened.
 * Uses        loop devices for raw images; qemu-img to check all others, qemu-nbd and the
 *             kernel's nbd to open them, in sandboxes that hold the files of its chain only, each
 *             named to QEMU by us.
 * open        makes the disk in the image appear as a block device, read-only where the mode
 *             or what is below says so.
 * close       flushes and disconnects it.
 * Never       opens a damaged image for writing, but in mode repair after its own tables are
 *             mended; writes to a backing file; lets the kernel look for partitions.
 */
#include <errno.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "blockdev.h"
#include "imagesource.h"
#include "loopdev.h"
#include "nbd.h"
#include "nodejson.h"
#include "qemuimg.h"
#include "registry.h"
#include "walk.h"

struct opened_image {
	char file[1024];
	char loop[LOOPDEV_SIZE];
	struct nbd nbd;
};

static int check_below(struct walk *w, struct node *n, json_object *source, struct err *e)
{
	struct image_health health;
	json_object *below;
	size_t i;
	int rc = 0;

	if (!json_object_object_get_ex(source, "below", &below))
		return 0;
	for (i = 0; rc == 0 && i < json_object_array_length(below); i++) {
		rc = qemuimg_check(w->env, n, json_object_get_string(json_object_array_get_idx(below, i)),
				   source, false, &health, e);
		if (rc == 0 && health.corruptions)
			rc = err_set_word(e, EINVAL, "bad-image", "%llu corruptions",
					  (unsigned long long)health.corruptions);
	}
	return rc < 0 ? err_wrap(e, "a backing file of this image") : 0;
}

/* Its own tables first: what they say about the guest's data would otherwise be wrong. */
static int check_image(struct walk *w, struct node *n, json_object *source, struct err *e)
{
	const char *graph = json_text(source, "read_graph");
	struct image_health health;
	int rc = check_below(w, n, source, e);

	if (rc == 0)
		rc = qemuimg_check(w->env, n, graph, source, false, &health, e);
	if (rc < 0)
		return rc;
	if (health.is_cut_off)
		return err_set_word(e, EINVAL, "bad-image",
				    "the image file is cut off: its tables refer to what lies behind its end; "
				    "nothing is mended, a copy that is whole is needed");
	if ((health.corruptions || json_number(source, "corrupt")) && !n->read_only &&
	    w->env->mode == MODE_REPAIR && json_text(source, "write_graph")[0]) {
		rc = qemuimg_check(w->env, n, graph, source, true, &health, e);
		if (rc == 0 && !health.corruptions)
			snprintf(n->reason, sizeof(n->reason), "qemu-img check -r all has mended its tables");
	} else if (json_number(source, "corrupt")) {
		health.corruptions += !health.corruptions;
	}
	if (rc == 0 && health.corruptions)
		return err_set_word(e, EINVAL, "bad-image",
				    "the image file's own tables are damaged (%llu corruptions by qemu-img "
				    "check); mode repair mends them where that is possible",
				    (unsigned long long)health.corruptions);
	if (rc == 0 && health.leaks)
		snprintf(n->reason, sizeof(n->reason),
			 "%llu clusters leaked, which wastes room and does no harm",
			 (unsigned long long)health.leaks);
	return rc;
}

static int open_loop(struct node *n, json_object *source, struct opened_image *o, struct err *e)
{
	unsigned flags = LO_FLAGS_DIRECT_IO | (n->read_only ? LO_FLAGS_READ_ONLY : 0);

	return loopdev_attach(json_text(source, "file"), flags, o->loop, e);
}

static int open_nbd(struct walk *w, struct node *n, json_object *source, struct opened_image *o,
		    struct err *e)
{
	int rc;

	if (json_number(source, "log_dirty") && n->read_only) {
		node_verdict(n, VERDICT_SKIPPED, "dirty-log",
			     "its log has to be replayed, which a read-only mode must not do");
		return -EROFS;
	}
	rc = json_number(source, "log_dirty") ? 0 : check_image(w, n, source, e);
	return rc < 0 ? rc : nbd_connect(&o->nbd, w->env, n->id, source, n->bytes, n->read_only, e);
}

/* The owner of a guest's disk may write to it, or nobody is meant to. */
static bool is_write_protected(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 && !(st.st_mode & S_IWUSR);
}

static int open_source(struct walk *w, struct node *n, json_object *source, struct err *e)
{
	struct opened_image *o = n->state;

	snprintf(o->file, sizeof(o->file), "%s", json_text(source, "file"));
	if (!n->read_only && is_write_protected(o->file)) {
		n->read_only = true;
		node_note(n, "write-protected", "checked only: the image file is not writable for its owner");
	}
	if (json_number(source, "raw"))
		return open_loop(n, source, o, e);
	if (!n->read_only && !json_text(source, "write_graph")[0]) {
		n->read_only = true;
		node_note(n, "read-only-format", "checked only: QEMU can't write to an image of this kind");
	}
	return open_nbd(w, n, source, o, e);
}

static int image_open(struct walk *w, struct node *n, struct err *e)
{
	json_object *source = imagesource_read(n->id, e);
	int rc;

	if (!source)
		return -e->code;
	n->state = calloc(1, sizeof(struct opened_image));
	rc = n->state ? open_source(w, n, source, e) : err_set(e, ENOMEM, "no memory for an image");
	json_object_put(source);
	return rc;
}

static int image_children(struct walk *w, struct node *n, struct err *e)
{
	struct opened_image *o = n->state;

	(void)w;
	snprintf(n->device, sizeof(n->device), "%s", o->loop[0] ? o->loop : o->nbd.device.path);
	return blockdev_size(n->device, &n->bytes, e);
}

static int image_close(struct walk *w, struct node *n, struct err *e)
{
	struct opened_image *o = n->state;

	int rc;

	(void)w;
	rc = o->loop[0] ? loopdev_detach(o->loop, e) : nbd_disconnect(&o->nbd, e);
	if (rc == 0 || o->loop[0] || o->nbd.device.path[0])
		return rc;
	/* it is closed, but not as it should be */
	node_fail(n, e, "io-error");
	return 0;
}

/* An image file grows as it is written to, until the filesystem it lies on is full. */
static uint64_t image_room(const struct node *n)
{
	const struct opened_image *o = n->state;
	struct statvfs fs;
	struct stat st;

	if (!o || stat(o->file, &st) < 0 || statvfs(o->file, &fs) < 0)
		return UINT64_MAX;
	if (o->loop[0] && (uint64_t)st.st_blocks * 512 >= n->bytes)
		return UINT64_MAX;
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

const struct layer_ops image_ops = {
	.name = "image", .kind = KIND_IMAGE, .open = image_open, .children = image_children,
	.close = image_close, .room = image_room,
};
