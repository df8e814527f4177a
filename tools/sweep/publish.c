/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <json-c/json_util.h>

#include "armed.h"
#include "checkrun.h"
#include "cleanup.h"
#include "file.h"
#include "hostwalk.h"
#include "looks.h"
#include "mounts.h"
#include "nodejson.h"
#include "reporttext.h"
#include "log.h"
#include "spawn.h"

#define MOUNT_POINT "/run/guestsweep/report"
#define LOG_FILE_MAX (8u << 20)
#define CHECK_LEAST_S 30 /* for the report's filesystem, whatever is left of the deadline: without it nobody learns what has been */
#define FSCK_STOPS 4 /* e2fsck(8) EXIT CODE: from here on the filesystem is not to be mounted */

static void run_name(int64_t seconds, char *name, size_t size)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(name, size, "%Y%m%dT%H%M%SZ", &tm))
		snprintf(name, size, "19700101T000000Z");
}

/* A name not yet taken; the clock may stand still, or at the same wrong date. */
static int make_run(struct place *p, int64_t started, struct err *e)
{
	char path[640];
	int i;

	for (i = 0; i < INT_MAX; i++) {
		run_name(started + i, p->run, sizeof(p->run));
		snprintf(path, sizeof(path), "%s/%s", p->folder, p->run);
		snprintf(p->work, sizeof(p->work), "%.512s/.%.31s.new", p->folder, p->run);
		if (access(path, F_OK) == 0)
			continue;
		if (mkdir(p->work, 0755) == 0)
			break;
		if (errno != EEXIST)
			return err_set(e, errno, "make folder %s: %s", p->work, strerror(errno));
	}
	snprintf(p->undo, sizeof(p->undo), "%s/undo", p->work);
	snprintf(path, sizeof(path), "%s/log", p->work);
	if (mkdir(p->undo, 0755) < 0 || mkdir(path, 0755) < 0)
		return err_set(e, errno, "make folder %s: %s", path, strerror(errno));
	return 0;
}

static unsigned least(void)
{
	return CHECK_LEAST_S;
}

static int check_filesystem(struct place *p, struct walk *host, struct node *n, struct err *e)
{
	const char *argv[] = { "/usr/sbin/e2fsck", "-f", "-p", n->device, NULL };
	struct node report = { .bytes = n->bytes };
	struct walk_env env = *host->env;
	struct checkrun c = { .env = &env, .node = &report, .tool = "e2fsck",
			      .package = "e2fsprogs", .device = n->device,
			      .profile = &sandbox_e2fsck, .writes = true };
	struct spawn_result r;
	struct extsuper super;
	char how[300];
	int rc;

	p->about = json_object_new_object();
	json_object_object_add(p->about, "stack", json_object_new_string(n->stack));
	json_object_object_add(p->about, "type", json_object_new_string(n->content.type));
	if (strncmp(n->content.type, "ext", 3) != 0)
		return 0;
	rc = look_ext(n->device, &super, e);
	if (env.seconds_left() < CHECK_LEAST_S) {
		env.seconds_left = least;
		env.cancelled = NULL;
	}
	if (rc == 0)
		rc = checkrun(&c, argv, &r, e);
	if (rc < 0)
		return rc;
	p->check = report.check;
	p->ext = super.facts;
	json_object_object_add(p->about, "exit", json_object_new_int(r.code));
	json_object_object_add(p->about, "log", json_object_new_string(report.check.log));
	if (r.how != SPAWN_EXITED || r.code >= FSCK_STOPS)
		return err_set(e, EUCLEAN, "%s %s (e2fsck: %s)", n->stack,
			       r.how == SPAWN_EXITED ? "is damaged" : "could not be checked",
			       spawn_describe(&r, how, sizeof(how)));
	return 0;
}

/* The filesystem the report lies on, where it holds disk images too: a host filesystem like any other. */
static int add_images(struct place *p, struct walk *host, struct node *device, struct err *e)
{
	struct node *n = walk_add(host, KIND_HOSTFS, device, device, device->content.type, e);
	size_t before = host->n_nodes;
	int rc;

	if (!n)
		return -ENOMEM;
	snprintf(n->type, sizeof(n->type), "%s", device->content.type);
	snprintf(n->name, sizeof(n->name), "%s", device->name);
	snprintf(n->uuid, sizeof(n->uuid), "%s", device->content.uuid);
	snprintf(n->label, sizeof(n->label), "%s", device->content.label);
	n->bytes = device->bytes;
	snprintf(n->folder, sizeof(n->folder), "%s", MOUNT_POINT);
	memcpy(n->mounted_at, p->mounted.last_mounted, sizeof(n->mounted_at));
	n->check = p->check;
	n->ext = p->ext;
	rc = walk_look_into(host, n, e);
	n->hidden = host->n_nodes == before; /* without images there is nothing to tell of it */
	if (p->check.tool[0])
		n->verdict = p->check.exit ? VERDICT_REPAIRED : VERDICT_CLEAN;
	else
		node_verdict(n, VERDICT_SKIPPED, "unsupported",
			     "it is not checked, since the report is written to it");
	return rc;
}

/* Kept for the aftermath. */
static void remember(const struct place *p)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "folder", json_object_new_string(p->folder));
	json_object_object_add(o, "run", json_object_new_string(p->run));
	json_object_object_add(o, "work", json_object_new_string(p->work));
	json_object_to_file(PLACE_PATH, o);
	json_object_put(o);
}

int publish_prepare(struct place *p, struct walk *host, int64_t started, struct err *e)
{
	const struct settings *s = host->env->settings;
	struct node *n = hostwalk_find(host, s->report_device, s->report_named, e);
	int rc;

	memset(p, 0, sizeof(*p));
	if (!n)
		return -e->code;
	rc = hostwalk_keep_writable(n, e);
	if (rc == 0)
		rc = check_filesystem(p, host, n, e);
	if (rc == 0)
		rc = mounts_mount(&p->mounted, n->device, MOUNT_POINT, false, e);
	if (rc < 0)
		return rc;
	snprintf(p->folder, sizeof(p->folder), "%s%s", MOUNT_POINT,
		 strcmp(s->report_folder, "/") == 0 ? "" : s->report_folder);
	rc = file_mkdirs(p->folder, e);
	if (rc == 0)
		rc = armed_take(p->folder, e);
	/* it is ours from here on, not a volume to sweep; but guests' images may lie beside the report */
	node_verdict(n, VERDICT_OK, "", "the report is written here");
	if (rc == 0 && add_images(p, host, n, e) < 0)
		log_line("%s: %s", n->stack, e->text);
	if (rc == 0)
		rc = make_run(p, started, e);
	if (rc < 0) {
		struct err ignored;

		if (mounts_unmount(&p->mounted, &ignored) < 0)
			err_wrap(e, "%s", ignored.text);
		return rc;
	}
	remember(p);
	p->ready = true;
	return 0;
}

static int copy_log(const char *name, const char *folder, struct err *e)
{
	char from[PATH_MAX], to[PATH_MAX];
	cleanup_free char *text = NULL;
	size_t size;
	int rc;

	snprintf(from, sizeof(from), "%s/%s", LOG_DIR, name);
	snprintf(to, sizeof(to), "%s/log/%s", folder, name);
	rc = file_read(from, LOG_FILE_MAX, &text, &size, e);
	return rc < 0 ? rc : file_write(to, text, size, e);
}

static int copy_logs(const struct place *p, struct err *e)
{
	cleanup_dir DIR *dir = opendir(LOG_DIR);
	struct dirent *entry;
	int rc = 0;

	while (rc == 0 && dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			rc = copy_log(entry->d_name, p->work, e);
	return rc;
}

static int write_text(const struct place *p, json_object *report, struct err *e)
{
	cleanup_free char *text = NULL;
	char path[640];
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return err_set(e, ENOMEM, "no memory for report.txt");
	reporttext_write(f, report, false);
	if (fclose(f) != 0)
		return err_set(e, ENOMEM, "no memory for report.txt");
	snprintf(path, sizeof(path), "%s/report.txt", p->work);
	return file_write(path, text, size, e);
}

static int write_json(const struct place *p, json_object *report, struct err *e)
{
	const char *text = json_object_to_json_string_ext(
		report, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	char path[640];

	if (!text)
		return err_set(e, ENOMEM, "no memory for report.json");
	snprintf(path, sizeof(path), "%s/report.json", p->work);
	return file_write(path, text, strlen(text), e);
}

/* The run gets its name once all of it is on disk, then "last" names it. */
static int complete(const struct place *p, struct err *e)
{
	char path[640], line[40];
	cleanup_fd int fd = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd) < 0)
		return err_set(e, errno, "%s: %s", p->folder, strerror(errno));
	snprintf(path, sizeof(path), "%s/%s", p->folder, p->run);
	if (rename(p->work, path) < 0)
		return err_set(e, errno, "name the report: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/last", p->folder);
	snprintf(line, sizeof(line), "%s\n", p->run);
	return file_write_atomic(path, line, strlen(line), e);
}

int publish_finish(struct place *p, json_object *report, struct err *e)
{
	struct err why;
	int rc = copy_logs(p, e);

	if (rc == 0)
		rc = write_text(p, report, e);
	if (rc == 0)
		rc = write_json(p, report, e);
	if (rc == 0)
		rc = complete(p, e);
	if (mounts_unmount(&p->mounted, &why) < 0) /* PID 1 tries again; all is on disk */
		log_line("%s", why.text);
	p->ready = false;
	return rc;
}

int publish_resume(struct place *p, struct err *e)
{
	json_object *o = json_object_from_file(PLACE_PATH);

	memset(p, 0, sizeof(*p));
	snprintf(p->mounted.folder, sizeof(p->mounted.folder), "%s", MOUNT_POINT);
	if (!o)
		return err_set(e, ENOENT, "there was no report filesystem yet");
	snprintf(p->folder, sizeof(p->folder), "%s", json_text(o, "folder"));
	snprintf(p->run, sizeof(p->run), "%s", json_text(o, "run"));
	snprintf(p->work, sizeof(p->work), "%s", json_text(o, "work"));
	p->ready = access(p->work, W_OK) == 0;
	json_object_put(o);
	return p->ready ? 0 : err_set(e, ENOENT, "the report's folder is gone");
}
