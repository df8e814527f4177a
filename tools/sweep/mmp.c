/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "mmp.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <ext2fs/ext2fs.h>

#include "boxtask.h"
#include "cleanup.h"
#include "guard.h"
#include "log.h"
#include "looks.h"
#include "sandbox_profiles.h"

#define SEQ_CLEAN 0xff4d4d50u /* EXT4_MMP_SEQ_CLEAN */
#define SEQ_FSCK 0xe24d4d50u  /* EXT4_MMP_SEQ_FSCK */
#define CLEAR_S 60

struct watched {
	struct node *node;
	struct extsuper super;
};

/* Past every cache: another system writes it. */
static int read_seq(const struct watched *x, uint32_t *seq)
{
	const struct field field = { x->super.mmp_at + offsetof(struct mmp_struct, mmp_seq), 4, false };
	uint64_t value;
	struct err e;
	int rc = look_fields(x->node->parents[0]->device, &field, 1, true, &value, &e);

	if (rc == 0)
		*seq = (uint32_t)value;
	return rc;
}

/* Whether there is something to watch. */
static bool begin(struct watched *x, struct node *n, const struct extsuper *s)
{
	x->node = n;
	x->super = *s;
	if (!x->super.mmp_at || x->super.mmp_seq == SEQ_CLEAN)
		return false;
	if (x->super.mmp_seq != SEQ_FSCK)
		return true;
	node_forbid(n, "in-use",
		    "its multi-mount protection says that an e2fsck is at it, or one was killed; if none "
		    "is, tune2fs -f -E clear_mmp clears that");
	return false;
}

/* Returns whether the number has changed. */
static bool is_alive(const struct watched *x)
{
	uint32_t seq;

	if (read_seq(x, &seq) < 0 || seq == x->super.mmp_seq)
		return false;
	node_forbid(x->node, "in-use", "another system has it mounted (multi-mount protection)");
	return true;
}

static void watch(const struct walk *w, struct watched *x, size_t n)
{
	const struct timespec second = { .tv_sec = 1 };
	unsigned longest = 0, s;
	size_t i;

	for (i = 0; i < n; i++) {
		/* what the kernel has cached of it may be older than the disk */
		if (read_seq(&x[i], &x[i].super.mmp_seq) < 0)
			log_line("%s: its multi-mount protection can't be read", x[i].node->stack);
		if (x[i].super.mmp_wait_s > longest)
			longest = x[i].super.mmp_wait_s;
	}
	for (s = 0; s < longest && !w->env->cancelled(); s++) {
		nanosleep(&second, NULL);
		for (i = 0; i < n; i++)
			if (is_alive(&x[i]))
				return;
	}
}

void mmp_guard(struct walk *w, struct node *const *nodes, const struct extsuper *const *supers, size_t n)
{
	cleanup_free struct watched *x = calloc(n, sizeof(*x));
	size_t found = 0, i;

	for (i = 0; x && i < n; i++)
		found += supers[i] && begin(&x[found], nodes[i], supers[i]);
	if (found && !guard_find(w))
		watch(w, x, found);
}

/* In the sandbox. */
static int clear(const void *device, void *nothing, struct err *e)
{
	ext2_filsys fs;

	(void)nothing;
	if (ext2fs_open(device, EXT2_FLAG_RW | EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP, 0, 0, unix_io_manager, &fs) ||
	    ext2fs_mmp_clear(fs))
		return err_set(e, EIO, "it is damaged");
	return 0;
}

void mmp_clear_copy(const char *device, const struct extsuper *s)
{
	const struct sandbox_path path = { device, true };
	const struct boxtask task = { .profile = &sandbox_e2fsck, .device = &path, .seconds = CLEAR_S,
				      .name = "clearing it", .work = clear, .arg = device };
	char nothing;
	struct err e;

	if (!s->mmp_at || s->mmp_seq == SEQ_CLEAN)
		return;
	if (boxtask_run(&task, &nothing, sizeof(nothing), &e) < 0)
		log_line("%s: its multi-mount protection can't be cleared: %s", device, e.text);
}
