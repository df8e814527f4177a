/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How code of ours answers out of its sandbox: in time, as a whole, and with texts that are a guest's. */
#ifndef GS_BOXTALK_H
#define GS_BOXTALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

/* Milliseconds on a clock that nobody sets. */
long boxtalk_now_ms(void);

/* Reads size bytes from fd, until the time until_ms or, unless NULL, cancelled() says so, which is asked once a
 * second. Returns how many came. */
size_t boxtalk_receive(int fd, void *buf, size_t size, long until_ms, bool (*cancelled)(void))
	must_check nonnull_at(2);

/* Takes over the error rc (-errno) with its texts, any bytes: cut, and escaped once more. Returns what rc may
 * be of that, -EIO for all else. */
int boxtalk_error(int32_t rc, const struct err *theirs, struct err *e) nonnull_all;

/* Says that a sandbox has ended before it has answered, by its wait status; -1: its time was over. Returns -EIO,
 * code tool-failed. */
int boxtalk_broken(int status, struct err *e) nonnull_all;

#endif
