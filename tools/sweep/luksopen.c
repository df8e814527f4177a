/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "luksopen.h"

#include <errno.h>
#include <linux/loop.h>
#include <stdio.h>

#include "blockdev.h"
#include "keys.h"
#include "log.h"
#include "loopdev.h"
#include "luksbox.h"
#include "luksmap.h"

/* What it may use of memory is asked for as long as it does. -EKEYREJECTED: no key slot opens with passphrase. */
static int try_passphrase(struct luks_box *b, struct secret *passphrase, struct secret **key, struct err *e)
{
	static const char *const memory[] = { "memory" };
	uint64_t kib = b->facts.argon2_kib;
	int rc = kib ? b->env->acquire(memory, 1, kib, e) : 0;

	if (rc < 0)
		return err_wrap(e, "LUKS: a key slot's Argon2");
	rc = luksbox_try(b, passphrase, key, e);
	if (kib)
		b->env->release(memory, 1, kib);
	return rc;
}

static int unlock_with_file(struct luks_box *b, const struct crypttab_entry *entry, struct secret **key, struct err *e)
{
	cleanup_secret struct secret *passphrase = NULL;
	int rc = keys_load(b->env, entry, &passphrase, e);

	if (rc == 0)
		rc = try_passphrase(b, passphrase, key, e);
	if (rc == -EKEYREJECTED)
		err_set_word(e, EKEYREJECTED, "no-key",
			     "LUKS: no key slot opens with %s; the key is a wrong one, or a "
			     "key slot is destroyed", keys_describe(entry));
	return rc;
}

static int unlock_with_typed(struct luks_box *b, const struct crypttab_entry *entry, struct secret **key,
			     struct err *e)
{
	struct typed_turn turn = { .entry = entry, .lock = -1 };
	int rc;

	do {
		cleanup_secret struct secret *passphrase = NULL;

		rc = typed_next(b->env->keys->typed, b->env, &turn, &passphrase, e);
		if (rc == 0)
			rc = try_passphrase(b, passphrase, key, e);
	} while (rc == -EKEYREJECTED);
	typed_end(&turn, rc == 0);
	return rc;
}

/* Learns from the header on device header what and where the data is, and gets the volume key; *key holds it then. */
static int unlock(const struct walk_env *env, const char *device, const char *header,
		  const struct crypttab_entry *entry, struct luks_facts *facts, struct secret **key, struct err *e)
{
	struct luks_box b;
	int rc = luksbox_start(&b, env, header, device, entry->key_slot, e);

	*facts = b.facts;
	if (rc == 0)
		rc = entry->key_file ? unlock_with_file(&b, entry, key, e) : unlock_with_typed(&b, entry, key, e);
	luksbox_end(&b);
	return rc;
}

static int no_header(struct err *e)
{
	snprintf(e->word, sizeof(e->word), "bad-header");
	return err_wrap(e, "LUKS: its header");
}

/* The same with the header where crypttab says. */
static int unlock_by_entry(const struct walk_env *env, const char *device, const struct crypttab_entry *entry,
			   struct luks_facts *facts, struct secret **key, struct err *e)
{
	char loop[LOOPDEV_SIZE], volume[80];
	struct err why;
	int rc;

	if (entry->header_device) {
		rc = env->find_device(entry->header_device, volume, sizeof(volume), e);
		return rc < 0 ? no_header(e) : unlock(env, device, volume, entry, facts, key, e);
	}
	if (!entry->header)
		return unlock(env, device, device, entry, facts, key, e);
	rc = loopdev_attach(entry->header, LO_FLAGS_READ_ONLY, loop, e);
	if (rc < 0)
		return no_header(e);
	rc = unlock(env, device, loop, entry, facts, key, e);
	if (loopdev_detach(loop, &why) < 0)
		log_line("%s: %s", entry->header, why.text);
	return rc;
}

int luks_open_device(const struct walk_env *env, const char *device, const struct crypttab_entry *entry,
		     const char *name, bool read_only, bool *one_header, struct err *e)
{
	cleanup_secret struct secret *key = NULL;
	struct luks_facts facts;
	int rc = unlock_by_entry(env, device, entry, &facts, &key, e);

	*one_header = rc == 0 && facts.one_header;
	if (!read_only && blockdev_set_read_only(device, false, e) < 0)
		return -e->code;
	if (rc < 0)
		return rc;
	return luksmap_make(name, device, &facts, key, read_only || blockdev_is_read_only(device), entry->discard, e);
}
