/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "luksopen.h"

#include <errno.h>
#include <libcryptsetup.h>
#include <string.h>

#include "blockdev.h"
#include "cleanup.h"
#include "keys.h"
#include "log.h"

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

static int load_header(struct crypt_device **cd, const char *device,
		       const struct crypttab_entry *entry, struct err *e)
{
	uint32_t requirements = 0;
	int rc = entry->header ? crypt_init_data_device(cd, entry->header, device)
			       : crypt_init(cd, device);

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

/* Tries a passphrase on the key slots; *key is the volume key then. -EKEYREJECTED: none opens with it. */
static int try_passphrase(const struct walk_env *env, struct crypt_device *cd, int slot, struct secret *passphrase,
			  struct secret **key, struct err *e)
{
	static const char *const memory[] = { "memory" };
	cleanup_secret struct secret *volume_key = secret_new((size_t)crypt_get_volume_key_size(cd), e);
	uint64_t kib = memory_needed(cd, slot);
	size_t size = volume_key ? secret_size(volume_key) : 0;
	int rc;

	if (!volume_key)
		return -ENOMEM;
	rc = kib ? env->acquire(memory, 1, kib, e) : 0;
	if (rc < 0)
		return err_wrap(e, "LUKS: a key slot's Argon2");
	rc = crypt_volume_key_get(cd, slot, secret_bytes(volume_key), &size, secret_bytes(passphrase),
				  secret_size(passphrase));
	if (kib)
		env->release(memory, 1, kib);
	if (rc == -EPERM || rc == -ENOENT)
		return err_set_word(e, EKEYREJECTED, "no-key", "LUKS: no key slot opens with it");
	if (rc < 0)
		return err_set_word(e, -rc, "tool-failed", "LUKS: %s",
				    last_words[0] ? last_words : strerror(-rc));
	*key = steal_ptr(&volume_key);
	return 0;
}

static int unlock_with_file(const struct walk_env *env, struct crypt_device *cd,
			    const struct crypttab_entry *entry, int slot, struct secret **key, struct err *e)
{
	cleanup_secret struct secret *passphrase = NULL;
	int rc = keys_load(env, entry, &passphrase, e);

	if (rc == 0)
		rc = try_passphrase(env, cd, slot, passphrase, key, e);
	if (rc == -EKEYREJECTED)
		err_set_word(e, EKEYREJECTED, "no-key",
			     "LUKS: no key slot opens with %s; the key is a wrong one, or a "
			     "key slot is destroyed", keys_describe(entry));
	return rc;
}

static int unlock_with_typed(const struct walk_env *env, struct crypt_device *cd,
			     const struct crypttab_entry *entry, int slot, struct secret **key, struct err *e)
{
	struct typed_turn turn = { .entry = entry, .lock = -1 };
	int rc;

	do {
		cleanup_secret struct secret *passphrase = NULL;

		rc = typed_next(env->keys->typed, env, &turn, &passphrase, e);
		if (rc == 0)
			rc = try_passphrase(env, cd, slot, passphrase, key, e);
	} while (rc == -EKEYREJECTED);
	typed_end(&turn, rc == 0);
	return rc;
}

/* Gets the volume key; *key holds it then. */
static int unlock(const struct walk_env *env, struct crypt_device *cd, const struct crypttab_entry *entry,
		  struct secret **key, struct err *e)
{
	int slot = entry->key_slot < 0 ? KEY_SLOT_ANY : entry->key_slot;

	return entry->key_file ? unlock_with_file(env, cd, entry, slot, key, e)
			       : unlock_with_typed(env, cd, entry, slot, key, e);
}

static int activate(struct crypt_device *cd, const char *name, uint32_t flags, struct secret *key, struct err *e)
{
	int rc = crypt_activate_by_volume_key(cd, name, secret_bytes(key), secret_size(key), flags);

	if (rc < 0)
		return err_set_word(e, -rc, "tool-failed", "LUKS: activation failed: %s",
				    last_words[0] ? last_words : strerror(-rc));
	return 0;
}

int luks_open_device(const struct walk_env *env, const char *device, const struct crypttab_entry *entry,
		     const char *name, bool read_only, struct err *e)
{
	__attribute__((cleanup(free_crypt))) struct crypt_device *cd = NULL;
	cleanup_secret struct secret *key = NULL;
	uint32_t flags = (read_only ? CRYPT_ACTIVATE_READONLY : 0) |
			 (entry->discard ? CRYPT_ACTIVATE_ALLOW_DISCARDS : 0);
	int rc;

	last_words[0] = 0;
	crypt_set_log_callback(NULL, take_words, NULL);
	/* without locks libcryptsetup repairs no header behind our back */
	crypt_metadata_locking(NULL, 0);
	rc = load_header(&cd, device, entry, e);
	if (rc == 0)
		rc = unlock(env, cd, entry, &key, e);
	if (!read_only && blockdev_set_read_only(device, false, e) < 0)
		return -e->code;
	return rc < 0 ? rc : activate(cd, name, flags, key, e);
}
