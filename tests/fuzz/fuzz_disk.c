/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link: -Wl,--wrap=dm_make -Wl,--wrap=dm_drop -Wl,--wrap=lvmcmd_report -Wl,--wrap=blockdev_read -Wl,--wrap=look_fields */
/* Any disk of a guest, through the whole walk: what is on it, and on its partitions, and on theirs,
 * as far as the report. No kernel maps a partition here: its bytes become a disk of their own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blockdev.h"
#include "channel.h"
#include "cleanup.h"
#include "content.h"
#include "dm.h"
#include "fieldslook.h"
#include "lvmcmd.h"
#include "memdisk.h"
#include "nodejson.h"
#include "registry.h"
#include "reporttext.h"
#include "seals.h"
#include "settings_parse.h"
#include "walk.h"

#define MAX_MAPPED 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_dm_make(const char *name, const struct dm_line *line, bool read_only, struct err *e);
int __wrap_dm_drop(const char *name, struct err *e);
int __wrap_lvmcmd_report(const struct walk_env *env, unsigned id, const char *const *devices, size_t n,
			 json_object **root, json_object **report, struct err *e);

int __real_blockdev_read(const char *path, uint64_t offset, void *buf, size_t size, struct err *e);
int __wrap_blockdev_read(const char *path, uint64_t offset, void *buf, size_t size, struct err *e);

static struct {
	char name[DM_NAME_SIZE];
	int fd;
} mapped[MAX_MAPPED];
static size_t n_mapped;

/* Copies what is not a hole of n bytes at offset. */
static void copy(int from, off_t offset, off_t n, int to)
{
	static char chunk[65536];
	off_t end = offset + n, at = offset;

	while (at < end && (at = lseek(from, at, SEEK_DATA)) >= 0 && at < end) {
		size_t want = end - at < (off_t)sizeof(chunk) ? (size_t)(end - at) : sizeof(chunk);

		if (pread(from, chunk, want, at) != (ssize_t)want ||
		    pwrite(to, chunk, want, at - offset) != (ssize_t)want)
			abort();
		at += (off_t)want;
	}
}

int __wrap_dm_make(const char *name, const struct dm_line *line, bool read_only, struct err *e)
{
	unsigned long long start;
	char device[64];
	int from, to;

	(void)read_only;
	if (strcmp(line->target, "linear") != 0 || sscanf(line->params, "%63s %llu", device, &start) != 2 ||
	    sscanf(device, "/proc/self/fd/%d", &from) != 1)
		abort();
	if (line->sectors == 0 || (uint64_t)lseek(from, 0, SEEK_END) < (start + line->sectors) * 512)
		abort();
	if (n_mapped == MAX_MAPPED)
		return err_set(e, ENOSPC, "no more mappings here");
	to = memfd_create(name, MFD_CLOEXEC);
	if (to < 0 || ftruncate(to, (off_t)(line->sectors * 512)) < 0)
		abort();
	copy(from, (off_t)(start * 512), (off_t)(line->sectors * 512), to);
	snprintf(mapped[n_mapped].name, DM_NAME_SIZE, "%s", name);
	mapped[n_mapped++].fd = to;
	return 0;
}

/* Newest first, as the walk has to close. */
int __wrap_dm_drop(const char *name, struct err *e)
{
	(void)e;
	if (n_mapped == 0 || strcmp(mapped[n_mapped - 1].name, name) != 0)
		abort();
	close(mapped[--n_mapped].fd);
	return 0;
}

int __wrap_lvmcmd_report(const struct walk_env *env, unsigned id, const char *const *devices, size_t n,
			 json_object **root, json_object **report, struct err *e)
{
	(void)env;
	(void)id;
	(void)devices;
	(void)n;
	(void)root;
	(void)report;
	return err_set_word(e, EIO, "tool-failed", "no lvm here");
}

/* A hole need not be read to be known: most of a disk here is one. */
int __wrap_blockdev_read(const char *path, uint64_t offset, void *buf, size_t size, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t end = lseek(fd, 0, SEEK_END), data = lseek(fd, (off_t)offset, SEEK_DATA);

	if (offset + size > (uint64_t)end || (data >= 0 && (uint64_t)data < offset + size))
		return __real_blockdev_read(path, offset, buf, size, e);
	memset(buf, 0, size);
	return 0;
}

/* The node of a mapping is the file that stands for it. */
static int read_content(struct node *n, struct err *e)
{
	size_t prefix = strlen(DM_DIR_PREFIX), i;

	for (i = 0; strncmp(n->device, DM_DIR_PREFIX, prefix) == 0 && i < n_mapped; i++)
		if (strcmp(n->device + prefix, mapped[i].name) == 0)
			snprintf(n->device, sizeof(n->device), "/proc/self/fd/%d", mapped[i].fd);
	return content_read(n, e);
}

static void publish_one(const struct node *n)
{
	json_object *o = node_to_json(n);
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	char line[1024];

	/* with {"nodes": [ ]} around it, it must fit into a message */
	if (strlen(text) + 16 > CHANNEL_MESSAGE_MAX)
		abort();
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			abort();
	reporttext_node_line(line, sizeof(line), o);
	json_object_put(o);
}

static void publish(struct node *const *nodes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		publish_one(nodes[i]);
}

static bool never(void)
{
	return false;
}

static unsigned hour(void)
{
	return 3600;
}

/* What is named beside the disk needs a kernel. */
static int refuse(const char *const *names, size_t n, uint64_t amount, struct err *e)
{
	(void)names;
	(void)n;
	(void)amount;
	return err_set(e, EEXIST, "not here");
}

static void forget(const char *const *names, size_t n, uint64_t amount)
{
	(void)names;
	(void)n;
	(void)amount;
}

static int find_none(const char *spec, char *device, size_t size, struct err *e)
{
	(void)device;
	(void)size;
	return err_set(e, ENODEV, "%s is not here", spec);
}

static void sweep(struct walk *w, const char *path)
{
	struct err e = { 0 };
	struct node *disk = walk_add(w, KIND_LV, NULL, NULL, "vg/lv", &e);

	if (!disk)
		abort();
	snprintf(disk->name, sizeof(disk->name), "vg/lv");
	snprintf(disk->device, sizeof(disk->device), "%s", path);
	disk->bytes = MEMDISK_BYTES;
	disk->volume = true;
	if (walk_open(w, true, &e) < 0)
		abort();
	walk_check(w);
	walk_enter(w);
	if (walk_close(w, true) || n_mapped)
		abort();
	walk_settle(w);
	walk_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct crypttab no_keys;
	static struct settings settings;
	unsigned next_id = 0;
	struct walk_env env = {
		.settings = &settings, .crypttab = &no_keys, .mode = MODE_LIST, .guest = "g",
		.last_try = true, .log_dir = "/nonexistent", .work_dir = "/nonexistent", .undo_dir = "",
		.next_id = &next_id, .cancelled = never, .seconds_left = hour, .acquire = refuse,
		.release = forget, .publish = publish, .read_content = read_content,
		.find_device = find_none, .registry = layer_registry,
	};
	struct walk w;
	struct err e;
	char path[64];

	if (!settings.images.n && settings_defaults(&settings, &e) < 0)
		abort();
	seal_disk(memdisk_fill(data, size, path));
	walk_init(&w, &env);
	sweep(&w, path);
	return 0;
}
