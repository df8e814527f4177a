/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "kernelfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"

#define SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define EFIVARS "/sys/firmware/efi/efivars"

static const struct {
	const char *type, *at, *options;
	unsigned long flags;
} table[] = {
	{ "proc", "/proc", NULL, SAFE },
	{ "sysfs", "/sys", NULL, SAFE },
	{ "devtmpfs", "/dev", "mode=0755", MS_NOSUID | MS_NOEXEC },
	{ "devpts", "/dev/pts", "mode=0620,ptmxmode=0666", MS_NOSUID | MS_NOEXEC },
	{ "tmpfs", "/run", "mode=0755,size=50%", MS_NOSUID | MS_NODEV },
	{ "tmpfs", "/tmp", "mode=1777,size=25%", MS_NOSUID | MS_NODEV },
	{ "cgroup2", "/sys/fs/cgroup", NULL, SAFE },
};

static const char *const folders[] = {
	"/run/lock", "/run/lock/lvm", "/run/lvm", "/run/cryptsetup", "/run/guestsweep",
};

void descriptors_sane(void)
{
	int fd;

	do {
		fd = open("/dev/console", O_RDWR | O_NOCTTY | O_NONBLOCK);
		if (fd < 0 && (fd = open("/dev/null", O_RDWR)) < 0)
			fd = memfd_create("no console", 0);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void mount_one(size_t i)
{
	mkdir(table[i].at, 0755);
	if (mount(table[i].type, table[i].at, table[i].type, table[i].flags, table[i].options) &&
	    errno != EBUSY) /* the kernel may have mounted devtmpfs itself */
		log_line("mount %s on %s: %s", table[i].type, table[i].at, strerror(errno));
}

void mounts_make(void)
{
	size_t i;

	umask(022);
	for (i = 0; i < ARRAY_SIZE(table); i++)
		mount_one(i);
	for (i = 0; i < ARRAY_SIZE(folders); i++)
		mkdir(folders[i], 0700);
	/* Read-only: nothing here sets firmware variables. */
	if (!access(EFIVARS, F_OK))
		mount("efivarfs", EFIVARS, "efivarfs", SAFE | MS_RDONLY, NULL);
}

int sys_write(const char *path, const char *text)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

void sweep_group_make(void)
{
	static const char *const controllers[] = { "+memory", "+pids" };
	size_t i;

	/* one that the kernel lacks is missed by who wants to use it */
	for (i = 0; i < ARRAY_SIZE(controllers); i++)
		sys_write("/sys/fs/cgroup/cgroup.subtree_control", controllers[i]);
	mkdir(SWEEP_GROUP, 0755);
	mkdir(SWEEP_GROUP "/main", 0755);
	for (i = 0; i < ARRAY_SIZE(controllers); i++)
		sys_write(SWEEP_GROUP "/cgroup.subtree_control", controllers[i]);
}

int sweep_group_remove(void)
{
	cleanup_dir DIR *dir = opendir(SWEEP_GROUP);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) && errno == EBUSY)
			return -EBUSY;
	return rmdir(SWEEP_GROUP) ? -errno : 0;
}

void panic_reboots(void)
{
	uint64_t seconds;

	/* -EINVAL: a negative number, which is one that reboots, too. */
	if (!file_read_u64("/proc/sys/kernel/panic", &seconds) && !seconds)
		sys_write("/proc/sys/kernel/panic", "10");
	sys_write("/proc/sys/kernel/panic_on_oops", "1");
}

void never_out_of_memory(void)
{
	sys_write(OOM_SCORE_ADJ, "-1000");
}

/* \040 and the like, in place. */
static void unescape_octal(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = 0;
}

/* "36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
bool mount_is_storage(char *line, const char **point)
{
	char *dash = strstr(line, " - "), *source, *at = line;
	int i;

	if (!dash)
		return false;
	source = strchr(dash + 3, ' ');
	if (!source || source[1] != '/')
		return false;
	for (i = 0; i < 4 && at; i++) {
		at = strchr(at, ' ');
		at = at && at < dash ? at + 1 : NULL;
	}
	if (!at)
		return false;
	at[strcspn(at, " \n")] = 0;
	unescape_octal(at);
	*point = at;
	return true;
}
