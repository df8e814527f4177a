/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Into the image by GRUB's next_entry, which GRUB clears itself where it can write, and the image after it. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootway.h"
#include "cleanup.h"
#include "file.h"
#include "grubenv.h"
#include "host.h"

#define ENTRY "guestsweep>guestsweep-armed" /* the ids in /etc/grub.d/42_guestsweep */
#define REBOOT_TIMEOUT_S 60

/* GRUB's folder: Debian's name, else that of Fedora and openSUSE. "" : no GRUB here. */
static const char *folder(void)
{
	if (host_has("/boot/grub2/grubenv"))
		return "/boot/grub2";
	return host_has("/boot/grub/grubenv") ? "/boot/grub" : "";
}

static const char *program(void)
{
	char path[PATH_MAX];
	struct err e;

	return host_program("grub2-reboot", path, &e) == 0 ? "grub2-reboot" : "grub-reboot";
}

/* What GRUB can't write to: it knows the blocks of plain partitions and no more. NULL: nothing. */
static const char *unwritable(const struct mount_point *m)
{
	static const char *const plain[] = { "ext2", "ext3", "ext4", "xfs", "vfat" };
	char path[PATH_MAX], uuid[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(plain) && strcmp(m->type, plain[i]) != 0; i++)
		;
	if (i == ARRAY_SIZE(plain))
		return m->type;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/dm/uuid", m->major, m->minor);
	if (host_has(path)) {
		host_text(path, uuid, sizeof(uuid));
		return strncmp(uuid, "LVM-", 4) == 0 ? "LVM" : "a device-mapper volume";
	}
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/md", m->major, m->minor);
	return host_has(path) ? "RAID" : NULL;
}

static bool is_generated(void)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	struct err e;

	return file_read(host_path(path, "%s/grub.cfg", folder()), 16u << 20, &text, NULL, &e) == 0 &&
	       strstr(text, "guestsweep-armed");
}

static void check(struct preflight *p)
{
	char path[PATH_MAX];
	struct mount_point m;
	const char *below;
	struct err e;

	if (!folder()[0]) {
		preflight_add(p, "GRUB", ITEM_FAIL, "there is no environment block of GRUB's in /boot");
		return;
	}
	if (host_program(program(), path, &e) < 0) {
		preflight_add(p, "GRUB", ITEM_FAIL, "%s", e.text);
		return;
	}
	snprintf(path, sizeof(path), "%s/grubenv", folder());
	if (host_mount_of(path, &m, &e) < 0)
		preflight_add(p, "GRUB", ITEM_FAIL, "%s", e.text);
	else if ((below = unwritable(&m)))
		preflight_add(p, "GRUB", ITEM_FAIL,
			      "%s lies on %s, where GRUB can't take a choice back: the host would boot the image for ever; "
			      "use --kexec or --efi", path, below);
	else if (!is_generated())
		preflight_add(p, "GRUB", ITEM_FAIL, "%s/grub.cfg has no entry of guestsweep's; run update-grub", folder());
	else
		preflight_add(p, "GRUB", ITEM_OK, "GRUB can take its choice back");
}

static void grubenv(char *spec)
{
	char path[PATH_MAX], uuid[64];
	struct mount_point m;
	struct err e;

	spec[0] = 0;
	snprintf(path, sizeof(path), "%s/grubenv", folder());
	if (host_mount_of(path, &m, &e) < 0 || strcmp(m.root, "/") != 0 ||
	    !host_uuid_of(m.source, uuid, sizeof(uuid)))
		return;
	snprintf(spec, 256, "UUID=%.60s:%.180s", uuid, strcmp(m.folder, "/") == 0 ? path : path + strlen(m.folder));
}

static int set(const struct handover *h, struct err *e)
{
	const char *argv[] = { program(), ENTRY, NULL };
	char path[PATH_MAX];
	int rc = bootway_write(&h->handed, host_path(path, IMAGE_FOLDER "/" HANDED_NAME), e);

	if (rc == 0)
		rc = host_run(argv, REBOOT_TIMEOUT_S, NULL, e);
	if (rc)
		return rc < 0 ? rc : -EIO;
	sync();
	return 0;
}

static int undo(struct err *e)
{
	cleanup_free char *block = NULL;
	char path[PATH_MAX], next[256];
	struct err none;
	size_t size;
	int rc = 0;

	unlink(host_path(path, IMAGE_FOLDER "/" HANDED_NAME));
	host_path(path, "%s/grubenv", folder());
	if (folder()[0] && file_read(path, GRUBENV_MAX, &block, &size, &none) == 0 &&
	    grubenv_get(block, size, "next_entry", next, sizeof(next)) == 0 && strcmp(next, ENTRY) == 0)
		rc = grubenv_unset_in_file(path, "next_entry", e);
	return rc < 0 ? rc : 0;
}

const struct bootway bootway_grub = {
	.name = "grub", .with_keys = false, .restart = "reboot", .check = check, .grubenv = grubenv,
	.set = set, .undo = undo,
};
