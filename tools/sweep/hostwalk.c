/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "hostwalk.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "blockdev.h"
#include "cleanup.h"
#include "dm.h"
#include "file.h"
#include "log.h"
#include "uevent.h"

#define LOOK_AGAIN_MS 1000
#define QUIET_MS 100

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

/* Whole disks with a medium; what the kernel or we build on top is none. */
static bool is_disk(const char *name)
{
	static const char *const virtual[] = { "loop", "ram", "zram", "dm-", "md", "nbd", "sr", "fd" };
	char path[PATH_MAX];
	uint64_t sectors;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(virtual); i++)
		if (strncmp(name, virtual[i], strlen(virtual[i])) == 0)
			return false;
	snprintf(path, sizeof(path), "/sys/block/%s/size", name);
	return file_read_u64(path, &sectors) == 0 && sectors > 0;
}

static bool has_disk(const struct walk *w, const char *name)
{
	size_t i;

	for (i = 0; i < w->n_nodes; i++)
		if (w->nodes[i]->kind == KIND_DISK && strcmp(w->nodes[i]->name, name) == 0)
			return true;
	return false;
}

static int add_disk(struct walk *w, const char *name, struct err *e)
{
	struct node *n = walk_add(w, KIND_DISK, NULL, NULL, name, e);
	struct err why;

	if (!n)
		return -ENOMEM;
	snprintf(n->name, sizeof(n->name), "%s", name);
	snprintf(n->type, sizeof(n->type), "disk");
	snprintf(n->device, sizeof(n->device), "/dev/%.60s", name);
	n->read_only = w->env->mode <= MODE_CHECK || blockdev_is_read_only(n->device);
	if (n->read_only && w->env->mode > MODE_CHECK)
		node_note(n, "read-only-medium",
			  "the disk itself is read-only: what lies on it is checked, and nothing written");
	if (blockdev_size(n->device, &n->bytes, &why) < 0 ||
	    (n->read_only && blockdev_set_read_only(n->device, true, &why) < 0))
		node_fail(n, &why, "io-error");
	return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

/* Returns how many disks were new, or -ENOMEM. */
static int add_new_disks(struct walk *w, struct err *e)
{
	struct dirent **list;
	int n = scandir("/sys/block", &list, NULL, by_name), added = 0, i;

	for (i = 0; i < n; i++) {
		const char *name = list[i]->d_name;

		if (added >= 0 && name[0] != '.' && is_disk(name) && !has_disk(w, name)) {
			log_line("disk %s", name);
			added = add_disk(w, name, e) < 0 ? -ENOMEM : added + 1;
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return added;
}

static bool has_named_disks(struct walk *w)
{
	const struct settings *s = w->env->settings;
	struct err why;
	size_t i, k;

	for (i = 0; i < s->n_guests; i++)
		for (k = 0; k < s->guests[i].n_disks; k++)
			if (!hostwalk_find(w, s->guests[i].disks[k].volume, true, &why))
				return false;
	return true;
}

static bool has_all_volumes_of_crypttab(struct walk *w)
{
	const struct crypttab *t = w->env->crypttab;
	struct err why;
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct crypttab_entry *c = &t->entry[i];

		if (c->nofail)
			continue;
		if (!c->file && strncmp(c->device, "UUID=", 5) != 0 && !hostwalk_find(w, c->device, true, &why))
			return false;
		if (c->header_device && !hostwalk_find(w, c->header_device, true, &why))
			return false;
	}
	return true;
}

/* What is known to be there and has not turned up yet; NULL: nothing. */
static const char *what_is_missing(struct walk *w)
{
	struct err why;
	size_t i;

	if (w->n_nodes == 0)
		return "any disk";
	for (i = 0; i < w->n_nodes; i++) {
		const struct node *n = w->nodes[i];

		if (n->kind == KIND_PV && n->verdict == VERDICT_NONE)
			return "the rest of a volume group";
		if (n->kind == KIND_MD && n->hidden && n->verdict == VERDICT_NONE)
			return "the rest of an array";
	}
	if (w->env->settings->report_named &&
	    !hostwalk_find(w, w->env->settings->report_device, true, &why) && why.code == ENODEV)
		return "the report filesystem";
	if (!has_named_disks(w))
		return "a guest's disk named in sweep.conf";
	return has_all_volumes_of_crypttab(w) ? NULL : "a volume named in crypttab";
}

/* Until the kernel has told of something and is quiet again, a second at most. */
static void wait_for_news(int events, long end)
{
	long left = end - now_ms();
	struct uevent ev;
	int wait = left < LOOK_AGAIN_MS ? (int)left : LOOK_AGAIN_MS;

	if (events < 0) {
		poll(NULL, 0, wait > 0 ? wait : 0);
		return;
	}
	while (uevent_next(events, wait > 0 ? wait : 0, &ev) == 1 && now_ms() < end)
		wait = QUIET_MS;
}

int hostwalk_discover(struct walk *w, struct err *e)
{
	cleanup_fd int events = uevent_open(e);
	long end = now_ms() + w->env->settings->settle_s * 1000L;
	const char *missing, *told = NULL;
	int rc;

	w->host = true;
	for (;;) {
		rc = add_new_disks(w, e);
		if (rc >= 0)
			rc = walk_open(w, false, e);
		if (rc < 0)
			break;
		missing = what_is_missing(w);
		if (!missing || now_ms() >= end || w->env->cancelled())
			break;
		if (missing != told)
			log_line("waiting for %s, %ld s at most", missing, (end - now_ms()) / 1000 + 1);
		told = missing;
		wait_for_news(events, end);
	}
	return rc < 0 ? rc : walk_open(w, true, e);
}

static bool value_is(const char *spec, const char *key, const char *value)
{
	size_t n = strlen(key);

	return strncmp(spec, key, n) == 0 && value[0] && strcasecmp(spec + n, value) == 0;
}

static bool matches(struct walk *w, struct node *n, const char *spec, bool with_lvs)
{
	char path[NODE_PATH_SIZE];
	struct err why;

	if (!n->device[0])
		return false;
	node_path(n, path);
	if (strcmp(path, spec) == 0)
		return true;
	if (strncmp(spec, "/dev/", 5) == 0 && strcmp(path, spec + 5) == 0)
		return true;
	if (n->kind == KIND_PARTITION && value_is(spec, "PARTUUID=", n->uuid))
		return true;
	if (!strchr(spec, '=') || (n->kind == KIND_LV && !with_lvs))
		return false;
	if (n->kind == KIND_LV && !n->content_known) {
		n->content_known = true;
		if (w->env->read_content(n, &why) < 0)
			return false;
	}
	return value_is(spec, "UUID=", n->content.uuid) ||
	       (strncmp(spec, "LABEL=", 6) == 0 && n->content.label[0] &&
		strcmp(spec + 6, n->content.label) == 0);
}

struct node *hostwalk_find(struct walk *w, const char *spec, bool with_lvs, struct err *e)
{
	struct node *found = NULL;
	size_t i;

	for (i = 0; i < w->n_nodes; i++) {
		if (!matches(w, w->nodes[i], spec, with_lvs))
			continue;
		if (found) {
			err_set(e, ENOTUNIQ, "%s is on both %s and %s", spec, found->stack,
				w->nodes[i]->stack);
			return NULL;
		}
		found = w->nodes[i];
	}
	if (!found)
		err_set(e, ENODEV, "%s is on no disk of this host", spec);
	return found;
}

static int make_writable(struct node *n, struct err *e)
{
	if (n->ops && n->ops->make_writable)
		return n->ops->make_writable(n, e);
	if (strncmp(n->device, DM_DIR_PREFIX, strlen(DM_DIR_PREFIX)) == 0)
		return dm_make_writable(n->device + strlen(DM_DIR_PREFIX), e);
	return blockdev_set_read_only(n->device, false, e);
}

int hostwalk_keep_writable(struct node *n, struct err *e)
{
	size_t i;
	int rc;

	if (n->throwaway)
		return err_set(e, EROFS,
			       "it lies on %s, of which only a throw-away copy is open where nothing may be "
			       "written", n->stack);
	n->kept = true;
	for (i = 0; i < n->n_parents; i++) {
		rc = hostwalk_keep_writable(n->parents[i], e);
		if (rc < 0)
			return rc;
	}
	if (!n->device[0])
		return 0;
	rc = n->read_only ? make_writable(n, e) : 0;
	if (rc < 0)
		return rc;
	n->read_only = blockdev_is_read_only(n->device);
	return n->read_only ? err_set(e, EROFS, "%s is read-only", n->stack) : 0;
}
