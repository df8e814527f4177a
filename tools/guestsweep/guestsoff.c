/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt is asked where it answers. Its daemon ends by itself when nobody has needed it for two minutes and no guest is on, and
 * can't be started any more while the host goes down: then libvirt's own folders tell.
 */
#include "guestsoff.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "guests.h"
#include "host.h"
#include "settings_value.h"

#define ON_FOLDER "/run/libvirt/qemu"            /* NAME.xml: that guest is on */
#define SAVED_FOLDER "/var/lib/libvirt/qemu/save" /* NAME.save: it is saved */
#define ASK_TIMEOUT_S 30

/* The files of a folder with that suffix, without it; none where there is no such folder. */
static int list_files(const char *folder, const char *suffix, struct words *names, struct err *e)
{
	char path[PATH_MAX], *name;
	cleanup_dir DIR *dir = opendir(host_path(path, "%s", folder));
	size_t tail = strlen(suffix);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_set(e, errno, "open %s: %s", folder, strerror(errno));
	while (rc == 0 && (errno = 0, entry = readdir(dir))) {
		size_t n = strlen(entry->d_name);

		if (n <= tail || strcmp(entry->d_name + n - tail, suffix) != 0)
			continue;
		entry->d_name[n - tail] = 0;
		rc = value_copy(entry->d_name, &name, e);
		if (rc == 0)
			rc = words_add(names, name, e);
	}
	if (rc == 0 && errno)
		rc = err_set(e, errno, "read %s: %s", folder, strerror(errno));
	return rc;
}

/* true where libvirt's daemons have ended in order, or were never needed: each is "inactive" and nothing else. */
static bool is_asleep(void)
{
	const char *argv[] = { "systemctl", "is-active", "libvirtd.service", "virtqemud.service", NULL };
	cleanup_free char *text = NULL;
	struct err e;

	return host_has(SAVED_FOLDER) && host_run(argv, ASK_TIMEOUT_S, &text, &e) >= 0 && text &&
	       strcmp(text, "inactive\ninactive\n") == 0;
}

static int list_all(struct words *on, struct words *saved, struct err *e)
{
	int rc = guests_have_libvirt() ? guests_list(NULL, on, e) : -ENOENT;

	if (rc == 0)
		rc = guests_list("--with-managed-save", saved, e);
	if (rc == 0)
		return 0;
	words_clear(on);
	if (guests_have_libvirt() && !is_asleep())
		return err_wrap(e, "libvirt does not answer");
	rc = list_files(ON_FOLDER, ".xml", on, e);
	return rc < 0 ? rc : list_files(SAVED_FOLDER, ".save", saved, e);
}

static void name_guest(char *text, size_t size, const char *name, const char *is)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%sguest %.100s is %s", used ? ", " : "", name, is);
}

int guestsoff_check(const struct settings *s, struct err *e)
{
	struct words on = { 0 }, saved = { 0 };
	char text[ERR_TEXT_MAX / 2] = "";
	size_t i;
	int rc = list_all(&on, &saved, e);

	for (i = 0; rc == 0 && i < on.n; i++)
		name_guest(text, sizeof(text), on.item[i], "on");
	for (i = 0; rc == 0 && i < saved.n; i++) {
		const struct guest *g = settings_guest(s, saved.item[i]);

		if (!g || !g->is_saved)
			name_guest(text, sizeof(text), saved.item[i], "saved with its memory");
	}
	words_clear(&on);
	words_clear(&saved);
	if (rc < 0)
		e->code = EBUSY;
	else if (text[0])
		err_set(e, EBUSY, "%s", text);
	return rc < 0 || text[0] ? -EBUSY : 0;
}
