/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Into the image with kexec_file_load(2): kernel, image, configuration and keys lie in memory only. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bootway.h"
#include "cleanup.h"
#include "file.h"
#include "host.h"
#include "plan.h"

#define LOADED_PATH "/sys/kernel/kexec_loaded"
#define DISABLED_PATH "/proc/sys/kernel/kexec_load_disabled"
#define CMDLINE_SIZE 2048

static bool is_set(const char *attribute)
{
	char text[8];

	return strcmp(host_text(attribute, text, sizeof(text)), "1") == 0;
}

static void check(struct preflight *p)
{
	if (!host_has(LOADED_PATH))
		preflight_add(p, "kexec", ITEM_FAIL, "this host's kernel has no kexec");
	else if (is_set(DISABLED_PATH))
		preflight_add(p, "kexec", ITEM_FAIL,
			      "kernel.kexec_load_disabled is set; no kernel can be loaded until a reboot");
	else if (is_set(LOADED_PATH) && !host_has(STATE_FOLDER "/armed"))
		preflight_add(p, "kexec", ITEM_WARN, "a kernel is loaded already, by somebody else; it will be replaced");
	else
		preflight_add(p, "kexec", ITEM_OK, "a kernel can be loaded");
}

static void grubenv(char *spec)
{
	spec[0] = 0;
}

static int set(const struct handover *h, struct err *e)
{
	char cmdline[CMDLINE_SIZE];

	bootway_cmdline(cmdline, sizeof(cmdline));
	/* below a test's root there is no kernel to load into */
	if (host_root()[0])
		return err_set(e, EPERM, "kexec: not below GUESTSWEEP_ROOT");
	if (syscall(SYS_kexec_file_load, h->kernel.fd, h->handed.fd, strlen(cmdline) + 1, cmdline, 0L) < 0)
		return err_set(e, errno, "kexec_file_load: %s%s", strerror(errno),
			       errno == EKEYREJECTED || errno == EPERM ?
			       " (the kernel's lockdown wants a kernel signed for this host)" : "");
	return 0;
}

static bool is_armed_so(void)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	struct err e;

	return file_read(host_path(path, STATE_FOLDER "/armed"), PLAN_MAX, &text, NULL, &e) == 0 &&
	       strstr(text, "\nway = kexec\n");
}

static int undo(struct err *e)
{
	if (host_root()[0] || !is_armed_so() || !is_set(LOADED_PATH))
		return 0;
	if (syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL, (unsigned long)KEXEC_FILE_UNLOAD) < 0)
		return err_set(e, errno, "unload the kernel: %s", strerror(errno));
	return 0;
}

const struct bootway bootway_kexec = {
	.name = "kexec", .with_keys = true, .restart = "kexec", .check = check, .grubenv = grubenv,
	.set = set, .undo = undo,
};
