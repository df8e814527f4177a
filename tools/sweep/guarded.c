/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "guarded.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "file.h"
#include "log.h"
#include "rights.h"
#include "sandbox.h"

#define OOM_SCORE "/proc/self/oom_score_adj"
#define BIT(cap) (1ULL << (cap))

/* What supervisor and workers keep, and all that they start. */
#define RIGHTS \
	(BIT(CAP_SYS_ADMIN)    /* device-mapper, loop, nbd, md, mounts, namespaces */ | \
	 BIT(CAP_SYS_MODULE)   /* modprobe nbd, md_mod */ | \
	 BIT(CAP_MKNOD) | BIT(CAP_CHOWN) /* nodes of mappings, and those in sandboxes */ | \
	 BIT(CAP_DAC_OVERRIDE) /* image files belong to the emulator's user */ | \
	 BIT(CAP_KILL)         /* a checker that does not end is another user */ | \
	 BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP) | BIT(CAP_SYS_CHROOT) /* sandboxes */ | \
	 BIT(CAP_SYS_RESOURCE) /* never the OOM killer's choice */ | \
	 BIT(CAP_IPC_LOCK)     /* keys */ | \
	 BIT(CAP_SYSLOG)       /* the kernel's log, for I/O errors */)

/* Loads the host's own kernel where it is to be gone into by kexec. */
#define SUPERVISOR_RIGHTS (RIGHTS | BIT(CAP_SYS_BOOT))

static void give_up_rights(uint64_t but)
{
	struct err e;

	if (rights_bound(but, &e) < 0 || rights_keep(but, &e) < 0)
		log_line("%s", e.text);
}

static void stay_private(void)
{
	static const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		log_line("a core file can't be forbidden: %s", strerror(errno));
}

void guarded_supervisor(void)
{
	struct err e;

	if (file_set(OOM_SCORE, "-1000", &e) < 0)
		log_line("%s", e.text);
	stay_private();
	give_up_rights(SUPERVISOR_RIGHTS);
}

/* What gets done matters, not how soon each step does: none of them takes the processor from another. */
static void work_in_batches(void)
{
	static const struct sched_param none;

	/* the C library has no such call */
	if (syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &none) < 0)
		log_line("SCHED_BATCH: %s", strerror(errno));
}

void guarded_worker(void)
{
	struct err e;

	work_in_batches();
	if (file_set(OOM_SCORE, "0", &e) < 0)
		log_line("%s", e.text);
	give_up_rights(RIGHTS);
	sandbox_cut_off();
}
