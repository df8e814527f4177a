/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "guests.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "host.h"
#include "log.h"
#include "settings_value.h"

#define URI "qemu:///system"
#define VIRSH_TIMEOUT_S 60
#define SHUTDOWN_LIMIT_S 300 /* seconds for one guest */
#define LIST_MAX (1u << 20)

bool guests_have_libvirt(void)
{
	char path[PATH_MAX];
	struct err e;

	return host_program("virsh", path, &e) == 0;
}

/* A name a line, empty lines left out. Returns 0 or -ENOMEM. */
static int split(char *text, struct words *names, struct err *e)
{
	char *line, *copy;
	int rc = 0;

	while (rc == 0 && (line = strsep(&text, "\n"))) {
		if (!line[0])
			continue;
		rc = value_copy(line, &copy, e);
		if (rc == 0)
			rc = words_add(names, copy, e);
	}
	if (rc < 0)
		words_clear(names);
	return rc;
}

static int virsh(const char *const words[], char **out, struct err *e)
{
	const char *argv[8] = { "virsh", "--connect", URI };
	size_t i;
	int rc;

	for (i = 0; words[i] && i + 4 < ARRAY_SIZE(argv); i++)
		argv[i + 3] = words[i];
	rc = host_run(argv, VIRSH_TIMEOUT_S, out, e);
	return rc > 0 ? -EIO : rc;
}

int guests_list(const char *option, struct words *names, struct err *e)
{
	const char *words[] = { "list", "--name", option, NULL };
	cleanup_free char *out = NULL;
	int rc;

	memset(names, 0, sizeof(*names));
	if (!guests_have_libvirt())
		return 0;
	if (option && strcmp(option, "--with-managed-save") == 0)
		rc = virsh((const char *[]){ "list", "--name", "--all", option, NULL }, &out, e);
	else
		rc = virsh(words, &out, e);
	return rc < 0 ? rc : split(out, names, e);
}

int guests_xml(const char *name, char **xml, struct err *e)
{
	return virsh((const char *[]){ "dumpxml", "--inactive", "--", name, NULL }, xml, e);
}

enum guest_state { GUEST_UNKNOWN, GUEST_ON, GUEST_OFF };

static enum guest_state state_of(const char *name)
{
	cleanup_free char *state = NULL;
	struct err e;

	if (virsh((const char *[]){ "domstate", "--", name, NULL }, &state, &e) < 0)
		return GUEST_UNKNOWN;
	return strncmp(state, "shut off", 8) == 0 ? GUEST_OFF : GUEST_ON;
}

static int note_name(const char *name, struct err *e)
{
	char path[PATH_MAX], line[300];
	int rc = file_mkdirs(host_path(path, STATE_FOLDER), e);

	snprintf(line, sizeof(line), "%.290s\n", name);
	if (rc == 0)
		rc = file_append(host_path(path, GUESTS_PATH), line, strlen(line), e);
	return rc;
}

static int shut_down(const char *name, struct err *e)
{
	const struct timespec pause = { .tv_sec = 1 };
	int rc = note_name(name, e), waited;

	if (rc == 0)
		rc = virsh((const char *[]){ "shutdown", "--", name, NULL }, NULL, e);
	if (rc < 0)
		return rc;
	log_line("guest %s: asked to shut down", name);
	for (waited = 0; waited < SHUTDOWN_LIMIT_S; waited++) {
		if (state_of(name) == GUEST_OFF)
			return 0;
		nanosleep(&pause, NULL);
	}
	return err_set(e, ETIME, "guest %s is still on %d s after it was asked to shut down", name,
		       SHUTDOWN_LIMIT_S);
}

int guests_shut_down(const struct settings *s, struct err *e)
{
	struct words on;
	size_t i;
	int rc = guests_list(NULL, &on, e);

	for (i = 0; rc == 0 && i < s->n_guests; i++)
		if (words_have(&on, s->guests[i].name))
			rc = shut_down(s->guests[i].name, e);
	for (i = 0; rc == 0 && i < on.n; i++)
		if (!settings_guest(s, on.item[i]))
			rc = shut_down(on.item[i], e);
	words_clear(&on);
	return rc;
}

static bool start(const char *name)
{
	struct err e;

	if (state_of(name) == GUEST_ON)
		return true;
	if (virsh((const char *[]){ "start", "--", name, NULL }, NULL, &e) == 0) {
		log_line("guest %s: started again", name);
		return true;
	}
	log_line("guest %s could not be started: %s", name, e.text);
	return false;
}

int guests_start_again(void)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	struct words names = { 0 }, left = { 0 };
	struct err e;
	size_t i;
	int n;

	if (file_read(host_path(path, GUESTS_PATH), LIST_MAX, &text, NULL, &e) < 0 ||
	    split(text, &names, &e) < 0)
		return 0;
	unlink(path);
	for (i = names.n; i-- > 0;) {
		char *name = NULL;

		if (!start(names.item[i]) && (value_copy(names.item[i], &name, &e) < 0 ||
					      words_add(&left, name, &e) < 0))
			break;
	}
	for (i = left.n; i-- > 0;)
		if (note_name(left.item[i], &e) < 0)
			log_line("%s", e.text);
	n = (int)left.n;
	words_clear(&names);
	words_clear(&left);
	return n;
}
