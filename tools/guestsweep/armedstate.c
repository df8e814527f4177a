/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "armedstate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "host.h"
#include "log.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

struct secret *host_key(struct err *e)
{
	char path[PATH_MAX];
	struct secret *key = secret_from_file(host_path(path, HOST_KEY_PATH), 0, PLAN_KEY_SIZE, e);

	if (!key)
		err_wrap(e, "guestsweep is not installed on this host");
	return key;
}

static int write_state(const char *name, const char *text, struct err *e)
{
	char path[PATH_MAX];

	return file_write_atomic(host_path(path, "%s", name), text, strlen(text), e);
}

int armed_remember(const char *text, struct err *e)
{
	char path[PATH_MAX], boot[64];
	int rc = file_mkdirs(host_path(path, STATE_FOLDER), e);

	if (rc == 0)
		rc = write_state(ARMED_BOOT_PATH, host_text(BOOT_ID, boot, sizeof(boot)), e);
	return rc < 0 ? rc : write_state(ARMED_PATH, text, e);
}

void armed_forget(void)
{
	char path[PATH_MAX];

	unlink(host_path(path, ARMED_PATH));
	unlink(host_path(path, ARMED_BOOT_PATH));
}

int armed_note_disarmed(const char *why, struct err *e)
{
	return write_state(DISARMED_PATH, why, e);
}

char *armed_why_disarmed(char *why, size_t size)
{
	char text[ERR_TEXT_MAX];

	return escape_text(why, size, host_text(DISARMED_PATH, text, sizeof(text)));
}

void armed_forget_disarmed(void)
{
	char path[PATH_MAX];

	unlink(host_path(path, DISARMED_PATH));
}

static bool is_same_boot(void)
{
	char then[64], now[64];

	return strcmp(host_text(ARMED_BOOT_PATH, then, sizeof(then)),
		      host_text(BOOT_ID, now, sizeof(now))) == 0;
}

static bool has_same(const struct reports *r, const char *name, const char *text)
{
	cleanup_free char *there = NULL;
	char path[PATH_MAX];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", r->folder, name);
	return file_read(path, PLAN_MAX, &there, NULL, &e) == 0 && strcmp(there, text) == 0;
}

static void read_refusal(const struct reports *r, struct armed_state *a)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", r->folder, PLAN_REFUSED_FILE);
	if (file_read(path, PLAN_MAX, &text, NULL, &e) < 0)
		return;
	text[strcspn(text, "\n")] = 0;
	escape_text(a->refused, sizeof(a->refused), text);
}

int armed_look(const struct reports *r, struct armed_state *a, struct err *e)
{
	cleanup_free char *text = NULL;
	cleanup_secret struct secret *key = NULL;
	uint8_t public_key[PLAN_KEY_SIZE];
	char path[PATH_MAX];
	size_t size;
	int rc;

	memset(a, 0, sizeof(*a));
	read_refusal(r, a);
	if (!host_has(ARMED_PATH))
		return 0;
	key = host_key(e);
	if (!key)
		return -e->code;
	plan_public_key(key, public_key);
	rc = file_read(host_path(path, ARMED_PATH), PLAN_MAX, &text, &size, e);
	if (rc == 0)
		rc = plan_verify(text, size, public_key, &a->plan, e);
	if (rc < 0)
		return err_wrap(e, "%s", ARMED_PATH);
	if (has_same(r, PLAN_USED_FILE, text))
		a->is = ARMED_USED;
	else if (!has_same(r, PLAN_FILE, text))
		a->is = ARMED_LOST;
	else
		a->is = is_same_boot() ? ARMED_WAITING : ARMED_MISSED;
	return 0;
}
