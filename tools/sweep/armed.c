/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "armed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "configset.h"
#include "file.h"
#include "grubenv.h"
#include "hostwalk.h"
#include "log.h"
#include "plan.h"
#include "settings_value.h"

#define BOOT_MOUNT_POINT "/run/guestsweep/boot"
#define REFUSED "plan-refused"

static struct {
	bool needs_token;
	bool has_token;
	struct err refusal; /* code 0: none */
	struct plan plan;
	char text[PLAN_MAX];
} armed; /* one process, one sweep */

static int refuse(struct err *e)
{
	*e = armed.refusal;
	return -armed.refusal.code;
}

/* Reads ROOT/PATH of exactly size bytes. Returns false where there is no such file. */
static bool read_exactly(const char *root, const char *path, void *to, size_t size)
{
	cleanup_free char *bytes = NULL;
	char full[PATH_MAX];
	struct err e;
	size_t n;

	snprintf(full, sizeof(full), "%s%s", root, path);
	if (file_read(full, size, &bytes, &n, &e) < 0 || n != size)
		return false;
	memcpy(to, bytes, size);
	return true;
}

static bool has_file(const char *root, const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return access(full, F_OK) == 0;
}

/* The configuration as it is here against the one that was signed. */
static int check_configuration(const struct configset *set, const char *root, struct err *e)
{
	uint8_t salt[PLAN_SALT_SIZE];
	char digest[PLAN_HEX256];
	int rc;

	if (!read_exactly(root, PLAN_SALT_PATH, salt, sizeof(salt)))
		return err_set_word(e, EPERM, REFUSED, "the plan's salt is missing");
	rc = configset_digest(set, root, salt, digest, e);
	if (rc < 0)
		return rc;
	if (strcmp(digest, armed.plan.config) != 0)
		return err_set_word(e, EPERM, REFUSED, "the configuration is not the one that this host signed");
	return 0;
}

static int check_plan(const struct configset *set, const char *root, const uint8_t *public_key,
		      struct err *e)
{
	cleanup_free char *text = NULL;
	char full[PATH_MAX];
	size_t size;
	int rc;

	snprintf(full, sizeof(full), "%s%s", root, PLAN_PATH);
	rc = file_read(full, PLAN_MAX - 1, &text, &size, e);
	if (rc == 0)
		rc = plan_verify(text, size, public_key, &armed.plan, e);
	if (rc < 0)
		return err_wrap(e, "the plan");
	snprintf(armed.text, sizeof(armed.text), "%s", text);
	armed.needs_token = true;
	return check_configuration(set, root, e);
}

static int check(const char *root, struct err *e)
{
	uint8_t public_key[PLAN_KEY_SIZE];
	struct configset set;
	bool has_plan = has_file(root, PLAN_PATH), is_installed = has_file(root, HOST_PUBLIC_PATH);
	int rc = configset_list(&set, root, true, e);

	if (rc < 0)
		return rc;
	if (!has_plan && is_installed && set.n)
		rc = err_set(e, EPERM, "a configuration without a plan of this host's was handed over");
	else if (has_plan && !is_installed)
		rc = err_set(e, EPERM, "there is a plan, but this image was not installed on a host");
	else if (has_plan && !read_exactly(root, HOST_PUBLIC_PATH, public_key, sizeof(public_key)))
		rc = err_set(e, EPERM, "the host's public key in this image is damaged");
	else if (has_plan)
		rc = check_plan(&set, root, public_key, e);
	configset_free(&set);
	return rc;
}

int armed_begin(const char *root, struct err *e)
{
	memset(&armed, 0, sizeof(armed));
	if (check(root, &armed.refusal) == 0) {
		armed.refusal.code = 0;
		return 0;
	}
	armed.refusal.code = EPERM;
	snprintf(armed.refusal.word, sizeof(armed.refusal.word), REFUSED);
	err_wrap(&armed.refusal, "refused, nothing is swept");
	return refuse(e);
}

static bool has_same(const char *folder, const char *name)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return file_read(path, PLAN_MAX, &text, NULL, &e) == 0 && strcmp(text, armed.text) == 0;
}

/* For the host's `collect`, and the person who wonders. */
static void note_refusal(const char *folder)
{
	char path[PATH_MAX], line[ERR_TEXT_MAX + 1];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", folder, PLAN_REFUSED_FILE);
	snprintf(line, sizeof(line), "%s\n", armed.refusal.text);
	if (file_write_atomic(path, line, strlen(line), &e) < 0)
		log_line("%s", e.text);
}

static int strike_off(const char *folder, struct err *e)
{
	cleanup_fd int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || renameat(dir, PLAN_FILE, dir, PLAN_USED_FILE) < 0)
		return err_set(e, errno, "strike the plan's token off: %s", strerror(errno));
	unlinkat(dir, PLAN_REFUSED_FILE, 0);
	/* FAT has no fsync for folders */
	if ((fsync(dir) < 0 && errno != EINVAL) || syncfs(dir) < 0)
		return err_set(e, errno, "strike the plan's token off: %s", strerror(errno));
	return 0;
}

int armed_take(const char *folder, struct err *e)
{
	int rc;

	if (!armed.refusal.code && !armed.needs_token)
		return 0;
	if (!armed.refusal.code && !has_same(folder, PLAN_FILE))
		err_set_word(&armed.refusal, EPERM, REFUSED, "refused, nothing is swept: %s",
			     has_same(folder, PLAN_USED_FILE) ? "the plan's token was used already"
							      : "the report filesystem has no such plan");
	if (armed.refusal.code) {
		note_refusal(folder);
		return refuse(e);
	}
	rc = strike_off(folder, e);
	armed.has_token = rc == 0;
	return rc;
}

int armed_may_sweep(struct err *e)
{
	if (armed.refusal.code)
		return refuse(e);
	if (armed.needs_token && !armed.has_token)
		return err_set_word(e, EPERM, REFUSED,
				    "refused, nothing is swept: the plan's token could not be struck off on the report filesystem");
	return 0;
}

static int unset_on(const char *folder, const char *path, struct err *e)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", folder, path);
	return grubenv_unset_in_file(full, "next_entry", e);
}

static int unset_on_device(struct walk *host, const char *spec, const char *path,
			   const struct mounted *report, struct err *e)
{
	struct node *n = hostwalk_find(host, spec, true, e);
	struct mounted m;
	struct err why;
	int rc;

	if (!n)
		return -e->code;
	if (report && strcmp(n->device, report->device) == 0)
		return unset_on(report->folder, path, e);
	rc = hostwalk_keep_writable(n, e);
	if (rc == 0)
		rc = mounts_mount(&m, n->device, BOOT_MOUNT_POINT, false, e);
	if (rc < 0)
		return rc;
	rc = unset_on(m.folder, path, e);
	if (mounts_unmount(&m, &why) < 0 && rc >= 0) {
		*e = why;
		rc = -why.code;
	}
	return rc;
}

void armed_clear_grub(struct walk *host, const struct mounted *report)
{
	char spec[sizeof(armed.plan.grubenv)], *path;
	struct err e;
	int rc;

	snprintf(spec, sizeof(spec), "%s", armed.plan.grubenv);
	path = strchr(spec, ':');
	if (!armed.needs_token || !path)
		return;
	*path++ = 0;
	if (!is_plain_path(path))
		return;
	rc = unset_on_device(host, spec, path, report, &e);
	if (rc < 0)
		log_line("GRUB's next_entry: %s", e.text);
	else if (rc > 0)
		log_line("GRUB's next_entry was still set, and is taken back");
}

const char *armed_next(void)
{
	return armed.needs_token ? armed.plan.next : "";
}
