/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemuimg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

#include "checkrun.h"
#include "cleanup.h"
#include "imagebox.h"
#include "nodejson.h"
#include "spawn.h"

#define QEMU_IMG "/usr/bin/qemu-img"

/* Exit status, qemu-img(1), "check". */
#define CHECK_DONE 0
#define CHECK_CORRUPT 2
#define CHECK_LEAKS 3
#define CHECK_NOT_SUPPORTED 63

static void take(json_object *o, struct image_health *h)
{
	h->corruptions = (uint64_t)json_number(o, "corruptions");
	h->leaks = (uint64_t)json_number(o, "leaks");
}

static int run_in(const struct imagebox *box, const struct walk_env *env, struct node *n,
		  const char *graph, bool repair, struct image_health *h, struct err *e)
{
	const char *argv[] = { QEMU_IMG, "check", "--output=json", graph, repair ? "-r" : NULL, "all",
			       NULL };
	cleanup_free char *out = NULL;
	struct checkrun c = { .env = env, .node = n, .tool = "qemu-img", .package = "qemu",
			      .profile = &sandbox_qemu_img, .files = box->files, .n_files = box->n_files,
			      .file_bytes = box->file_bytes, .out = &out };
	struct spawn_result r;
	json_object *o;
	char how[300];
	int rc = checkrun(&c, argv, &r, e);

	if (rc < 0)
		return rc;
	h->known = r.how == SPAWN_EXITED && r.code != CHECK_NOT_SUPPORTED;
	if (r.how == SPAWN_EXITED && r.code == CHECK_NOT_SUPPORTED)
		return 0;
	if (r.how != SPAWN_EXITED ||
	    (r.code != CHECK_DONE && r.code != CHECK_CORRUPT && r.code != CHECK_LEAKS))
		return err_set_word(e, EINVAL, r.how == SPAWN_EXITED ? "bad-image" : "tool-failed",
				    "qemu-img check: %s", spawn_describe(&r, how, sizeof(how)));
	o = json_tokener_parse(out);
	take(o, h);
	json_object_put(o);
	/* block/qcow2-refcount.c, qcow2_inc_refcounts_imrt() */
	h->is_cut_off = checkrun_said(&c, "exceeding the end of the file");
	/* the status decides, should the words be missing */
	if (r.code == CHECK_CORRUPT && h->corruptions == 0)
		h->corruptions = 1;
	return 0;
}

static int run(const struct walk_env *env, struct node *n, const char *graph, json_object *source,
	       bool repair, struct image_health *h, struct err *e)
{
	struct imagebox box;
	int rc = imagebox_make(&box, source, n->bytes, repair, e);

	if (rc == 0)
		rc = run_in(&box, env, n, graph, repair, h, e);
	imagebox_free(&box);
	return rc;
}

int qemuimg_check(const struct walk_env *env, struct node *n, const char *graph,
		  json_object *source, bool repair, struct image_health *h, struct err *e)
{
	int rc;

	memset(h, 0, sizeof(*h));
	rc = repair ? run(env, n, json_text(source, "write_graph"), source, true, h, e) : 0;
	return rc < 0 ? rc : run(env, n, graph, source, false, h, e);
}
