/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A user without rights: limits, identity, capabilities. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/securebits.h>

#include "rights.h"
#include "sandbox_steps.h"

#define LOCKED_BITS \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED | \
	 SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static int limit(int what, rlim_t most, struct err *e)
{
	struct rlimit r = { .rlim_cur = most, .rlim_max = most };

	if (setrlimit(what, &r) < 0)
		return err_set(e, errno, "limit %d: %s", what, strerror(errno));
	return 0;
}

/* No more than this process may. */
static int limit_locked(uint64_t most, struct err *e)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_MEMLOCK, &now) < 0)
		return err_set(e, errno, "limits: %s", strerror(errno));
	return limit(RLIMIT_MEMLOCK, most < now.rlim_max ? most : now.rlim_max, e);
}

int sandbox_set_limits(const struct sandbox_plan *p, struct err *e)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	rlim_t seconds = p->s->seconds ? (rlim_t)p->s->seconds * (rlim_t)(cpus < 1 ? 1 : cpus) : RLIM_INFINITY;
	rlim_t bytes = p->s->profile->memory_files ? RLIM_INFINITY : p->s->file_bytes;
	int rc = limit(RLIMIT_CORE, 0, e);

	if (rc == 0)
		rc = limit(RLIMIT_CPU, seconds, e);
	if (rc == 0)
		rc = limit(RLIMIT_FSIZE, bytes, e);
	if (rc == 0)
		rc = limit(RLIMIT_NOFILE, p->s->profile->descriptors, e);
	if (rc == 0)
		rc = limit(RLIMIT_NPROC, p->s->profile->threads, e);
	if (rc == 0)
		rc = limit_locked(p->s->profile->locked_bytes, e);
	return rc == 0 ? limit(RLIMIT_MSGQUEUE, 0, e) : rc;
}

/* Root without the rights of root. */
static int keep_some(uint64_t capabilities, struct err *e)
{
	int rc = rights_keep(capabilities, e);

	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = err_set(e, errno, "no new rights: %s", strerror(errno));
	return rc;
}

int sandbox_drop_rights(const struct sandbox_plan *p, struct err *e)
{
	int rc = rights_bound(p->s->profile->capabilities, e);

	if (rc == 0 && p->s->profile->capabilities)
		return keep_some(p->s->profile->capabilities, e);
	if (rc < 0)
		return rc;
	if (prctl(PR_SET_SECUREBITS, LOCKED_BITS) < 0)
		return err_set(e, errno, "securebits: %s", strerror(errno));
	if (setgroups(0, NULL) < 0 || setresgid(p->uid, p->uid, p->uid) < 0 ||
	    setresuid(p->uid, p->uid, p->uid) < 0)
		return err_set(e, errno, "become user %u: %s", p->uid, strerror(errno));
	rc = rights_keep(0, e);
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = err_set(e, errno, "no new rights: %s", strerror(errno));
	return rc;
}
