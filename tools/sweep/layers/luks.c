/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LUKS volumes.
 *
 * Recognises  LUKS1 and LUKS2 headers (also LUKS2 by its secondary header), a
 *             volume with a detached header, and one that crypttab names and
 *             whose header is gone.
 * Uses        libcryptsetup, in a sandbox (luksbox.h); libdevmapper.
 * open        gets the volume key while the kernel holds the volume read-only,
 *             then maps the data; read-only where the mode or crypttab says so, with
 *             discards only where crypttab says so.
 * close       removes the mapping.
 * Never       reads a header where there are rights, writes one, goes on with a pending
 *             reencryption, or starts an Argon2 that the free memory can't hold.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "blockdev.h"
#include "dm.h"
#include "keys.h"
#include "luksmap.h"
#include "luksopen.h"
#include "registry.h"
#include "walk.h"

static const struct crypttab_entry *entry_for(const struct walk *w, const struct node *device,
					      const char *uuid)
{
	return keys_entry(w->env->crypttab, device, uuid);
}

static bool has_header(const struct content *c)
{
	return strcmp(c->type, "crypto_LUKS") == 0;
}

static bool is_detached(const struct crypttab_entry *entry)
{
	return entry && (entry->header || entry->header_device);
}

static enum claim luks_probe(struct walk *w, struct node *device, struct err *e)
{
	const struct content *c = &device->content;
	const struct crypttab_entry *entry;

	(void)e;
	if (has_header(c))
		return MINE;
	entry = entry_for(w, device, NULL);
	/* with its header elsewhere, authenticated data begins with what keeps the tags */
	if (is_detached(entry) && strcmp(c->type, "DM_integrity") == 0)
		return MINE;
	if (c->type[0] || c->table[0])
		return NOT_MINE;
	return entry || c->reencrypting ? MINE : NOT_MINE;
}

/* The entry whose header the volume device is; NULL: none. */
static const struct crypttab_entry *header_of(const struct walk *w, const struct node *device)
{
	const struct crypttab *t = w->env->crypttab;
	char name[NODE_PATH_SIZE];
	size_t i;

	node_path(device, name);
	for (i = 0; (device->host || device->volume) && i < t->n; i++)
		if (t->entry[i].header_device && strcmp(t->entry[i].header_device, name) == 0)
			return &t->entry[i];
	return NULL;
}

static int luks_describe(struct walk *w, struct node *n, struct err *e)
{
	const struct content *c = &n->parents[0]->content;
	const struct crypttab_entry *entry = entry_for(w, n->parents[0], c->uuid), *other;

	snprintf(n->type, sizeof(n->type), "LUKS%s", has_header(c) ? c->version : "");
	snprintf(n->name, sizeof(n->name), "%s", entry ? entry->name : n->parents[0]->name);
	stack_push(n->stack, sizeof(n->stack), "luks");
	if (!c->type[0] && !is_detached(entry) && c->reencrypting)
		return err_set_word(e, EBUSY, "unsupported-feature",
				    "LUKS: a reencryption is under way; finish it on the host first "
				    "(cryptsetup reencrypt)");
	if (!c->type[0] && !is_detached(entry))
		return err_set_word(e, EINVAL, "bad-header",
				    "crypttab names it, but its LUKS header is destroyed; restore it "
				    "from a header backup (cryptsetup luksHeaderRestore)");
	if (entry)
		return 0;
	if ((other = header_of(w, n->parents[0]))) {
		node_verdict(n, VERDICT_OK, "", "the header of %s, which crypttab names", other->device);
		return 0;
	}
	if (!n->host && !n->parents[0]->volume)
		node_verdict(n, VERDICT_SKIPPED, "guest-encrypted",
			     "encrypted by the guest itself, crypttab has no key for UUID %s", c->uuid);
	else
		return err_set_word(e, ENOKEY, "no-key",
				    "LUKS: crypttab has no entry for it; add one with its key file");
	return 0;
}

static int luks_open(struct walk *w, struct node *n, struct err *e)
{
	struct node *device = n->parents[0];
	const struct crypttab_entry *entry = entry_for(w, device, n->uuid);
	char name[DM_NAME_SIZE];
	bool one_header;
	int rc;

	n->read_only = device->read_only || entry->readonly;
	rc = blockdev_set_read_only(device->device, true, e);
	if (rc < 0)
		return rc;
	snprintf(name, sizeof(name), "gs-%u", n->id);
	rc = luks_open_device(w->env, device->device, entry, name, n->read_only, &one_header, e);
	if (rc == 0 && one_header)
		node_note(n, "bad-header", "one of its two headers is damaged, the other one opens it; make it whole on the host "
			  "(cryptsetup repair)");
	return rc;
}

static int luks_children(struct walk *w, struct node *n, struct err *e)
{
	(void)w;
	snprintf(n->device, sizeof(n->device), DM_DIR_PREFIX "gs-%u", n->id);
	return blockdev_size(n->device, &n->bytes, e);
}

static int luks_close(struct walk *w, struct node *n, struct err *e)
{
	char name[DM_NAME_SIZE];

	(void)w;
	snprintf(name, sizeof(name), "gs-%u", n->id);
	return luksmap_drop(name, e);
}

const struct layer_ops luks_ops = {
	.name = "luks", .kind = KIND_LUKS, .probe = luks_probe, .describe = luks_describe,
	.open = luks_open, .children = luks_children, .close = luks_close,
};
