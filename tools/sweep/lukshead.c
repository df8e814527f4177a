/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lukshead.h"

#include <errno.h>
#include <json-c/json_tokener.h>
#include <libcryptsetup.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "jsonget.h"
#include "log.h"
#include "secret.h"

#define MAX_SLOTS 32

/* Of libcryptsetup; this process looks at one header. */
static char last_words[256];
static bool one_header, no_cipher;

static void take_words(int level, const char *msg, void *arg)
{
	char line[sizeof(last_words)];

	(void)arg;
	/* it tells of these by no function */
	if (level == CRYPT_LOG_DEBUG) {
		one_header |= strstr(msg, "LUKS2 header requires recovery") != NULL;
		no_cipher |= strstr(msg, "Userspace crypto wrapper cannot use") != NULL;
	}
	if (level != CRYPT_LOG_ERROR)
		return;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(msg, "\n"), msg);
	escape_text(last_words, sizeof(last_words), line);
}

static void free_crypt(struct crypt_device **cd)
{
	crypt_free(*cd);
}

static bool is_luks2(struct crypt_device *cd)
{
	return strcmp(crypt_get_type(cd), CRYPT_LUKS2) == 0;
}

static int load(struct crypt_device **cd, const char *device, struct err *e)
{
	uint32_t requirements = 0;
	int rc = crypt_init(cd, device);

	/* it complains of device-mapper, which is not there, and goes on without */
	if (rc == 0) {
		last_words[0] = 0;
		crypt_set_debug_level(CRYPT_DEBUG_ALL);
		rc = crypt_load(*cd, CRYPT_LUKS, NULL);
		crypt_set_debug_level(CRYPT_DEBUG_NONE);
	}
	if (rc < 0)
		return err_set_word(e, -rc, "bad-header",
				    "LUKS: the header can't be used: %s; restore it from a header "
				    "backup (cryptsetup luksHeaderRestore)",
				    last_words[0] ? last_words : strerror(-rc));
	if (is_luks2(*cd) &&
	    (crypt_persistent_flags_get(*cd, CRYPT_FLAGS_REQUIREMENTS, &requirements) < 0 || requirements))
		return err_set_word(e, EBUSY, "unsupported-feature",
				    "LUKS: a reencryption is under way, or the header asks for "
				    "something unknown; finish it on the host first");
	return 0;
}

/* The most memory in KiB that one of the key slots that will be tried asks for. */
static uint32_t memory_needed(struct crypt_device *cd, int only_slot)
{
	struct crypt_pbkdf_type pbkdf;
	uint32_t most = 0;
	int slot;

	for (slot = 0; slot < MAX_SLOTS; slot++) {
		if (only_slot >= 0 && slot != only_slot)
			continue;
		if (crypt_keyslot_status(cd, slot) < CRYPT_SLOT_ACTIVE)
			continue;
		if (crypt_keyslot_get_pbkdf(cd, slot, &pbkdf) == 0 && pbkdf.max_memory_kb > most)
			most = pbkdf.max_memory_kb;
	}
	return most;
}

static bool has_key_slot(struct crypt_device *cd)
{
	int slot;

	for (slot = 0; slot < MAX_SLOTS; slot++)
		if (crypt_keyslot_status(cd, slot) >= CRYPT_SLOT_ACTIVE)
			return true;
	return false;
}

/* The cipher by the name that it has in the kernel together with what authenticates, as libcryptsetup makes it. */
static int name_with_tags(const char *spec, const char *integrity, struct luks_facts *f, struct err *e)
{
	char cipher[32], mode[32], iv[32], inner[72], outer[116];
	int n = sscanf(spec, "%31[^-]-%31[^-]-%31s", cipher, mode, iv);
	bool is_aead = strcmp(integrity, "aead") == 0;

	if (n < 2)
		return err_set_word(e, EINVAL, "bad-header", "LUKS: it names no cipher");
	if (n == 2)
		snprintf(inner, sizeof(inner), "%s", cipher);
	else
		snprintf(inner, sizeof(inner), "%s(%s)", mode, cipher);
	if (is_aead && n == 3 && strcmp(mode, "ccm") == 0)
		snprintf(outer, sizeof(outer), "rfc4309(%s)", inner);
	else if (is_aead || strcmp(integrity, "none") == 0)
		snprintf(outer, sizeof(outer), "%s", inner);
	else if (strcmp(integrity, "poly1305") == 0)
		snprintf(outer, sizeof(outer), "rfc7539(%s,poly1305)", inner);
	else
		snprintf(outer, sizeof(outer), "authenc(%.32s,%s)", integrity, inner);
	snprintf(f->cipher, sizeof(f->cipher), "capi:%s-%s", outer, n == 3 ? iv : mode);
	f->authenticates = strcmp(integrity, "none") != 0;
	return 0;
}

static int segment_facts(struct crypt_device *cd, json_object *segment, struct luks_facts *f, struct err *e)
{
	struct crypt_params_integrity tags = { .tag_size = 0 };
	json_object *integrity;

	if (strcmp(json_text(segment, "type"), "crypt") != 0)
		return err_set_word(e, EOPNOTSUPP, "unsupported-feature", "LUKS: its data is not encrypted by dm-crypt");
	snprintf(f->cipher, sizeof(f->cipher), "%s", json_text(segment, "encryption"));
	f->sectors = strtoull(json_text(segment, "size"), NULL, 10) / 512; /* "dynamic": 0 */
	if (!json_object_object_get_ex(segment, "integrity", &integrity))
		return 0;
	if (crypt_get_integrity_info(cd, &tags) < 0 || tags.tag_size == 0)
		return err_set_word(e, EOPNOTSUPP, "unsupported-feature", "LUKS: it is authenticated in an unknown way");
	f->tag_bytes = tags.tag_size;
	return name_with_tags(f->cipher, tags.integrity, f, e);
}

/* What libcryptsetup tells of a LUKS2 segment by no function. There is one, unless a reencryption is under way. */
static int luks2_facts(struct crypt_device *cd, struct luks_facts *f, struct err *e)
{
	const char *text;
	json_object *all = crypt_dump_json(cd, &text, 0) == 0 ? json_tokener_parse(text) : NULL, *segments, *segment;
	int rc;

	if (json_object_object_get_ex(all, "segments", &segments) && json_object_object_length(segments) == 1 &&
	    json_object_object_get_ex(segments, "0", &segment))
		rc = segment_facts(cd, segment, f, e);
	else
		rc = err_set_word(e, EOPNOTSUPP, "unsupported-feature", "LUKS: its data is in several parts");
	json_object_put(all);
	if (rc == 0 && crypt_persistent_flags_get(cd, CRYPT_FLAGS_ACTIVATION, &f->flags) < 0)
		rc = err_set_word(e, EINVAL, "bad-header", "LUKS: its flags can't be read");
	f->flags &= LUKS_FLAGS;
	return rc;
}

static int look(struct crypt_device **cd, const char *device, int slot, struct luks_facts *f, struct err *e)
{
	int rc = load(cd, device, e);

	if (rc < 0)
		return rc;
	if (!has_key_slot(*cd))
		return err_set_word(e, ENOKEY, "no-key",
				    "LUKS: it has no key slot any more (cryptsetup luksErase), and nothing opens it; restore "
				    "the header from a backup (cryptsetup luksHeaderRestore)");
	f->one_header = one_header;
	f->argon2_kib = memory_needed(*cd, slot);
	f->key_bytes = (uint32_t)crypt_get_volume_key_size(*cd);
	f->sector_bytes = (uint32_t)crypt_get_sector_size(*cd);
	f->offset = crypt_get_data_offset(*cd);
	f->iv_offset = crypt_get_iv_offset(*cd);
	if (is_luks2(*cd))
		return luks2_facts(*cd, f, e);
	snprintf(f->cipher, sizeof(f->cipher), "%s-%s", crypt_get_cipher(*cd), crypt_get_cipher_mode(*cd));
	return 0;
}

static bool receive(int fd, void *buf, size_t size)
{
	size_t got = 0;
	ssize_t n = 1;

	while (got < size && n > 0) {
		n = read(fd, (char *)buf + got, size - got);
		got += n > 0 ? (size_t)n : 0;
	}
	return got == size;
}

/* NULL: there are no more. */
static struct secret *receive_passphrase(int in)
{
	cleanup_secret struct secret *passphrase = NULL;
	uint32_t size;
	struct err e;

	if (!receive(in, &size, sizeof(size)))
		return NULL;
	passphrase = secret_new(size, &e);
	return passphrase && receive(in, secret_bytes(passphrase), size) ? steal_ptr(&passphrase) : NULL;
}

/* A cipher of which it knows no part, as an ESSIV by a hash that only the kernel has, it leaves to device-mapper, which is
 * not there: that is no failure of reading. */
static int try_passphrase(struct crypt_device *cd, int slot, struct secret *passphrase, unsigned char key[LUKS_KEY_MAX])
{
	size_t size = LUKS_KEY_MAX;
	int rc;

	no_cipher = false;
	crypt_set_debug_level(CRYPT_DEBUG_ALL);
	rc = crypt_volume_key_get(cd, slot < 0 ? CRYPT_ANY_SLOT : slot, (char *)key, &size, secret_bytes(passphrase),
				  secret_size(passphrase));
	crypt_set_debug_level(CRYPT_DEBUG_NONE);
	if (rc == -EIO && no_cipher)
		return -EINVAL;
	/* a slot can hold another key than the volume's */
	if (rc >= 0)
		rc = crypt_volume_key_verify(cd, (const char *)key, size);
	return rc == -EPERM || rc == -ENOENT ? -EKEYREJECTED : rc < 0 ? rc : 0;
}

static void serve_keys(struct crypt_device *cd, int slot, int in, int out)
{
	struct secret *passphrase;
	bool told = true;
	struct err e;

	while (told && (passphrase = receive_passphrase(in))) {
		cleanup_secret struct secret *memory = secret_new(sizeof(struct luks_answer), &e);
		struct luks_answer *answer = memory ? (struct luks_answer *)secret_bytes(memory) : NULL;

		if (answer)
			answer->rc = try_passphrase(cd, slot, passphrase, answer->key);
		told = answer && write(out, answer, sizeof(*answer)) == sizeof(*answer);
		secret_free(passphrase);
	}
}

void lukshead_serve(const char *device, int slot, int in, int out)
{
	__attribute__((cleanup(free_crypt))) struct crypt_device *cd = NULL;
	struct luks_head head = { .rc = 0 };

	crypt_set_log_callback(NULL, take_words, NULL);
	/* without locks libcryptsetup repairs no header behind our back */
	crypt_metadata_locking(NULL, 0);
	head.rc = look(&cd, device, slot, &head.facts, &head.e);
	if (write(out, &head, sizeof(head)) == sizeof(head) && head.rc == 0)
		serve_keys(cd, slot, in, out);
}
