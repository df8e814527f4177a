/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "rights.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#define CAPABILITIES 64 /* the kernel says EINVAL to the first that it does not know */

/* What the bounding set of this process can still have; a child begins with it. Each that goes costs new credentials, and
 * sandboxes are made by who has few. */
static uint64_t left = ~0ULL;

int rights_bound(uint64_t capabilities, struct err *e)
{
	unsigned long i;

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_set(e, errno, "ambient capabilities: %s", strerror(errno));
	for (i = 0; i < CAPABILITIES; i++)
		if (left & ~capabilities & 1ULL << i && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) {
			if (errno != EINVAL)
				return err_set(e, errno, "bounding set: %s", strerror(errno));
			break;
		}
	left &= capabilities;
	return 0;
}

int rights_keep(uint64_t capabilities, struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return err_set(e, errno, "capabilities: %s", strerror(errno));
	for (int i = 0; i < 2; i++) {
		uint32_t kept = (uint32_t)(capabilities >> 32 * i);

		data[i].permitted &= kept;
		data[i].effective &= kept;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return err_set(e, errno, "capabilities: %s", strerror(errno));
	return 0;
}
