/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel that this host runs, as it could be started again: for after = kexec. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "host.h"
#include "plan.h"

/* Debian's, Fedora's and openSUSE's names. */
static const struct { const char *before, *behind; } initrds[] = {
	{ "/boot/initrd.img-", "" }, { "/boot/initramfs-", ".img" }, { "/boot/initrd-", "" },
};

/* The words of this boot, but what the boot loader put in front. */
static void own_words(char *words, size_t size)
{
	char line[PLAN_NEXT_MAX], *word, *rest = line;
	size_t used = 0;

	host_text("/proc/cmdline", line, sizeof(line));
	words[0] = 0;
	while ((word = strsep(&rest, " ")))
		if (word[0] && strncmp(word, "BOOT_IMAGE=", 11) != 0 && strncmp(word, "initrd=", 7) != 0 &&
		    used + strlen(word) + 2 < size)
			used += (size_t)snprintf(words + used, size - used, "%s%s", used ? " " : "", word);
}

int host_own_kernel(char *spec, struct err *e)
{
	char kernel[PATH_MAX], initrd[PATH_MAX], uuid[64], words[PLAN_NEXT_MAX - 512];
	struct mount_point m;
	struct utsname u;
	size_t i, skip;
	int rc;

	uname(&u);
	snprintf(kernel, sizeof(kernel), "/boot/vmlinuz-%s", u.release);
	for (i = 0; i < ARRAY_SIZE(initrds); i++) {
		snprintf(initrd, sizeof(initrd), "%s%s%s", initrds[i].before, u.release, initrds[i].behind);
		if (host_has(initrd))
			break;
	}
	if (!host_has(kernel) || i == ARRAY_SIZE(initrds))
		return err_set(e, ENOENT, "after = kexec: there is no kernel %s with its initrd in /boot", u.release);
	rc = host_mount_of(kernel, &m, e);
	if (rc < 0)
		return rc;
	if (strcmp(m.root, "/") != 0 || !host_uuid_of(m.source, uuid, sizeof(uuid)))
		return err_set(e, ENOENT, "after = kexec: the image would not find the filesystem of %s", kernel);
	skip = strcmp(m.folder, "/") == 0 ? 0 : strlen(m.folder);
	own_words(words, sizeof(words));
	snprintf(spec, PLAN_NEXT_MAX, "UUID=%.60s:%.200s %.200s %s", uuid, kernel + skip, initrd + skip, words);
	return 0;
}
