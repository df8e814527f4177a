/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LUKS volumes.
 *
 * Recognises  LUKS1 and LUKS2 headers (also LUKS2 by its secondary header), a
 *             volume with a detached header, and one that crypttab names and
 *             whose header is gone.
 * Uses        libcryptsetup.
 * open        gets the volume key while the kernel holds the volume read-only,
 *             then activates; read-only where the mode or crypttab says so, with
 *             discards only where crypttab says so.
 * close       deactivates it.
 * Never       writes a header, goes on with a pending reencryption, or starts an
 *             Argon2 that the free memory can't hold.
 */
#include <errno.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <string.h>

#include "blockdev.h"
#include "cleanup.h"
#include "dm.h"
#include "keys.h"
#include "log.h"
#include "registry.h"
#include "secret.h"
#include "walk.h"

#define MAX_SLOTS 32
#define KEY_SLOT_ANY CRYPT_ANY_SLOT

static char last_words[256]; /* of libcryptsetup; one process opens one volume at a time */

static void take_words(int level, const char *msg, void *arg)
{
	(void)arg;
	if (level != CRYPT_LOG_ERROR)
		return;
	escape_text(last_words, sizeof(last_words), msg);
	last_words[strcspn(last_words, "\n")] = 0;
}

static void free_crypt(struct crypt_device **cd)
{
	crypt_free(*cd);
}

static const struct crypttab_entry *entry_for(const struct walk *w, const struct node *device,
					      const char *uuid)
{
	return keys_entry(w->env->crypttab, device, uuid);
}

static enum claim luks_probe(struct walk *w, struct node *device, struct err *e)
{
	const struct content *c = &device->content;
	const struct crypttab_entry *entry;

	(void)e;
	if (strcmp(c->type, "crypto_LUKS") == 0)
		return MINE;
	if (c->type[0] || c->table[0])
		return NOT_MINE;
	entry = entry_for(w, device, NULL);
	return entry ? MINE : NOT_MINE;
}

static int luks_describe(struct walk *w, struct node *n, struct err *e)
{
	const struct content *c = &n->parents[0]->content;
	const struct crypttab_entry *entry = entry_for(w, n->parents[0], c->uuid);

	snprintf(n->type, sizeof(n->type), "LUKS%s", c->type[0] ? c->version : "");
	snprintf(n->name, sizeof(n->name), "%s", entry ? entry->name : n->parents[0]->name);
	stack_push(n->stack, sizeof(n->stack), "luks");
	if (!c->type[0] && !entry->header)
		return err_set_word(e, EINVAL, "bad-header",
				    "crypttab names it, but its LUKS header is destroyed; restore it "
				    "from a header backup (cryptsetup luksHeaderRestore)");
	if (entry)
		return 0;
	if (!n->host && !n->parents[0]->volume)
		node_verdict(n, VERDICT_SKIPPED, "guest-encrypted",
			     "encrypted by the guest itself, crypttab has no key for UUID %s", c->uuid);
	else
		return err_set_word(e, ENOKEY, "no-key",
				    "LUKS: crypttab has no entry for it; add one with its key file");
	return 0;
}

static int load_header(struct crypt_device **cd, const struct node *device,
		       const struct crypttab_entry *entry, struct err *e)
{
	uint32_t requirements = 0;
	int rc = entry->header ? crypt_init_data_device(cd, entry->header, device->device)
			       : crypt_init(cd, device->device);

	if (rc == 0)
		rc = crypt_load(*cd, CRYPT_LUKS, NULL);
	if (rc < 0)
		return err_set_word(e, -rc, "bad-header", "LUKS: the header can't be used: %s",
				    last_words[0] ? last_words : strerror(-rc));
	if (strcmp(crypt_get_type(*cd), CRYPT_LUKS2) == 0 &&
	    (crypt_persistent_flags_get(*cd, CRYPT_FLAGS_REQUIREMENTS, &requirements) < 0 ||
	     requirements))
		return err_set_word(e, EBUSY, "unsupported-feature",
				    "LUKS: a reencryption is under way, or the header asks for "
				    "something unknown; finish it on the host first");
	return 0;
}

/* The most memory in KiB that one of the key slots that will be tried asks for. */
static uint64_t memory_needed(struct crypt_device *cd, int only_slot)
{
	struct crypt_pbkdf_type pbkdf;
	uint64_t most = 0;
	int slot;

	for (slot = 0; slot < MAX_SLOTS; slot++) {
		if (only_slot != KEY_SLOT_ANY && slot != only_slot)
			continue;
		if (crypt_keyslot_status(cd, slot) < CRYPT_SLOT_ACTIVE)
			continue;
		if (crypt_keyslot_get_pbkdf(cd, slot, &pbkdf) == 0 && pbkdf.max_memory_kb > most)
			most = pbkdf.max_memory_kb;
	}
	return most;
}

/* Gets the volume key; *key holds it then. */
static int unlock(struct walk *w, struct crypt_device *cd, const struct crypttab_entry *entry,
		  struct secret **key, struct err *e)
{
	static const char *const memory[] = { "memory" };
	cleanup_secret struct secret *passphrase = NULL;
	int slot = entry->key_slot < 0 ? KEY_SLOT_ANY : entry->key_slot;
	uint64_t kib = memory_needed(cd, slot);
	size_t size;
	int rc = keys_load(w->env, entry, &passphrase, e);

	if (rc < 0)
		return rc;
	*key = secret_new((size_t)crypt_get_volume_key_size(cd), e);
	if (!*key)
		return -ENOMEM;
	if (kib) {
		rc = w->env->acquire(memory, 1, kib, e);
		if (rc < 0)
			return err_wrap(e, "LUKS: a key slot's Argon2");
	}
	size = secret_size(*key);
	rc = crypt_volume_key_get(cd, slot, secret_bytes(*key), &size, secret_bytes(passphrase),
				  secret_size(passphrase));
	if (kib)
		w->env->release(memory, 1, kib);
	if (rc == -EPERM || rc == -ENOENT)
		return err_set_word(e, EKEYREJECTED, "no-key",
				    "LUKS: no key slot opens with %s; the key is a wrong one, or a "
				    "key slot is destroyed", keys_describe(entry));
	if (rc < 0)
		return err_set_word(e, -rc, "tool-failed", "LUKS: %s",
				    last_words[0] ? last_words : strerror(-rc));
	return 0;
}

static int activate(struct crypt_device *cd, const struct node *n, bool discard,
		    struct secret *key, struct err *e)
{
	uint32_t flags = (n->read_only ? CRYPT_ACTIVATE_READONLY : 0) |
			 (discard ? CRYPT_ACTIVATE_ALLOW_DISCARDS : 0);
	char name[DM_NAME_SIZE];
	int rc;

	snprintf(name, sizeof(name), "gs-%u", n->id);
	rc = crypt_activate_by_volume_key(cd, name, secret_bytes(key), secret_size(key), flags);
	if (rc < 0)
		return err_set_word(e, -rc, "tool-failed", "LUKS: activation failed: %s",
				    last_words[0] ? last_words : strerror(-rc));
	return 0;
}

static int luks_open(struct walk *w, struct node *n, struct err *e)
{
	__attribute__((cleanup(free_crypt))) struct crypt_device *cd = NULL;
	cleanup_secret struct secret *key = NULL;
	struct node *device = n->parents[0];
	const struct crypttab_entry *entry = entry_for(w, device, n->uuid);
	int rc;

	last_words[0] = 0;
	crypt_set_log_callback(NULL, take_words, NULL);
	/* without locks libcryptsetup repairs no header behind our back */
	crypt_metadata_locking(NULL, 0);
	n->read_only = device->read_only || entry->readonly;
	rc = blockdev_set_read_only(device->device, true, e);
	if (rc < 0)
		return rc;
	rc = load_header(&cd, device, entry, e);
	if (rc == 0)
		rc = unlock(w, cd, entry, &key, e);
	if (!n->read_only && blockdev_set_read_only(device->device, false, e) < 0)
		return -e->code;
	if (rc == 0)
		rc = activate(cd, n, entry->discard, key, e);
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
	return dm_drop(name, e);
}

const struct layer_ops luks_ops = {
	.name = "luks", .kind = KIND_LUKS, .probe = luks_probe, .describe = luks_describe,
	.open = luks_open, .children = luks_children, .close = luks_close,
};
