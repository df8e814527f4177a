/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What dm.c and dmgroup.c share: single calls of libdevmapper. */
#ifndef GS_DMTASK_H
#define GS_DMTASK_H

#include <libdevmapper.h>

#include "attrs.h"
#include "err.h"

/* A task of a type (DM_DEVICE_...) for device name. Returns NULL and sets e (ENOMEM). */
struct dm_task *dmtask_new(int type, const char *name, struct err *e) must_check nonnull_all;

/* Runs task t and releases it. Returns 0 or -errno of the ioctl. */
int dmtask_run(struct dm_task *t) must_check nonnull_all;

#endif
