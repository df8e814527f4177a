/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "cleanup.h"
#include "dm.h"
#include "log.h"
#include "loopdev.h"

#define CHUNK_SECTORS 8        /* 4 KiB, the block size of most filesystems */
#define STORE_SHARE 2          /* of the room in RAM that one store, or a set of them, may fill */
#define DROP_TRIES 50
#define DROP_PAUSE_US 100000

/* The store holds changed chunks only; it is sparse, and bounded. */
static int make_store(struct snapshot *s, uint64_t bytes, unsigned of, const char *work_dir,
		      struct err *e)
{
	struct statvfs room;
	cleanup_fd int fd = -1;
	uint64_t limit;

	if (statvfs(work_dir, &room) < 0)
		return err_set(e, errno, "%s: %s", work_dir, strerror(errno));
	limit = (uint64_t)room.f_bavail * room.f_frsize / STORE_SHARE / of;
	if (bytes + bytes / 128 < limit)
		limit = bytes + bytes / 128;
	fd = open(s->store, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)(limit & ~4095ULL)) < 0)
		return err_set(e, errno, "%s: %s", s->store, strerror(errno));
	return 0;
}

/* As one of a set of so many that share the room in RAM. */
static int make_named(struct snapshot *s, const char *origin, uint64_t bytes, const char *name,
		      unsigned of, const char *work_dir, struct err *e)
{
	char params[256];
	struct dm_line line = { .sectors = bytes / 512, .target = "snapshot", .params = params };
	struct err ignored;
	int rc;

	memset(s, 0, sizeof(*s));
	snprintf(s->store, sizeof(s->store), "%s/store-%s", work_dir, name);
	rc = make_store(s, bytes, of, work_dir, e);
	if (rc == 0)
		rc = loopdev_attach(s->store, 0, s->loop, e);
	if (rc == 0) {
		snprintf(s->name, sizeof(s->name), "%s", name);
		snprintf(s->device, sizeof(s->device), DM_DIR_PREFIX "%s", s->name);
		snprintf(params, sizeof(params), "%s %s N %d", origin, s->loop, CHUNK_SECTORS);
		rc = dm_make(s->name, &line, false, e);
		if (rc < 0)
			s->name[0] = 0;
	}
	if (rc < 0 && snapshot_drop(s, &ignored) < 0)
		err_wrap(e, "%s", ignored.text);
	return rc;
}

int snapshot_make(struct snapshot *s, const char *origin, uint64_t bytes, unsigned id,
		  const char *work_dir, struct err *e)
{
	char name[DM_NAME_SIZE];

	snprintf(name, sizeof(name), "gs-%u-trial", id);
	return make_named(s, origin, bytes, name, 1, work_dir, e);
}

int snapshot_pass_through(struct snapshot *s, const char *origin, uint64_t bytes, struct err *e)
{
	char params[128];
	const struct dm_line line = { .sectors = bytes / 512, .target = "linear", .params = params };

	snprintf(params, sizeof(params), "%s 0", origin);
	return dm_replace(s->name, &line, e);
}

/* Words of drivers/md/dm-snap.c, snapshot_status(). */
bool snapshot_is_full(const struct snapshot *s)
{
	char status[128];
	struct err e;

	return s->name[0] && dm_status(s->name, status, sizeof(status), &e) == 0 &&
	       (strcmp(status, "Invalid") == 0 || strcmp(status, "Overflow") == 0);
}

/* "ALLOCATED/TOTAL METADATA", in sectors. */
uint64_t snapshot_written(const struct snapshot *s)
{
	unsigned long long sectors;
	char status[128];
	struct err e;

	if (dm_status(s->name, status, sizeof(status), &e) < 0 || sscanf(status, "%llu/", &sectors) != 1)
		return 0;
	return sectors * 512;
}

int snapshot_drop(struct snapshot *s, struct err *e)
{
	int rc = 0, i;

	for (i = 0; i < DROP_TRIES; i++) {
		rc = s->name[0] ? dm_drop(s->name, e) : 0;
		if (rc == 0) {
			s->name[0] = 0;
			rc = s->loop[0] ? loopdev_detach(s->loop, e) : 0;
		}
		if (rc == 0)
			break;
		usleep(DROP_PAUSE_US);
	}
	unlink(s->store);
	return rc;
}

int snapshot_make_set(struct snapshot **set, const char *const *origins, const uint64_t *bytes,
		      size_t n, const char *prefix, const char *work_dir, struct err *e)
{
	char name[DM_NAME_SIZE];
	struct err ignored;
	size_t i;
	int rc = 0;

	*set = calloc(n, sizeof(**set));
	if (!*set)
		return err_set(e, ENOMEM, "no memory for throw-away copies");
	for (i = 0; rc == 0 && i < n; i++) {
		snprintf(name, sizeof(name), "%s%zu", prefix, i);
		rc = make_named(&(*set)[i], origins[i], bytes[i], name, (unsigned)n, work_dir, e);
	}
	if (rc < 0 && snapshot_drop_set(set, n, &ignored) < 0)
		log_line("%s", ignored.text);
	return rc < 0 ? err_wrap(e, "a throw-away copy to look at it first") : 0;
}

int snapshot_drop_set(struct snapshot **set, size_t n, struct err *e)
{
	size_t i;

	for (i = 0; *set && i < n; i++)
		if (((*set)[i].name[0] || (*set)[i].loop[0]) && snapshot_drop(&(*set)[i], e) < 0)
			return -e->code;
	free(*set);
	*set = NULL;
	return 0;
}
