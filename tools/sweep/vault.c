/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vault.h"

#include <errno.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>

#include "blockdev.h"
#include "loopdev.h"
#include "luksmap.h"
#include "luksopen.h"
#include "log.h"
#include "mounts.h"
#include "stick.h"

#define MAPPER "/dev/mapper/"
#define NAME "gs-vault"
#define FOLDER "/run/guestsweep/vault"

struct visit {
	const struct walk_env *env;
	const struct crypttab_entry *vault;
	int (*work)(const char *folder, void *arg, struct err *e);
	void *arg;
};

const struct crypttab_entry *vault_named(const struct crypttab *t, const char *key_device)
{
	size_t i;

	if (strncmp(key_device, MAPPER, strlen(MAPPER)) != 0)
		return NULL;
	for (i = 0; i < t->n; i++)
		if (strcmp(t->entry[i].name, key_device + strlen(MAPPER)) == 0)
			return &t->entry[i];
	return NULL;
}

static int visit_device(const struct visit *v, const char *device, struct err *e)
{
	struct err why;
	bool one_header;
	int rc = luks_open_device(v->env, device, v->vault, NAME, true, &one_header, e);

	if (rc < 0)
		return rc;
	rc = mounts_with(MAPPER NAME, FOLDER, v->work, v->arg, e);
	if (luksmap_drop(NAME, &why) < 0) {
		log_line("the vault could not be closed: %s", why.text);
		return rc < 0 ? rc : err_set(e, EBUSY, "%s", why.text);
	}
	return rc;
}

static int visit_file(const struct visit *v, const char *path, struct err *e)
{
	char loop[LOOPDEV_SIZE];
	struct err ignored;
	int rc = loopdev_attach(path, LO_FLAGS_READ_ONLY, loop, e);

	if (rc < 0)
		return rc;
	rc = visit_device(v, loop, e);
	if (loopdev_detach(loop, rc < 0 ? &ignored : e) < 0 && rc == 0)
		rc = -e->code;
	return rc;
}

static int visit_on_stick(const char *folder, void *arg, struct err *e)
{
	const struct visit *v = arg;
	char path[512];

	snprintf(path, sizeof(path), "%s%s", folder, v->vault->file);
	return visit_file(v, path, e);
}

/* A logical volume, a partition or a disk. In modes that only read it is read-only already, and stays so. */
static int visit_volume(const struct visit *v, struct err *e)
{
	char device[80];
	bool was_read_only;
	struct err ignored;
	int rc = v->env->find_device(v->vault->device, device, sizeof(device), e);

	if (rc < 0)
		return rc;
	was_read_only = blockdev_is_read_only(device);
	rc = blockdev_set_read_only(device, true, e);
	if (rc == 0)
		rc = visit_device(v, device, e);
	if (!was_read_only && blockdev_set_read_only(device, false, &ignored) < 0)
		log_line("%s: %s", device, ignored.text);
	return rc;
}

int vault_with(const struct walk_env *env, const struct crypttab_entry *vault,
	       int (*work)(const char *folder, void *arg, struct err *e), void *arg, struct err *e)
{
	struct visit v = { .env = env, .vault = vault, .work = work, .arg = arg };
	int rc;

	if (vault->file_device)
		rc = stick_with(env, vault->file_device, visit_on_stick, &v, e);
	else
		rc = vault->file ? visit_file(&v, vault->file, e) : visit_volume(&v, e);
	return rc < 0 ? err_wrap(e, "the vault %s", vault->name) : rc;
}
