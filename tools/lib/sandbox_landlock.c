/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Landlock: the second fence around files, and the only one around what the namespaces still leave.
 * Of all that it can forbid, reading, and writing what is writable, is allowed of the devices and files
 * of the sandbox, and running of its program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "sandbox_start.h"
#include "sandbox_steps.h"

/* Of linux/landlock.h, up to version 6 of its interface; older headers have less. */
#define VERSION_QUERY 1
#define RULE_PATH_BENEATH 1
#define FS_EXECUTE (1ULL << 0)
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_ALL 3ULL   /* bind and connect by TCP */
#define SCOPE_ALL 3ULL /* abstract sockets of others, signals to others */

struct ruleset {
	uint64_t fs, net, scope;
};

struct __attribute__((packed)) path_rule {
	uint64_t allowed;
	int32_t fd;
};

/* Bits of file access that each version knows, and how much of the struct. */
static const struct {
	uint64_t fs;
	size_t size;
} versions[] = {
	{ 0, 0 }, { 0x1fff, 8 }, { 0x3fff, 8 }, { 0x7fff, 8 }, { 0x7fff, 16 }, { 0xffff, 16 }, { 0xffff, 24 },
};

int sandbox_landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_QUERY);

	if (version < 0)
		return 0;
	return version < (long)ARRAY_SIZE(versions) ? (int)version : (int)ARRAY_SIZE(versions) - 1;
}

static int allow_fd(int rules, int fd, uint64_t access, const char *what, struct err *e)
{
	struct path_rule rule = { .allowed = access, .fd = fd };

	if (syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0) < 0)
		return err_set(e, errno, "Landlock: %s: %s", what, strerror(errno));
	return 0;
}

static int allow_path(int rules, const char *path, uint64_t access, struct err *e)
{
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, "Landlock: %s: %s", path, strerror(errno));
	return allow_fd(rules, fd, access, path, e);
}

static int allow_all(const struct sandbox_plan *p, int rules, uint64_t known, struct err *e)
{
	const struct sandbox *s = p->s;
	const uint64_t reads = FS_READ_FILE, writes = FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE;
	size_t i;
	int rc = allow_path(rules, sandbox_null.path, writes & known, e);

	for (i = 0; i < s->n_devices && rc == 0; i++)
		rc = allow_path(rules, s->devices[i].path,
				((s->devices[i].writable ? writes : reads) | FS_IOCTL_DEV) & known, e);
	for (i = 0; i < s->n_files && rc == 0; i++)
		rc = allow_path(rules, s->files[i].path, (s->files[i].writable ? writes : reads) & known, e);
	for (i = 0; s->profile->empty && s->profile->empty[i] && rc == 0; i++)
		rc = allow_path(rules, s->profile->empty[i], reads, e);
	for (i = 0; s->profile->copied && s->profile->copied[i] && rc == 0; i++)
		rc = allow_path(rules, s->profile->copied[i], reads, e);
	if (s->profile->lists_devices && rc == 0)
		rc = allow_path(rules, "/dev", s->profile->capabilities ? known : FS_READ_DIR, e);
	if (rc == 0 && p->program >= 0)
		rc = allow_fd(rules, SANDBOX_PROGRAM_FD, FS_EXECUTE | FS_READ_FILE, "the program", e);
	return rc;
}

int sandbox_restrict_files(const struct sandbox_plan *p, struct err *e)
{
	int version = sandbox_landlock_version();
	struct ruleset set = { .fs = versions[version].fs, .net = NET_ALL, .scope = SCOPE_ALL };
	cleanup_fd int rules = -1;
	int rc;

	if (version == 0)
		return 0;
	rules = (int)syscall(SYS_landlock_create_ruleset, &set, versions[version].size, 0);
	if (rules < 0)
		return err_set(e, errno, "Landlock: %s", strerror(errno));
	rc = allow_all(p, rules, set.fs, e);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		rc = err_set(e, errno, "Landlock: %s", strerror(errno));
	return rc;
}
