/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "undoplan.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json_util.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"
#include "nodejson.h"
#include "settings_value.h"
#include "undobox.h"

#define ENDING ".json"

/* "20261121T080245Z": nothing that leads out of the folder. */
static bool is_run_name(const char *s)
{
	return *s && s[strspn(s, "0123456789TZ")] == 0;
}

static int read_last(const char *folder, char *run, size_t size, struct err *e)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/last", folder);
	if (file_read(path, 4096, &text, NULL, e) < 0)
		return err_set(e, ENOENT, "no run has been completed on this report filesystem yet");
	text[strcspn(text, "\n")] = 0;
	snprintf(run, size, "%s", text);
	return 0;
}

/* Cuts spec into run and node (0: all of them). */
static int parse(struct undoplan *p, const char *folder, const char *spec, unsigned *node, struct err *e)
{
	const char *colon = strchrnul(spec, ':');
	uint64_t number = 0;
	int rc = 0;

	snprintf(p->run, sizeof(p->run), "%.*s", (int)(colon - spec), spec);
	if (*colon && value_number(colon + 1, 1, UINT32_MAX, &number, e) < 0)
		return err_wrap(e, "guestsweep.undo=: the node");
	*node = (unsigned)number;
	if (strcmp(p->run, "last") == 0)
		rc = read_last(folder, p->run, sizeof(p->run), e);
	if (rc == 0 && !is_run_name(p->run))
		rc = err_set(e, EINVAL, "guestsweep.undo=: \"%s\" is no run's name", SHOWN(p->run));
	return rc;
}

/* A run that was cut still has its hidden name. */
static int find_run(const struct undoplan *p, const char *folder, char *path, size_t size, struct err *e)
{
	snprintf(path, size, "%s/%s/undo", folder, p->run);
	if (access(path, R_OK) == 0)
		return 0;
	snprintf(path, size, "%s/.%s.new/undo", folder, p->run);
	if (access(path, R_OK) == 0)
		return 0;
	return err_set(e, ENOENT, "there is no run %s on the report filesystem", p->run);
}

static int add_volumes(struct undoplan *p, json_object *o, struct err *e)
{
	json_object *list;
	size_t i;
	int rc = 0;

	if (!json_object_object_get_ex(o, "volumes", &list) || !json_object_is_type(list, json_type_array))
		return 0;
	for (i = 0; i < json_object_array_length(list) && rc == 0; i++) {
		const char *path = json_object_get_string(json_object_array_get_idx(list, i));
		char *copy;

		if (strncmp(path, "/dev/", 5) == 0)
			path += 5;
		if (words_have(&p->volumes, path))
			continue;
		rc = value_copy(path, &copy, e);
		if (rc == 0)
			rc = words_add(&p->volumes, copy, e);
	}
	return rc;
}

static int add_item(struct undoplan *p, const char *json, json_object *o, struct err *e)
{
	struct undo_item *grown = realloc(p->items, (p->n + 1) * sizeof(*grown)), *item;
	struct stat st;

	if (!grown)
		return err_set(e, ENOMEM, "no memory for what is to be taken back");
	p->items = grown;
	item = &p->items[p->n];
	memset(item, 0, sizeof(*item));
	item->node = (unsigned)json_number(o, "node");
	snprintf(item->path, sizeof(item->path), "%.*s.e2undo", (int)(strlen(json) - strlen(ENDING)), json);
	snprintf(item->device, sizeof(item->device), "%s", json_text(o, "device"));
	snprintf(item->stack, sizeof(item->stack), "%s", json_text(o, "stack"));
	snprintf(item->uuid, sizeof(item->uuid), "%s", json_text(o, "uuid"));
	snprintf(item->after, sizeof(item->after), "%s", json_text(o, "after"));
	item->forced = json_number(o, "forced") != 0 || !item->after[0];
	if (stat(item->path, &st) < 0 || st.st_size == 0) /* the power went before anything was written */
		return 0;
	p->n++;
	return add_volumes(p, o, e);
}

static int load_one(struct undoplan *p, const char *folder, const char *name, unsigned node, struct err *e)
{
	size_t n = strlen(name);
	char path[UNDO_PATH_SIZE];
	json_object *o;
	int rc = 0;

	if (n <= strlen(ENDING) || strcmp(name + n - strlen(ENDING), ENDING) != 0)
		return 0;
	snprintf(path, sizeof(path), "%.600s/%.80s", folder, name);
	o = json_object_from_file(path);
	if (!o)
		return err_set(e, EUCLEAN, "%s can't be read", path);
	if (!node || json_number(o, "node") == node)
		rc = add_item(p, path, o, e);
	json_object_put(o);
	return rc;
}

int undoplan_load(struct undoplan *p, const char *folder, const char *spec, struct err *e)
{
	char path[PATH_MAX];
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;
	unsigned node = 0;
	int rc;

	memset(p, 0, sizeof(*p));
	rc = parse(p, folder, spec, &node, e);
	if (rc == 0)
		rc = find_run(p, folder, path, sizeof(path), e);
	dir = rc == 0 ? opendir(path) : NULL;
	while (rc == 0 && dir && (entry = readdir(dir)))
		rc = load_one(p, path, entry->d_name, node, e);
	if (rc == 0 && p->n == 0 && node)
		rc = err_set(e, ENOENT, "run %s has no undo file of node %u", p->run, node);
	else if (rc == 0 && p->n == 0)
		rc = err_set(e, ENOENT, "run %s has no undo file", p->run);
	if (rc < 0)
		undoplan_free(p);
	return rc;
}

void undoplan_free(struct undoplan *p)
{
	free(p->items);
	words_clear(&p->volumes);
	p->items = NULL;
	p->n = 0;
}

static const struct undo_item *item_of(const struct undoplan *p, const char *device)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->items[i].device, device) == 0)
			return &p->items[i];
	return NULL;
}

bool undoplan_leads_through(const struct undoplan *p, const struct node *n)
{
	size_t length = strlen(n->stack), i;

	for (i = 0; i < p->n; i++)
		if (strncmp(p->items[i].stack, n->stack, length) == 0 &&
		    strncmp(p->items[i].stack + length, " > file:", 8) == 0)
			return !item_of(p, n->parents[0]->stack);
	return false;
}

/* *is: the volume is as that repair has left it. */
static int compare(const struct undo_item *item, const struct walk_env *env, const struct node *n, bool *is,
		   struct err *e)
{
	char now[UNDOBOX_HASH_SIZE] = "";
	int rc;

	if (!item->after[0])
		return undobox_knows_super(env, n, item->path, is, e);
	rc = undobox_hash(env, n, item->path, now, e);
	*is = rc == 0 && strcmp(now, item->after) == 0;
	return rc;
}

/* Nothing else may have been written since, by a guest or another repair. */
static int refuse_changed(const struct undo_item *item, const struct walk_env *env, const struct node *n,
			  struct err *e)
{
	bool unchanged = false;
	int rc;

	if (strcmp(item->uuid, n->uuid) != 0)
		return err_set_word(e, EBUSY, "changed-since",
				    "another filesystem is there now (UUID %s, not %s); nothing is written",
				    n->uuid, item->uuid);
	rc = compare(item, env, n, &unchanged, e);
	if (rc < 0 || unchanged)
		return rc;
	return err_set_word(e, EBUSY, "changed-since",
			    "the filesystem was changed after that repair, so taking it back would destroy what "
			    "is there; nothing is written");
}

static void note_check(const struct undoplan *p, const struct walk *w, struct node *n, int rc,
		       const struct err *e)
{
	struct check_result *c = &n->check;
	char path[300], line[1400];
	struct err ignored;
	int length;

	snprintf(c->tool, sizeof(c->tool), "undo");
	snprintf(c->version, sizeof(c->version), "%s", GUESTSWEEP_VERSION);
	snprintf(c->argv, sizeof(c->argv), "sweep\nundo\n%s\n", p->run);
	c->exit = rc < 0;
	snprintf(path, sizeof(path), "%s/%03u-undo.txt", w->env->log_dir, n->id);
	length = snprintf(line, sizeof(line), "run %s, %s: %s\n", p->run, n->stack,
			  rc < 0 ? e->text : "taken back, synced, and compared");
	if (file_append(path, line, (size_t)length, &ignored) == 0)
		snprintf(c->log, sizeof(c->log), "log/%03u-undo.txt", n->id);
}

int undoplan_apply(const struct undoplan *p, struct walk *w, struct node *n, struct err *e)
{
	const struct undo_item *item = item_of(p, n->parents[0]->stack);
	int rc;

	if (!item) {
		node_verdict(n, VERDICT_SKIPPED, "ignored", "there is nothing to be taken back here");
		return 0;
	}
	rc = refuse_changed(item, w->env, n, e);
	if (rc == 0 && n->parents[0]->read_only)
		rc = err_set_word(e, EROFS, "read-only", "a layer below can't be written to");
	if (rc == 0)
		rc = undobox_play(w->env, n, item->path, e);
	note_check(p, w, n, rc, e);
	if (rc == 0)
		node_verdict(n, VERDICT_UNCORRECTED, item->forced ? "needs-repair" : "would-preen",
			     "undone: the repair of run %s was taken back; the filesystem is what it was before, damage "
			     "included", p->run);
	return rc;
}

static bool is_done(const struct undo_item *item, json_object *nodes)
{
	size_t length = strlen(item->device);

	json_object_object_foreach(nodes, key, node) {
		const char *stack = json_text(node, "stack");

		(void)key;
		if (strcmp(json_text(node, "kind"), "filesystem") == 0 && strncmp(stack, item->device, length) == 0 &&
		    strncmp(stack + length, " > ", 3) == 0 && !strstr(stack + length + 3, " > "))
			return true;
	}
	return false;
}

void undoplan_report_missing(const struct undoplan *p, struct results *r)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (!is_done(&p->items[i], r->nodes))
			results_problem(r, SWEEP_ATTENTION, "not-undone",
					"%s: no filesystem is there now that the repair of run %s could be taken "
					"back on; nothing is written", p->items[i].stack, p->run);
}
