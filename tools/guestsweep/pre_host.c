/* SPDX-License-Identifier: GPL-2.0-or-later */
/* preflight: what is installed, the machine, the place for the report. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "armedstate.h"
#include "cleanup.h"
#include "file.h"
#include "host.h"
#include "installed.h"
#include "preflight.h"
#include "reports.h"

#define ROOM_MIN_MIB 8   /* for the report itself */
#define ROOM_GOOD_MIB 64 /* and for long logs; undo files take what there is */
#define SECURE_BOOT "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define LOCKDOWN "/sys/kernel/security/lockdown"
#define WATCHDOGS 4

void pre_install(struct preflight *p)
{
	static const char *const names[] = { "vmlinuz", "initramfs.img" };
	cleanup_secret struct secret *key = NULL;
	struct err e;
	char sum[65];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct pack file;

		if (installed_load(names[i], &file, sum, &e) < 0)
			preflight_add(p, "image", ITEM_FAIL, "%s", e.text);
		else
			preflight_add(p, "image", ITEM_OK, "%s/%s is what was installed", IMAGE_FOLDER, names[i]);
		pack_free(&file);
	}
	key = host_key(&e);
	if (!key)
		preflight_add(p, "host's key", ITEM_FAIL, "%s", e.text);
}

void pre_report(struct preflight *p)
{
	struct reports r;
	struct statvfs st;
	struct err e;

	if (reports_open(&r, true, &e) < 0) {
		preflight_add(p, "report filesystem", ITEM_FAIL, "%s", e.text);
		return;
	}
	if (statvfs(r.folder, &st) < 0) {
		preflight_add(p, "report filesystem", ITEM_FAIL, "%s: %s", r.folder, strerror(errno));
	} else {
		unsigned long long mib = (unsigned long long)st.f_bavail * st.f_frsize >> 20;

		preflight_add(p, "report filesystem",
			      mib < ROOM_MIN_MIB ? ITEM_FAIL : mib < ROOM_GOOD_MIB ? ITEM_WARN : ITEM_OK,
			      "%s, %llu MiB free%s, %zu reports", p->settings.report_device, mib,
			      mib < ROOM_GOOD_MIB ? ", which is little" : "", r.n);
	}
	reports_close(&r);
}

static bool secure_boot(void)
{
	cleanup_free char *value = NULL;
	char path[PATH_MAX];
	size_t size;
	struct err e;

	return file_read(host_path(path, SECURE_BOOT), 16, &value, &size, &e) == 0 && size == 5 && value[4] == 1;
}

static bool is_debian(void)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	struct err e;

	return file_read(host_path(path, "/etc/os-release"), 65536, &text, NULL, &e) == 0 &&
	       (strstr(text, "\nID=debian\n") || strncmp(text, "ID=debian\n", 10) == 0);
}

static void check_lockdown(struct preflight *p)
{
	char text[128];
	bool locked;

	host_text(LOCKDOWN, text, sizeof(text));
	locked = strstr(text, "[integrity]") || strstr(text, "[confidentiality]");
	if (!secure_boot() && !locked)
		preflight_add(p, "Secure Boot", ITEM_OK, "off");
	else if (is_debian())
		preflight_add(p, "Secure Boot", ITEM_OK, "on; Debian's signed kernel is trusted here");
	else
		preflight_add(p, "Secure Boot", ITEM_FAIL,
			      "on, and this host need not trust Debian's kernel; build with --kernel and this distribution's own");
}

/* The driver of a watchdog that is armed goes on over kexec, and over a reboot on some boards. */
static void check_watchdog(struct preflight *p)
{
	char path[PATH_MAX], link[PATH_MAX], target[PATH_MAX], line[80];
	cleanup_free char *modules = NULL;
	struct err e;
	int i, found = 0;

	if (file_read(host_path(path, MODULES_PATH), 1u << 20, &modules, NULL, &e) < 0)
		return;
	for (i = 0; i < WATCHDOGS; i++) {
		host_path(link, "/sys/class/watchdog/watchdog%d/device/driver/module", i);
		if (!realpath(link, target))
			continue;
		found++;
		snprintf(line, sizeof(line), "\n%.70s\n", strrchr(target, '/') + 1);
		if (strstr(modules, line))
			preflight_add(p, "watchdog", ITEM_OK, "%s is in the image", strrchr(target, '/') + 1);
		else
			preflight_add(p, "watchdog", ITEM_FAIL,
				      "the image has no driver %s; armed by this host, it would reset the machine in mid-sweep",
				      strrchr(target, '/') + 1);
	}
	if (!found)
		preflight_add(p, "watchdog", ITEM_OK, "this host drives none");
}

void pre_machine(struct preflight *p)
{
	check_lockdown(p);
	check_watchdog(p);
}
