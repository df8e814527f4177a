/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How volumes, guests' disks and paths are written. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "settings_value.h"

#define DEV "/dev/"
#define MAPPER "/dev/mapper/"

bool is_plain_path(const char *path)
{
	if (strcmp(path, "/") == 0)
		return true;
	while (*path == '/') {
		size_t n = strcspn(++path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') || (n == 2 && !memcmp(path, "..", 2)))
			return false;
		path += n;
		if (!*path)
			return true;
	}
	return false;
}

/* Whether the n bytes at s may be the name of a VG or LV, see lvm(8). */
static bool is_lvm_name(const char *s, size_t n)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-";

	if (n == 0 || n > 127 || s[0] == '-' || (n == 1 && s[0] == '.') ||
	    (n == 2 && !memcmp(s, "..", 2)))
		return false;
	return strspn(s, allowed) >= n;
}

static bool is_vg_lv(const char *s)
{
	size_t vg = strcspn(s, "/");

	return s[vg] && is_lvm_name(s, vg) && is_lvm_name(s + vg + 1, strlen(s + vg + 1));
}

/* Folders in /dev that are never a VG's. */
static bool is_device_folder(const char *below_dev)
{
	static const char *const folders[] = { "block/", "cciss/", "disk/", "mapper/", "md/" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(folders); i++)
		if (strncmp(below_dev, folders[i], strlen(folders[i])) == 0)
			return true;
	return false;
}

/* "VG/LV" for the device-mapper name of an LV: VG-LV, the dashes inside both
 * doubled (dm_build_dm_name() of LVM2's libdm). Something else where it is none. */
static void undouble(const char *dm, char *out)
{
	for (; *dm; dm++) {
		if (*dm == '-' && dm[1] != '-')
			*out++ = '/';
		else
			*out++ = *dm;
		if (*dm == '-' && dm[1] == '-')
			dm++;
	}
	*out = 0;
}

int value_volume(const char *text, char **volume, struct err *e)
{
	cleanup_free char *name = NULL;
	int rc;

	if (strncmp(text, DEV, strlen(DEV)) != 0) {
		if (!is_vg_lv(text))
			return err_set(e, EINVAL, "\"%s\" is neither VG/LV nor /dev/NAME",
				       SHOWN(text));
		return value_copy(text, volume, e);
	}
	if (!is_plain_path(text))
		return err_set(e, EINVAL, "\"%s\" is not the path of a device", SHOWN(text));
	rc = value_copy(text, &name, e);
	if (rc < 0)
		return rc;
	if (strncmp(text, MAPPER, strlen(MAPPER)) == 0) {
		undouble(text + strlen(MAPPER), name);
		if (!is_vg_lv(name))
			strcpy(name, text);
	} else if (!is_device_folder(text + strlen(DEV)) && is_vg_lv(text + strlen(DEV))) {
		strcpy(name, text + strlen(DEV));
	}
	*volume = steal_ptr(&name);
	return 0;
}

void guest_disk_clear(struct guest_disk *disk)
{
	free(disk->volume);
	free(disk->path);
	free(disk->format);
	*disk = (struct guest_disk){ 0 };
}

static bool is_format(const char *word)
{
	static const char *const formats[] = { "raw", "qcow2", "vmdk", "vdi", "vhdx" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(word, formats[i]) == 0)
			return true;
	return false;
}

/* Splits "/PATH FORMAT" in place: ends the path, returns the format or NULL. */
static char *split_format(char *path)
{
	size_t n = strlen(path);
	char *word;

	while (n && !strchr(BLANKS, path[n - 1]))
		n--;
	if (n == 0)
		return NULL;
	word = path + n;
	while (n && strchr(BLANKS, path[n - 1]))
		path[--n] = 0;
	return word;
}

static int file_disk(char *path, struct guest_disk *d, struct err *e)
{
	char *format = split_format(path);
	int rc = 0;

	if (format && !is_format(format))
		return err_set(e, EINVAL, "after the path stands \"%s\", not a format: %s",
			       SHOWN(format), "raw, qcow2, vmdk, vdi or vhdx");
	if (!is_plain_path(path) || !path[1])
		return err_set(e, EINVAL, "\"%s\" is not the path of a file (without \"..\")",
			       SHOWN(path));
	if (format)
		rc = value_copy(format, &d->format, e);
	if (rc == 0)
		rc = value_copy(path, &d->path, e);
	return rc;
}

int value_guest_disk(const char *text, struct guest_disk *disk, struct err *e)
{
	cleanup_free char *copy = NULL;
	struct guest_disk d = { 0 };
	char *path;
	int rc;

	rc = value_copy(text, &copy, e);
	if (rc < 0)
		return rc;
	path = strstr(copy, ":/");
	if (path)
		*path++ = 0;
	else if (strpbrk(copy, BLANKS))
		return err_set(e, EINVAL, "\"%s\" has more than a volume (a format is for files: "
			       "VG/LV:/PATH FORMAT)", SHOWN(text));
	rc = value_volume(copy, &d.volume, e);
	if (rc == 0 && path)
		rc = file_disk(path, &d, e);
	if (rc < 0) {
		guest_disk_clear(&d);
		return rc;
	}
	*disk = d;
	return 0;
}
