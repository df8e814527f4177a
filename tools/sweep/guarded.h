/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the processes with rights do without. */
#ifndef GS_GUARDED_H
#define GS_GUARDED_H

/* For the supervisor, once; its workers inherit it: only the rights that mapping, mounting and making
 * sandboxes take, no core file, nobody may look into it; it is never the OOM killer's choice. What
 * can't be given up is told in the log. */
void guarded_supervisor(void);

/* For a worker, once: no network, no System V objects of others, an ordinary choice of the OOM killer. */
void guarded_worker(void);

#endif
