/* SPDX-License-Identifier: GPL-2.0-or-later */
/* after = kexec: loads the host's own kernel, as the plan names it; PID 1 starts what is loaded. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "armed.h"
#include "cleanup.h"
#include "hostwalk.h"
#include "log.h"
#include "plan.h"
#include "settings_value.h"

#define MOUNT_POINT "/run/guestsweep/next"

static int load(const char *folder, const char *kernel, const char *initrd, const char *words,
		struct err *e)
{
	char path[PATH_MAX];
	cleanup_fd int kernel_fd = -1, initrd_fd = -1;

	snprintf(path, sizeof(path), "%s%s", folder, kernel);
	kernel_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	snprintf(path, sizeof(path), "%s%s", folder, initrd);
	initrd_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (kernel_fd < 0 || initrd_fd < 0)
		return err_set(e, ENOENT, "%s or %s is not there", kernel, initrd);
	if (syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, strlen(words) + 1, words, 0L) < 0)
		return err_set(e, errno, "load %s: %s", kernel, strerror(errno));
	return 0;
}

static int load_from(struct walk *host, const char *spec, const char *const part[3],
		     const struct mounted *report, struct err *e)
{
	struct node *n = hostwalk_find(host, spec, true, e);
	struct mounted m;
	struct err why;
	int rc;

	if (!n)
		return -e->code;
	if (report && strcmp(n->device, report->device) == 0)
		return load(report->folder, part[0], part[1], part[2], e);
	rc = mounts_mount(&m, n->device, MOUNT_POINT, true, e);
	if (rc < 0)
		return rc;
	rc = load(m.folder, part[0], part[1], part[2], e);
	if (mounts_unmount(&m, &why) < 0)
		log_line("%s", why.text);
	return rc;
}

void armed_load_next(struct walk *host, const struct mounted *report)
{
	char text[PLAN_NEXT_MAX], *rest = text;
	const char *spec, *part[3];
	struct err e;

	snprintf(text, sizeof(text), "%s", armed_next());
	if (!text[0])
		return;
	spec = strsep(&rest, ":");
	part[0] = strsep(&rest, " ");
	part[1] = strsep(&rest, " ");
	part[2] = rest;
	if (!part[0] || !part[1] || !part[2] || !is_plain_path(part[0]) || !is_plain_path(part[1]))
		return;
	if (load_from(host, spec, part, report, &e) < 0)
		log_line("the host's own kernel: %s", e.text);
}
