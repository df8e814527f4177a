/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LVM: physical volumes (PV) and the volume groups (VG) they make.
 *
 * Recognises  LVM2 PVs by their label.
 * Uses        the lvm command for its JSON report and for activation, libblkid
 *             for the label, libdevmapper to rename and remove.
 * open        activates the LVs of a VG that is whole, on the scope's devices
 *             only, and gives the mappings names of ours. Two VGs of one name
 *             meet only for that moment; two of one UUID never.
 * close       removes every mapping of that VG.
 * Never       writes LVM metadata, activates a VG that is incomplete, exported,
 *             foreign or shared, or lets a name decide what belongs together.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dm.h"
#include "log.h"
#include "lvmcmd.h"
#include "nodejson.h"
#include "registry.h"
#include "walk.h"

#define LVM_UUID_PREFIX "LVM-" /* of a mapping's dm UUID; VG and LV UUID follow without dashes */

struct logical_volume {
	char name[128];
	char uuid[64];
	uint64_t bytes;
	char layout[64];
	char health[64];
};

struct vg {
	char name[128];
	struct logical_volume *lv;
	size_t n_lv;
	unsigned n_mapped; /* devices of ours, internal ones included */
	bool read_only;
};

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

/* "AbCdEf-0123-..." to the 32 characters of a dm UUID. */
static void append_plain_uuid(char *dst, size_t size, const char *uuid)
{
	size_t used = strlen(dst);

	for (; *uuid && used + 1 < size; uuid++)
		if (*uuid != '-')
			dst[used++] = *uuid;
	dst[used] = 0;
}

static void vg_dm_prefix(const struct node *vg, char *dst, size_t size)
{
	snprintf(dst, size, LVM_UUID_PREFIX);
	append_plain_uuid(dst, size, vg->uuid);
}

static size_t member_devices(const struct node *vg, const char **devices)
{
	size_t i;

	for (i = 0; i < vg->n_parents; i++)
		devices[i] = vg->parents[i]->parents[0]->device;
	return vg->n_parents;
}

static json_object *rows(json_object *report, const char *section)
{
	json_object *array;

	if (json_object_object_get_ex(report, section, &array) &&
	    json_object_is_type(array, json_type_array))
		return array;
	return NULL;
}

static int take_lvs(struct vg *vg, json_object *array, struct err *e)
{
	size_t n = array ? json_object_array_length(array) : 0, i;

	vg->lv = calloc(n + 1, sizeof(*vg->lv));
	if (!vg->lv)
		return err_set(e, ENOMEM, "no memory for the logical volumes");
	for (i = 0; i < n; i++) {
		json_object *row = json_object_array_get_idx(array, i);
		struct logical_volume *lv = &vg->lv[vg->n_lv];

		if (!strstr(json_text(row, "lv_role"), "public"))
			continue;
		escape_text(lv->name, sizeof(lv->name), json_text(row, "lv_name"));
		escape_text(lv->uuid, sizeof(lv->uuid), json_text(row, "lv_uuid"));
		snprintf(lv->layout, sizeof(lv->layout), "%.63s", json_text(row, "lv_layout"));
		snprintf(lv->health, sizeof(lv->health), "%.63s", json_text(row, "lv_health_status"));
		lv->bytes = strtoull(json_text(row, "lv_size"), NULL, 10);
		vg->n_lv++;
	}
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

static int take_vg(struct node *n, json_object *report, json_object *row, struct err *e)
{
	struct vg *vg = calloc(1, sizeof(*vg));

	n->state = vg;
	if (!vg)
		return err_set(e, ENOMEM, "no memory for a volume group");
	n->ops = &vg_ops;
	snprintf(vg->name, sizeof(vg->name), "%s", json_text(row, "vg_name"));
	escape_text(n->name, sizeof(n->name), vg->name);
	escape_text(n->uuid, sizeof(n->uuid), json_text(row, "vg_uuid"));
	snprintf(n->type, sizeof(n->type), "lvm2");
	if (n->host)
		n->stack[0] = 0;
	stack_push(n->stack, sizeof(n->stack), n->name);
	judge_vg(n, row);
	return take_lvs(vg, rows(report, "lv"), e);
}

static bool lists(json_object *pvs, const struct node *pv)
{
	size_t n = pvs ? json_object_array_length(pvs) : 0, i;

	for (i = 0; i < n; i++)
		if (strcmp(json_text(json_object_array_get_idx(pvs, i), "pv_uuid"), pv->uuid) == 0)
			return true;
	return false;
}

/* One VG of the report, or the PVs that belong to none. The VG's parents stand in the
 * order in which the walk found them. */
static int add_vg(struct walk *w, json_object *report, struct node *const *members, size_t n,
		  bool final, struct err *e)
{
	json_object *vgs = rows(report, "vg"), *pvs = rows(report, "pv"), *row = NULL;
	struct node *node = NULL;
	size_t i;

	if (vgs && json_object_array_length(vgs) > 0)
		row = json_object_array_get_idx(vgs, 0);
	if (row && is_incomplete(row) && !final)
		return 0;
	for (i = 0; i < n; i++) {
		struct node *pv = members[i];

		if (!lists(pvs, pv))
			continue;
		pv->verdict = VERDICT_OK;
		snprintf(pv->reason, sizeof(pv->reason), "%s%s",
			 row ? "part of " : "belongs to no volume group",
			 row ? json_text(row, "vg_name") : "");
		if (!row)
			continue;
		if (node)
			node_add_parent(node, pv);
		else if (!(node = walk_add(w, KIND_VG, pv, pv->parents[0], NULL, e)))
			return -ENOMEM;
	}
	return node ? take_vg(node, report, row, e) : 0;
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
	bool found = false;
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			if (strcmp(members[i]->uuid, members[k]->uuid) == 0) {
				found = true;
				node_verdict(members[i], VERDICT_ERROR, "ambiguous",
					     "another physical volume of this guest has the same UUID");
				node_verdict(members[k], VERDICT_ERROR, "ambiguous",
					     "another physical volume of this guest has the same UUID");
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

/* Holds the VG's UUID until the walk ends, and its name while LVM uses it. */
static int vg_open(struct walk *w, struct node *n, struct err *e)
{
	char name[160], uuid[96], prefix[80];
	const char *names[] = { uuid, name };
	const char *devices[MAX_PARENTS];
	struct vg *vg = n->state;
	struct err why = { 0 };
	size_t count = member_devices(n, devices), i;
	int rc;

	snprintf(name, sizeof(name), "vg-name:%s", vg->name);
	snprintf(uuid, sizeof(uuid), "vg-uuid:%s", n->uuid);
	rc = w->env->acquire(names, 2, 1, e);
	if (rc < 0)
		return rc;
	vg->read_only = false;
	for (i = 0; i < n->n_parents; i++)
		vg->read_only |= n->parents[i]->parents[0]->read_only;
	vg_dm_prefix(n, prefix, sizeof(prefix));
	rc = lvmcmd_activate(w->env, n->id, vg->name, devices, count, vg->read_only, &why);
	if (rc < 0)
		snprintf(n->reason, sizeof(n->reason), "%s", why.text);
	rc = dm_rename_all(prefix, n->id, &vg->n_mapped, e);
	w->env->release(&names[1], 1, 1);
	if (rc < 0 && dm_drop_renamed(n->id, vg->n_mapped, &why) < 0)
		log_line("%s: %s", n->stack, why.text);
	return rc;
}

static int add_lv(struct walk *w, struct node *vg_node, const struct logical_volume *lv,
		  struct err *e)
{
	struct vg *vg = vg_node->state;
	char word[300], uuid[128], name[DM_NAME_SIZE];
	struct err why = { 0 };
	struct node *n;

	snprintf(word, sizeof(word), "%s/%s", vg_node->name, lv->name);
	n = walk_add(w, KIND_LV, vg_node, vg_node->host ? NULL : vg_node->parents[0]->parents[0], word, e);
	if (!n)
		return -ENOMEM;
	snprintf(n->name, sizeof(n->name), "%s", word);
	snprintf(n->type, sizeof(n->type), "%.47s", lv->layout);
	snprintf(n->uuid, sizeof(n->uuid), "%s", lv->uuid);
	n->bytes = lv->bytes;
	n->read_only = vg->read_only;
	if (strstr(lv->layout, "pool")) {
		snprintf(n->reason, sizeof(n->reason), "holds other volumes");
		return 0;
	}
	vg_dm_prefix(vg_node, uuid, sizeof(uuid));
	append_plain_uuid(uuid, sizeof(uuid), lv->uuid);
	if (dm_find(uuid, name, &why) < 0)
		node_verdict(n, VERDICT_ERROR, "tool-failed", "LVM could not activate it: %s",
			     vg_node->reason[0] ? vg_node->reason : why.text);
	else
		snprintf(n->device, sizeof(n->device), DM_DIR_PREFIX "%s", name);
	return 0;
}

static int vg_children(struct walk *w, struct node *n, struct err *e)
{
	struct vg *vg = n->state;
	size_t i;

	for (i = 0; i < vg->n_lv; i++)
		if (add_lv(w, n, &vg->lv[i], e) < 0)
			return -ENOMEM;
	n->reason[0] = 0;
	return 0;
}

static int vg_close(struct walk *w, struct node *n, struct err *e)
{
	struct vg *vg = n->state;

	(void)w;
	return dm_drop_renamed(n->id, vg->n_mapped, e);
}

static void vg_forget(struct node *n)
{
	struct vg *vg = n->state;

	if (vg)
		free(vg->lv);
	free(vg);
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
