/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps into a sandbox; for sandbox*.c only. All of them return 0 or -errno. */
#ifndef GS_SANDBOX_STEPS_H
#define GS_SANDBOX_STEPS_H

#include <sys/types.h>

#include "sandbox.h"
#include "sandbox_profiles.h"

struct device_id {
	mode_t type; /* S_IFBLK, S_IFCHR */
	dev_t number;
};

/* What the parent makes before there is a child. */
struct sandbox_plan {
	const struct sandbox *s;
	uid_t number;      /* nobody else's, as long as the sweep runs */
	uid_t uid;         /* and gid: that number; or 0 with capabilities */
	int cgroup;        /* descriptor; -1: there are no limits by cgroup */
	int group;         /* its number, or -1 */
	uint64_t memory;   /* bytes; 0: no limit */
	int program;       /* descriptor of what it will run; -1: code of ours */
	int *trees;        /* for each file a mount that is not attached yet */
	struct device_id *devices; /* of each device, the last one for sandbox_null */
};

#define SANDBOX_ROOT "/proc" /* what its root is made over; nothing is bound from below it */

extern const struct sandbox_path sandbox_null; /* a device in every sandbox */

/* ---- in the parent ---- */

/* Makes the mounts that all sandboxes begin with, once. */
int sandbox_make_base(struct err *e) must_check nonnull_all;

/* Looks up the devices of p->s. -ENOTBLK: one is none. */
int sandbox_find_devices(struct sandbox_plan *p, struct err *e) must_check nonnull_all;

/* Opens the files of p->s in p->trees, for the user p->uid. */
int sandbox_open_files(struct sandbox_plan *p, struct err *e) must_check nonnull_all;

/* The limits by cgroup, as far as the kernel has them. Processes that are forked after sandbox_share_cgroups() (once is enough)
 * share the groups: sandbox_take_cgroup() takes one for p, sandbox_give_back() one that is nobody's any more (-1: none). */
int sandbox_share_cgroups(void) must_check;
void sandbox_take_cgroup(struct sandbox_plan *p) nonnull_all;
void sandbox_give_back(int group);

/* The number of the group of the sandbox whose first process is pid, which may have ended; -1: it has none. */
int sandbox_group(pid_t pid);

/* ---- in the child, in this order ---- */

/* Leaves the parent's mounts. */
int sandbox_enter_base(struct err *e) must_check nonnull_all;

/* The empty root with its devices and files. */
int sandbox_make_root(const struct sandbox_plan *p, struct err *e) must_check nonnull_all;

/* What its user may use up. */
int sandbox_set_limits(const struct sandbox_plan *p, struct err *e) must_check nonnull_all;

/* Becomes that user, without a capability (but those of the profile). */
int sandbox_drop_rights(const struct sandbox_plan *p, struct err *e) must_check nonnull_all;

/* Files and networks once more, by Landlock; nothing where the kernel has none. */
int sandbox_restrict_files(const struct sandbox_plan *p, struct err *e) must_check nonnull_all;

/* System calls; the last step, after which only the listed ones work. */
int sandbox_restrict_calls(const struct sandbox_plan *p, struct err *e) must_check nonnull_all;

/* 0: this kernel has no Landlock. */
int sandbox_landlock_version(void);

#endif
