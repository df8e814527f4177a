/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "diskplace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "host.h"
#include "settings_value.h"

/* The logical volume that a device file is, by any of its names. */
static const char *volume_of(const char *device, const struct words *volumes)
{
	char path[PATH_MAX], real[PATH_MAX], other[PATH_MAX];
	struct err e;
	size_t i;

	if (!realpath(host_path(path, "%s", device), real))
		return NULL;
	for (i = 0; i < volumes->n; i++)
		if (host_device(volumes->item[i], other, &e) == 0 && strcmp(other, real) == 0)
			return volumes->item[i];
	return NULL;
}

/* The one device that an open LUKS volume lies on; false where real (with the host's root) is none. */
static bool below_luks(const char *real, char *below)
{
	const char *name = strrchr(real, '/') + 1;
	char path[PATH_MAX], uuid[64];
	cleanup_dir DIR *slaves = NULL;
	struct dirent *entry;
	unsigned n = 0;

	snprintf(path, sizeof(path), "/sys/block/%.100s/dm/uuid", name);
	if (strncmp(host_text(path, uuid, sizeof(uuid)), "CRYPT-LUKS", 10) != 0)
		return false;
	slaves = opendir(host_path(path, "/sys/block/%.100s/slaves", name));
	while (slaves && (entry = readdir(slaves)))
		if (entry->d_name[0] != '.' && ++n == 1)
			snprintf(below, PATH_MAX, "/dev/%.200s", entry->d_name);
	return n == 1;
}

static int place_block(const char *device, const struct words *volumes, char *line, size_t size,
		       struct err *e)
{
	const char *volume = volume_of(device, volumes);
	char path[PATH_MAX], real[PATH_MAX], below[PATH_MAX];

	if (volume) {
		snprintf(line, size, "%s", volume);
		return 0;
	}
	if (!realpath(host_path(path, "%s", device), real))
		return err_set(e, ENOENT, "%s is not there", device);
	/* a guest's disk is what is in the volume; the image finds that by the volume */
	if (below_luks(real, below))
		return place_block(below, volumes, line, size, e);
	if (strncmp(real + strlen(host_root()), "/dev/dm-", 8) == 0)
		return err_set(e, ENOENT, "%s is a mapping of the host's, not a volume; name what it lies on, with its key in "
			       "crypttab where it is encrypted", device);
	snprintf(line, size, "%s", real + strlen(host_root()));
	return 0;
}

/* An image file: the volume its filesystem lies on, and its path there. */
static int place_file(const struct domain_disk *disk, const struct words *volumes, char *line,
		      size_t size, struct err *e)
{
	char path[PATH_MAX], real[PATH_MAX], below[PATH_MAX], volume[600];
	struct mount_point m;
	const char *file;
	int rc;

	if (!realpath(host_path(path, "%s", disk->source), real))
		return err_set(e, ENOENT, "%s is not there", disk->source);
	file = real + strlen(host_root());
	rc = host_mount_of(file, &m, e);
	if (rc < 0)
		return rc;
	if (strncmp(m.source, "/dev/", 5) != 0)
		return err_set(e, ENOENT, "%s lies on %s, which is no disk of this host", file, m.type);
	snprintf(below, sizeof(below), "%s%s", strcmp(m.root, "/") == 0 ? "" : m.root,
		 strcmp(m.folder, "/") == 0 ? file : file + strlen(m.folder));
	rc = place_block(m.source, volumes, volume, sizeof(volume), e);
	if (rc == 0)
		snprintf(line, size, "%s:%s %s", volume, below, disk->format[0] ? disk->format : "raw");
	return rc < 0 ? err_wrap(e, "%s", file) : 0;
}

int diskplace(const struct domain_disk *disk, const struct words *volumes, char *line, size_t size,
	      struct err *e)
{
	if (strcmp(disk->type, "block") == 0)
		return place_block(disk->source, volumes, line, size, e);
	if (strcmp(disk->type, "file") == 0)
		return place_file(disk, volumes, line, size, e);
	return err_set(e, ENOENT, "a disk of type %s is not on this host's disks", SHOWN(disk->type));
}
