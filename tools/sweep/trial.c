/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trial.h"

#include <errno.h>

#include "log.h"
#include "snapshot.h"

#define ROOM_SPARE (16ULL << 20) /* bytes */

bool trial_has_room(const struct node *n, uint64_t bytes)
{
	uint64_t room = node_room(n);

	return room >= ROOM_SPARE && room - ROOM_SPARE >= bytes;
}

bool trial_has_room_or_note(struct node *n, uint64_t wrote)
{
	if (trial_has_room(n, 2 * wrote))
		return true;
	node_note(n, "no-room", "nothing is written: the layers below have room for %llu MiB only",
		  (unsigned long long)(node_room(n) >> 20));
	return false;
}

int trial_run(struct walk *w, const struct node *n,
	      int (*work)(const char *device, void *arg, struct err *e), void *arg, uint64_t *wrote,
	      struct err *e)
{
	struct snapshot s;
	struct err why = { 0 };
	int rc = snapshot_make(&s, n->parents[0]->device, n->bytes, n->id, w->env->work_dir, e);

	if (rc < 0)
		return err_wrap(e, "a snapshot to try it on");
	rc = work(s.device, arg, e);
	*wrote = snapshot_written(&s);
	if (snapshot_is_full(&s))
		rc = err_set_word(e, ENOMEM, "no-memory",
				  "the trial on a snapshot wrote more than the memory there is for it; give "
				  "the machine more, or use a mode that writes, which needs none for that");
	if (snapshot_drop(&s, &why) < 0)
		log_line("%s: %s", n->stack, why.text);
	return rc;
}
