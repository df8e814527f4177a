/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways into the image. Each has a file bootway_NAME.c.
 *
 *   kexec  kernel, image, configuration and keys go to the kernel in memory; the only way for key files
 *   grub   GRUB's next_entry; the configuration without its keys lies beside the image on /boot
 *   efi    the firmware's BootNext; image and configuration lie on the EFI system partition
 */
#ifndef GS_BOOTWAY_H
#define GS_BOOTWAY_H

#include <stdbool.h>

#include "attrs.h"
#include "err.h"
#include "pack.h"
#include "preflight.h"

#define HANDED_NAME "armed.cpio" /* beside the image, for grub and efi */

struct handover {
	struct pack kernel;
	struct pack image;   /* as installed */
	struct pack handed;  /* kexec: image and configuration; else the configuration alone */
};

struct bootway {
	const char *name;
	bool with_keys;       /* key files may be handed over */
	const char *restart;  /* the word for systemctl */
	/* What stands against it on this host. */
	void (*check)(struct preflight *p);
	/* For the plan: the environment block that the image is to clear, "" none; 256 bytes. */
	void (*grubenv)(char *spec);
	/* Makes the next boot that of the image. Returns 0 or -errno. */
	int (*set)(const struct handover *h, struct err *e);
	/* Takes that back, where it is ours; also when nothing was set. Returns 0 or -errno. */
	int (*undo)(struct err *e);
};

extern const struct bootway bootway_kexec, bootway_grub, bootway_efi;

/* The way of that name, NULL: none. */
const struct bootway *bootway_named(const char *name) nonnull_all;

/* The one that suits this host: kexec where there are key files to hand over, else the first that nothing stands against. */
const struct bootway *bootway_choose(void);

/* Takes back whatever was set. Returns 0 or -errno. */
int bootway_undo(struct err *e) nonnull_all;

/* The kernel's command line for the image, with the host's own consoles. size bytes. Returns line. */
char *bootway_cmdline(char *line, size_t size) nonnull_all;

/* Writes the handed-over configuration to path, mode 0600, on disk when it returns. Returns 0 or -errno. */
int bootway_write(const struct pack *p, const char *path, struct err *e) must_check nonnull_all;

#endif
