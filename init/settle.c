/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "settle.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"

/* Controllers on PCI and virtio answer while their module loads (the kernel
 * ends a module's start only when the scans it began are over). */
#define QUIET_MS 300
/* A hub's ports are powered, settled and reset before the first device shows. */
#define QUIET_USB_MS 1000
/* usb-storage waits a second, SAS and NVMe controllers scan by themselves. */
#define QUIET_COMING_MS 2000

int settle_quiet_ms(struct disk_signs s)
{
	if (s.coming)
		return s.disks ? QUIET_COMING_MS : -1;
	if (!s.disks)
		return -1;
	return s.usb ? QUIET_USB_MS : QUIET_MS;
}

typedef bool (*is_sign)(const char *folder, const char *name);

/* How many entries of folder (at most limit) are a sign. */
static unsigned count(const char *folder, is_sign is, unsigned limit)
{
	cleanup_dir DIR *d = opendir(folder);
	struct dirent *entry;
	unsigned n = 0;

	while (d && n < limit && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && is(folder, entry->d_name))
			n++;
	return n;
}

/* A block device with hardware behind it and a size. */
static bool is_disk(const char *folder, const char *name)
{
	char path[PATH_MAX];
	uint64_t sectors;

	if (!strncmp(name, "sr", 2) || !strncmp(name, "fd", 2))
		return false;
	snprintf(path, sizeof(path), "%s/%s/device", folder, name);
	if (access(path, F_OK))
		return false;
	snprintf(path, sizeof(path), "%s/%s/size", folder, name);
	return !file_read_u64(path, &sectors) && sectors;
}

static bool is_target(const char *folder, const char *name)
{
	(void)folder;
	return !strncmp(name, "target", 6) || !strncmp(name, "port-", 5);
}

/* A SCSI host that has found nothing yet. Empty ATA ports are normal, and they
 * have been looked at when the driver has loaded. */
static bool is_empty_host(const char *folder, const char *name)
{
	char path[PATH_MAX], link[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = 0;
	if (strstr(link, "/ata"))
		return false;
	snprintf(path, sizeof(path), "%s/%s/device", folder, name);
	return !count(path, is_target, 1);
}

/* An NVMe controller that is still being brought up. */
static bool is_young_nvme(const char *folder, const char *name)
{
	cleanup_free char *state = NULL;
	char path[PATH_MAX];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s/state", folder, name);
	if (file_read(path, 64, &state, NULL, &e))
		return false;
	return !strncmp(state, "new", 3) || !strncmp(state, "connecting", 10) ||
	       !strncmp(state, "resetting", 9);
}

static bool is_usb_bus(const char *folder, const char *name)
{
	(void)folder;
	return !strncmp(name, "usb", 3);
}

struct disk_signs settle_look(void)
{
	struct disk_signs s = {
		.disks = count("/sys/block", is_disk, UINT_MAX),
		.usb = count("/sys/bus/usb/devices", is_usb_bus, 1),
		.coming = count("/sys/class/scsi_host", is_empty_host, 1) ||
			  count("/sys/class/nvme", is_young_nvme, 1),
	};

	return s;
}
