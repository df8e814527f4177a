/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LVM: physical volumes (PV) and the volume groups (VG) they make.
 *
 * Recognises  LVM2 PVs by their label.
 * Uses        the lvm command for its JSON report and to activate what is more than a
 *             linear or striped LV; libblkid for the label; libdevmapper for the rest.
 * open        makes a mapping of ours for each LV of a VG that is whole, on the scope's
 *             devices only (lvmopen.c). Two VGs of one name or UUID meet nowhere: where LVM
 *             has to activate, one waits for the other.
 * close       removes every mapping of that VG.
 * Never       writes LVM metadata, activates a VG that is incomplete, exported,
 *             foreign or shared, or lets a name decide what belongs together.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lvmcmd.h"
#include "lvmopen.h"
#include "lvmrows.h"
#include "nodejson.h"
#include "registry.h"
#include "walk.h"

static const struct layer_ops vg_ops;

static enum claim pv_probe(struct walk *w, struct node *device, struct err *e)
{
	(void)w;
	(void)e;
	return strcmp(device->content.type, "LVM2_member") == 0 ? MINE : NOT_MINE;
}

static int pv_describe(struct walk *w, struct node *n, struct err *e)
{
	(void)w;
	(void)e;
	snprintf(n->type, sizeof(n->type), "lvm2");
	snprintf(n->name, sizeof(n->name), "%s", n->parents[0]->name);
	stack_push(n->stack, sizeof(n->stack), "pv");
	return 0;
}

static bool is_incomplete(json_object *row)
{
	return strtoul(json_text(row, "vg_missing_pv_count"), NULL, 10) > 0;
}

/* Why a VG is left alone, as the VG's verdict. */
static void judge_vg(struct node *n, json_object *row)
{
	const char *system = json_text(row, "vg_systemid");
	const char *shared = json_text(row, "vg_shared");

	if (is_incomplete(row))
		node_verdict(n, VERDICT_ERROR, "missing-device",
			     "volume group %s is incomplete: %s of its %s physical volumes are missing; "
			     "nothing of it is activated", n->name, json_text(row, "vg_missing_pv_count"),
			     json_text(row, "pv_count"));
	else if (strcmp(json_text(row, "vg_exported"), "1") == 0)
		node_verdict(n, VERDICT_SKIPPED, "unsupported",
			     "volume group %s is exported; vgimport it first", n->name);
	else if (system[0])
		node_verdict(n, VERDICT_SKIPPED, "in-use",
			     "volume group %s belongs to another system (system ID \"%.64s\")", n->name, system);
	else if (strcmp(shared, "1") == 0 || strcmp(json_text(row, "vg_clustered"), "1") == 0)
		node_verdict(n, VERDICT_SKIPPED, "in-use",
			     "volume group %s is shared with other hosts (lvmlockd)", n->name);
}

static int take_vg(struct node *n, json_object *report, struct err *e)
{
	struct group *g = calloc(1, sizeof(*g));
	int rc;

	n->state = g;
	if (!g)
		return err_set(e, ENOMEM, "no memory for a volume group");
	n->ops = &vg_ops;
	rc = group_read(g, n, report, e);
	if (rc < 0)
		return rc;
	snprintf(n->name, sizeof(n->name), "%s", g->name);
	snprintf(n->uuid, sizeof(n->uuid), "%s", g->uuid);
	snprintf(n->type, sizeof(n->type), "lvm2");
	if (n->host)
		n->stack[0] = 0;
	stack_push(n->stack, sizeof(n->stack), n->name);
	judge_vg(n, report_first(report, "vg"));
	return 0;
}

/* NULL: it is none of pvs. */
static json_object *find_pv(json_object *pvs, const struct node *pv)
{
	size_t n = pvs ? json_object_array_length(pvs) : 0, i;

	for (i = 0; i < n; i++) {
		json_object *row = json_object_array_get_idx(pvs, i);

		if (strcmp(json_text(row, "pv_uuid"), pv->uuid) == 0)
			return row;
	}
	return NULL;
}

/* Of physical volumes without a group: one that LVM has marked as part of one, of which no metadata is in view. */
static bool is_in_use(json_object *pvs, const struct node *pv)
{
	json_object *row = find_pv(pvs, pv);

	return row && strcmp(json_text(row, "pv_in_use"), "1") == 0;
}

static void judge_lone(struct node *pv, json_object *pvs, bool final)
{
	if (!is_in_use(pvs, pv))
		node_verdict(pv, VERDICT_OK, "", "belongs to no volume group");
	else if (final)
		node_verdict(pv, VERDICT_ERROR, "missing-device",
			     "it is part of a volume group, but no metadata of that is on it: it lies on other disks, which "
			     "a [guest] section can put together with this one, or it is damaged (vgcfgrestore)");
}

/* One VG of the report, or the PVs that belong to none. The VG's parents stand in the
 * order in which the walk found them. */
static int add_vg(struct walk *w, json_object *report, struct node *const *members, size_t n,
		  bool final, struct err *e)
{
	json_object *pvs = report_rows(report, "pv"), *row = report_first(report, "vg");
	struct node *node = NULL;
	size_t i;

	if (row && is_incomplete(row) && !final)
		return 0;
	for (i = 0; i < n; i++) {
		struct node *pv = members[i];

		if (!find_pv(pvs, pv))
			continue;
		if (!row) {
			judge_lone(pv, pvs, final);
			continue;
		}
		node_verdict(pv, VERDICT_OK, "", "part of %s", json_text(row, "vg_name"));
		if (node)
			node_add_parent(node, pv);
		else if (!(node = walk_add(w, KIND_VG, pv, pv->parents[0], NULL, e)))
			return -ENOMEM;
	}
	return node ? take_vg(node, report, e) : 0;
}

static void fail_members(struct node *const *members, size_t n, const struct err *why)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (members[i]->verdict == VERDICT_NONE)
			node_fail(members[i], why, "tool-failed");
}

/* Two members with one UUID: a clone beside its original. Neither is guessed at. */
static bool has_duplicates(struct node *const *members, size_t n)
{
	static const char twice[] = "another physical volume beside it has the same UUID; of a disk and its copy "
				    "only one can be swept";
	bool found = false;
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			if (strcmp(members[i]->uuid, members[k]->uuid) == 0) {
				found = true;
				node_verdict(members[i], VERDICT_ERROR, "ambiguous", "%s", twice);
				node_verdict(members[k], VERDICT_ERROR, "ambiguous", "%s", twice);
			}
	return found;
}

static int pv_gather(struct walk *w, struct node *const *members, size_t n, bool final,
		     struct err *e)
{
	const char *devices[MAX_PARENTS] = { NULL };
	json_object *root, *report;
	struct err why = { 0 };
	size_t i;
	int rc;

	if (has_duplicates(members, n))
		return 0;
	if (n > MAX_PARENTS) {
		err_set(&why, E2BIG, "more than %d physical volumes", MAX_PARENTS);
		fail_members(members, n, &why);
		return 0;
	}
	for (i = 0; i < n; i++)
		devices[i] = members[i]->parents[0]->device;
	rc = lvmcmd_report(w->env, members[0]->id, devices, n, &root, &report, &why);
	if (rc < 0) {
		fail_members(members, n, &why);
		return 0;
	}
	for (i = 0; rc == 0 && i < json_object_array_length(report); i++)
		rc = add_vg(w, json_object_array_get_idx(report, i), members, n, final, e);
	json_object_put(root);
	if (final && rc == 0) {
		err_set(&why, EINVAL, "LVM does not accept it as a physical volume");
		fail_members(members, n, &why);
	}
	return rc;
}

static int vg_open(struct walk *w, struct node *n, struct err *e)
{
	return group_open(w->env, n->state, e);
}

static int add_lv(struct walk *w, struct node *vg, const struct volume *v, struct err *e)
{
	char word[300];
	struct node *n;

	snprintf(word, sizeof(word), "%s/%s", vg->name, v->name);
	n = walk_add(w, KIND_LV, vg, vg->host ? NULL : vg->parents[0]->parents[0], word, e);
	if (!n)
		return -ENOMEM;
	snprintf(n->name, sizeof(n->name), "%s", word);
	snprintf(n->type, sizeof(n->type), "%.47s", v->layout);
	snprintf(n->uuid, sizeof(n->uuid), "%s", v->uuid);
	n->bytes = v->bytes;
	n->read_only = v->read_only;
	n->throwaway = v->throwaway;
	if (v->verdict != VERDICT_NONE)
		node_verdict(n, v->verdict, v->code, "%s", v->reason);
	else
		snprintf(n->device, sizeof(n->device), "%s", v->device);
	if (v->verdict == VERDICT_NONE && v->code[0])
		node_note(n, v->code, "%s", v->reason);
	return 0;
}

static int vg_children(struct walk *w, struct node *n, struct err *e)
{
	struct group *g = n->state;
	size_t i;

	for (i = 0; i < g->n_volumes; i++)
		if (g->volume[i].is_public && add_lv(w, n, &g->volume[i], e) < 0)
			return -ENOMEM;
	return 0;
}

static int vg_close(struct walk *w, struct node *n, struct err *e)
{
	(void)w;
	if (n->verdict == VERDICT_NONE && group_ran_full(n->state))
		node_verdict(n, VERDICT_ERROR, "no-memory",
			     "the throw-away copies of its physical volumes needed more memory than there is: "
			     "what was found on its raid, mirror, thin, cached or snapshot volumes is not to "
			     "be trusted");
	return group_close(n->state, e);
}

static void vg_forget(struct node *n)
{
	if (n->state)
		group_release(n->state);
	free(n->state);
	n->state = NULL;
}

const struct layer_ops pv_ops = {
	.name = "lvm pv", .kind = KIND_PV, .probe = pv_probe, .describe = pv_describe,
	.gather = pv_gather,
};

static const struct layer_ops vg_ops = {
	.name = "lvm vg", .kind = KIND_VG, .open = vg_open, .children = vg_children,
	.close = vg_close, .forget = vg_forget,
};
