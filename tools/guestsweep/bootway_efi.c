/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Into the image by the firmware's BootNext, which the firmware takes back itself before it boots: the kernel is an EFI
 * program, and loads image and configuration from the EFI system partition by its initrd= words. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bootway.h"
#include "cleanup.h"
#include "efioption.h"
#include "file.h"
#include "host.h"

#define VARIABLES "/sys/firmware/efi/efivars"
#define GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c" /* EFI_GLOBAL_VARIABLE */
#define ATTRIBUTES 7 /* non-volatile, for boot services and for the running system */
#define DESCRIPTION "guestsweep"
#define FOLDER "/EFI/guestsweep"
#define NUMBERS 0x10000

/* Where the EFI system partition is mounted and holds the image. */
static int find_partition(struct mount_point *m, struct err *e)
{
	static const char *const folders[] = { "/efi", "/boot/efi", "/boot" };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(path, sizeof(path), "%s" FOLDER "/initramfs.img", folders[i]);
		if (host_has(path) && host_mount_of(path, m, e) == 0 && strcmp(m->type, "vfat") == 0)
			return 0;
	}
	return err_set(e, ENOENT, "the image is on no mounted EFI system partition; ./build.sh install puts it there");
}

static bool secure_boot(void)
{
	cleanup_free char *value = NULL;
	char path[PATH_MAX];
	size_t size;
	struct err e;

	return file_read(host_path(path, VARIABLES "/SecureBoot-" GLOBAL), 16, &value, &size, &e) == 0 &&
	       size == 5 && value[4] == 1;
}

static void check(struct preflight *p)
{
	char path[PATH_MAX];
	struct mount_point m;
	struct err e;

	if (!host_has(VARIABLES))
		preflight_add(p, "EFI", ITEM_FAIL, "this host was not booted by UEFI, or its variables are not mounted");
	else if (access(host_path(path, VARIABLES), W_OK) < 0 ||
		 (host_mount_of(VARIABLES, &m, &e) == 0 && m.read_only))
		preflight_add(p, "EFI", ITEM_FAIL, "the firmware's variables can't be written to");
	else if (secure_boot())
		preflight_add(p, "EFI", ITEM_FAIL, "with Secure Boot the firmware starts no kernel by itself; use --kexec or --grub");
	else if (find_partition(&m, &e) < 0)
		preflight_add(p, "EFI", ITEM_FAIL, "%s", e.text);
	else
		preflight_add(p, "EFI", ITEM_OK, "BootNext can be set");
}

static void grubenv(char *spec)
{
	spec[0] = 0;
}

static uint64_t partition_number(const struct mount_point *m, const char *attribute)
{
	char path[PATH_MAX];
	uint64_t value = 0;

	if (file_read_u64(host_path(path, "/sys/dev/block/%u:%u/%s", m->major, m->minor, attribute), &value) < 0)
		return 0;
	return value;
}

static int place_of(const struct mount_point *m, struct efi_place *at, struct err *e)
{
	char folder[PATH_MAX], link[PATH_MAX], device[PATH_MAX], target[PATH_MAX];
	cleanup_dir DIR *dir = opendir(host_path(folder, "/dev/disk/by-partuuid"));
	struct dirent *entry;

	memset(at, 0, sizeof(*at));
	at->partition = (unsigned)partition_number(m, "partition");
	at->start = partition_number(m, "start");
	at->size = partition_number(m, "size");
	snprintf(at->file, sizeof(at->file), "\\EFI\\guestsweep\\vmlinuz");
	if (!realpath(host_path(link, "%s", m->source), device) || !at->partition || !at->size)
		return err_set(e, ENODEV, "%s is no partition", m->source);
	while (dir && (entry = readdir(dir)))
		if (realpath(host_path(link, "/dev/disk/by-partuuid/%s", entry->d_name), target) &&
		    strcmp(target, device) == 0)
			snprintf(at->guid, sizeof(at->guid), "%.39s", entry->d_name);
	return 0;
}

static void option_path(char *path, unsigned number)
{
	host_path(path, VARIABLES "/Boot%04X-" GLOBAL, number);
}

static bool is_ours(unsigned number)
{
	cleanup_free char *value = NULL;
	char path[PATH_MAX];
	size_t size;
	struct err e;

	option_path(path, number);
	return file_read(path, 65536, &value, &size, &e) == 0 && size > 4 &&
	       efioption_is((uint8_t *)value + 4, size - 4, DESCRIPTION);
}

/* The number of our boot option, or the first one that is free; NUMBERS: none. */
static unsigned find_number(bool ours_only)
{
	unsigned free_one = NUMBERS, number;
	char path[PATH_MAX];

	for (number = 0; number < NUMBERS; number++) {
		option_path(path, number);
		if (access(path, F_OK) < 0)
			free_one = free_one == NUMBERS ? number : free_one;
		else if (is_ours(number))
			return number;
		/* firmwares count from 0 */
		else if (number > 0x400)
			break;
	}
	return ours_only ? NUMBERS : free_one;
}

/* Attributes and value must come in one write(2). */
static int write_variable(const char *path, const void *value, size_t size, struct err *e)
{
	uint8_t bytes[4 + EFI_OPTION_MAX] = { ATTRIBUTES };
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	memcpy(bytes + 4, value, size);
	if (fd < 0 || write(fd, bytes, size + 4) != (ssize_t)(size + 4))
		return err_set(e, errno, "write the firmware's variable %s: %s", path, strerror(errno));
	return 0;
}

static int set(const struct handover *h, struct err *e)
{
	char path[PATH_MAX], consoles[1024], arguments[1200];
	uint8_t option[EFI_OPTION_MAX], next[2];
	struct efi_place at;
	struct mount_point m;
	unsigned number = find_number(false);
	size_t size;
	int rc = find_partition(&m, e);

	if (rc == 0)
		rc = place_of(&m, &at, e);
	if (rc == 0 && number == NUMBERS)
		rc = err_set(e, ENOSPC, "the firmware has no boot option left");
	if (rc == 0)
		rc = bootway_write(&h->handed, host_path(path, "%s" FOLDER "/" HANDED_NAME, m.folder), e);
	snprintf(arguments, sizeof(arguments), "initrd=\\EFI\\guestsweep\\initramfs.img "
		 "initrd=\\EFI\\guestsweep\\" HANDED_NAME " %s", bootway_cmdline(consoles, sizeof(consoles)));
	if (rc == 0)
		rc = efioption_make(DESCRIPTION, &at, arguments, option, &size, e);
	option_path(path, number);
	if (rc == 0)
		rc = write_variable(path, option, size, e);
	next[0] = (uint8_t)number;
	next[1] = (uint8_t)(number >> 8);
	if (rc == 0)
		rc = write_variable(host_path(path, VARIABLES "/BootNext-" GLOBAL), next, sizeof(next), e);
	return rc;
}

static bool is_next(unsigned number)
{
	cleanup_free char *value = NULL;
	char path[PATH_MAX];
	size_t size;
	struct err e;

	return file_read(host_path(path, VARIABLES "/BootNext-" GLOBAL), 16, &value, &size, &e) == 0 && size == 6 &&
	       ((uint8_t)value[4] | (unsigned)(uint8_t)value[5] << 8) == number;
}

static int undo(struct err *e)
{
	char path[PATH_MAX];
	struct mount_point m;
	struct err none;
	unsigned number;

	if (find_partition(&m, &none) == 0)
		unlink(host_path(path, "%s" FOLDER "/" HANDED_NAME, m.folder));
	number = host_has(VARIABLES) ? find_number(true) : NUMBERS;
	if (number == NUMBERS)
		return 0;
	if (is_next(number) && unlink(host_path(path, VARIABLES "/BootNext-" GLOBAL)) < 0)
		return err_set(e, errno, "take BootNext back: %s", strerror(errno));
	option_path(path, number);
	if (unlink(path) < 0)
		return err_set(e, errno, "remove the boot option: %s", strerror(errno));
	return 0;
}

const struct bootway bootway_efi = {
	.name = "efi", .with_keys = false, .restart = "reboot", .check = check, .grubenv = grubenv,
	.set = set, .undo = undo,
};
