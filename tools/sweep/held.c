/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "held.h"

#include <unistd.h>

#include "blockdev.h"

#define HELD_MAX 256 /* of the descriptors that a process may have */

static unsigned held;

void device_hold(struct node *n)
{
	struct err ignored;

	if (n->held >= 0 || held >= HELD_MAX)
		return;
	n->held = blockdev_open(n->device, &ignored);
	held += n->held >= 0;
}

void device_let_go(struct node *n)
{
	if (n->held < 0)
		return;
	close(n->held);
	n->held = -1;
	held--;
}
