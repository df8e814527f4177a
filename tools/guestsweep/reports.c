/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "reports.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <json-c/linkhash.h>
#include <json-c/json_tokener.h>

#include "cleanup.h"
#include "command.h"
#include "file.h"
#include "host.h"
#include "jsonget.h"
#include "log.h"

#define OWN_MOUNT "/run/guestsweep/report"
#define REPORT_MAX (64u << 20) /* bytes of report.json */
#define DEPTH_MAX 64           /* of its JSON */
#define TREE_DEPTH 8
#define MOUNT_TIMEOUT_S 60
#define MOUNT_TRIES 50 /* for 5 s */

int host_settings(struct settings *s, struct err *e)
{
	char folder[PATH_MAX];

	return settings_load(s, host_path(folder, "%s", CONFIG_FOLDER_PATH), "", e);
}

/* Another of our commands may have it mounted for the moment, and a filesystem is writable for all or for nobody. */
static int mount_in_turn(const char *device, bool writable, const char *folder, struct err *e)
{
	const char *how[] = { writable ? "rw,nodev,nosuid,noexec" : "ro,nodev,nosuid,noexec", "rw,nodev,nosuid,noexec" };
	const struct timespec pause = { .tv_nsec = 200 * 1000 * 1000 };
	int rc, i;

	for (i = 0;; i++) {
		const char *argv[] = { "mount", "-o", how[i % 2], device, folder, NULL };

		rc = host_run(argv, MOUNT_TIMEOUT_S, NULL, e);
		if (rc == 0 || i == MOUNT_TRIES)
			break;
		if (i % 2)
			nanosleep(&pause, NULL);
	}
	if (rc == 0 && !writable &&
	    mount(NULL, folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC, NULL) < 0)
		return err_set(e, errno, "make %s read-only: %s", folder, strerror(errno));
	return rc;
}

/* Nobody else sees this mount, and it goes with this process. */
static int mount_for_us(const char *device, bool writable, char *folder, struct err *e)
{
	int rc;

	host_path(folder, OWN_MOUNT);
	rc = file_mkdirs(folder, e);
	if (rc < 0)
		return rc;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(e, errno, "no mount name space of our own: %s", strerror(errno));
	rc = mount_in_turn(device, writable, folder, e);
	return rc == 0 ? 0 : err_wrap(e, "the report filesystem %s", device);
}

bool is_run_name(const char *name)
{
	return strlen(name) == 16 && strspn(name, "0123456789") == 8 && name[8] == 'T' &&
	       strspn(name + 9, "0123456789") == 6 && name[15] == 'Z';
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* A clock that was wrong gives a wrong name: the newest run is what the image has noted as the last. */
static void put_last(struct reports *r)
{
	char path[PATH_MAX], name[RUN_NAME_SIZE];
	cleanup_free char *last = NULL;
	struct err e;
	size_t i;

	snprintf(path, sizeof(path), "%s/last", r->folder);
	if (file_read(path, RUN_NAME_SIZE, &last, NULL, &e) < 0)
		return;
	last[strcspn(last, "\n")] = 0;
	for (i = 0; i < r->n && strcmp(r->run[i], last) != 0; i++)
		;
	if (i == r->n)
		return;
	snprintf(name, sizeof(name), "%.16s", last);
	memmove(r->run + i, r->run + i + 1, (r->n - i - 1) * sizeof(*r->run));
	memcpy(r->run[r->n - 1], name, sizeof(name));
}

static int list_runs(struct reports *r, struct err *e)
{
	cleanup_dir DIR *dir = opendir(r->folder);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : err_set(e, errno, "open %s: %s", r->folder, strerror(errno));
	while ((entry = readdir(dir))) {
		void *grown;

		if (!is_run_name(entry->d_name))
			continue;
		grown = realloc(r->run, (r->n + 1) * sizeof(*r->run));
		if (!grown)
			return err_set(e, ENOMEM, "no memory for the list of reports");
		r->run = grown;
		snprintf(r->run[r->n++], RUN_NAME_SIZE, "%.16s", entry->d_name);
	}
	if (r->n)
		qsort(r->run, r->n, sizeof(*r->run), by_name);
	put_last(r);
	return 0;
}

static int find_folder(struct reports *r, const struct settings *s, bool writable, struct err *e)
{
	struct mount_point m;
	char at[PATH_MAX];
	int rc = host_device(s->report_device, r->device, e);

	if (rc < 0)
		return err_wrap(e, "the report filesystem");
	if (host_mount_of_device(r->device, &m, e) == 0) {
		if (writable && m.read_only)
			return err_set(e, EROFS, "the report filesystem is mounted read-only at %s", m.folder);
		host_path(at, "%s", strcmp(m.folder, "/") == 0 ? "" : m.folder);
	} else {
		rc = mount_for_us(r->device, writable, at, e);
	}
	snprintf(r->folder, sizeof(r->folder), "%s%s", at,
		 strcmp(s->report_folder, "/") == 0 ? "" : s->report_folder);
	return rc;
}

int reports_open(struct reports *r, bool writable, struct err *e)
{
	struct settings s;
	int rc = host_settings(&s, e);

	memset(r, 0, sizeof(*r));
	if (rc < 0)
		return rc;
	rc = find_folder(r, &s, writable, e);
	settings_free(&s);
	if (rc == 0 && writable)
		rc = file_mkdirs(r->folder, e);
	return rc < 0 ? rc : list_runs(r, e);
}

void reports_close(struct reports *r)
{
	free(r->run);
	memset(r, 0, sizeof(*r));
}

/* Whoever can write to the report filesystem must not write to the admin's terminal. */
static void make_harmless(json_object *o)
{
	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, value) {
			(void)key;
			make_harmless(value);
		}
	} else if (json_object_is_type(o, json_type_array)) {
		size_t i;

		for (i = 0; i < json_object_array_length(o); i++)
			make_harmless(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_string)) {
		size_t size = 4 * (size_t)json_object_get_string_len(o) + 1;
		cleanup_free char *text = malloc(size);

		json_object_set_string(o, text ? escape_text(text, size, json_object_get_string(o)) : "");
	}
}

json_object *reports_load(const struct reports *r, const char *run, struct err *e)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	struct json_tokener *parser;
	json_object *report;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s/report.json", r->folder, run);
	if (file_read(path, REPORT_MAX, &text, &size, e) < 0)
		return NULL;
	parser = json_tokener_new_ex(DEPTH_MAX);
	report = parser ? json_tokener_parse_ex(parser, text, (int)size) : NULL;
	if (parser)
		json_tokener_free(parser);
	if (!json_object_is_type(report, json_type_object) || json_number(report, "schema") != 1) {
		json_object_put(report);
		err_set(e, EINVAL, "%s is no report of this version", path);
		return NULL;
	}
	make_harmless(report);
	return report;
}

const char *reports_newest(const struct reports *r)
{
	return r->n ? r->run[r->n - 1] : NULL;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(path);
}

int reports_thin(struct reports *r, size_t keep, struct err *e)
{
	size_t n = r->n > keep ? r->n - keep : 0, i;
	char path[PATH_MAX];

	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", r->folder, r->run[i]);
		if (nftw(path, remove_one, TREE_DEPTH, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
			return err_set(e, errno, "remove %s: %s", path, strerror(errno));
	}
	if (n)
		memmove(r->run, r->run + n, (r->n - n) * sizeof(*r->run));
	r->n -= n;
	return (int)n;
}

int verdict_status(const char *verdict)
{
	if (strcmp(verdict, "clean") == 0 || strcmp(verdict, "repaired") == 0)
		return DONE;
	if (strcmp(verdict, "attention") == 0)
		return VERDICT_STATUS_ATTENTION;
	return strcmp(verdict, "uncorrected") == 0 ? VERDICT_STATUS_UNCORRECTED : VERDICT_STATUS_FAILED;
}
