/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel said of a device while a checker ran. Format of /dev/kmsg:
 * Documentation/ABI/testing/dev-kmsg. */
#ifndef GS_KERNELLOG_H
#define GS_KERNELLOG_H

#include <stdbool.h>

#include "attrs.h"

/* A descriptor that stands at the log's present end; -1 where there is none. */
int kernellog_mark(void);

/* true where the kernel has reported an I/O error on the block device with this
 * kernel name ("dm-3") since the mark. */
bool kernellog_has_io_error(int mark, const char *kernel_name) nonnull_all;

/* true where the kernel has killed something since the mark for want of memory. */
bool kernellog_has_oom_kill(int mark);

#endif
