/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How code of ours answers out of its sandbox: in time, as a whole, and with texts that are a guest's. */
#ifndef GS_BOXTALK_H
#define GS_BOXTALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

/* In front of an answer; any bytes of a guest's. */
struct boxtalk_head {
	int32_t rc;   /* 0 or -errno */
	struct err e; /* only where rc is not 0 */
};

/* In the sandbox: writes rc, e and the answer of size bytes to fd. Returns whether all of it was taken. */
bool boxtalk_answer(int fd, int32_t rc, const struct err *e, const void *answer, size_t size) nonnull_all;

/* Outside: takes what that has written to the other end of fd, until the time until_ms. Returns whether all of it
 * came. */
bool boxtalk_take(int fd, struct boxtalk_head *head, void *answer, size_t size, long until_ms)
	must_check nonnull_all;

/* Milliseconds on a clock that nobody sets. */
long boxtalk_now_ms(void);

/* Reads size bytes from fd, until the time until_ms or, unless NULL, cancelled() says so, which is asked once a
 * second. Returns how many came. */
size_t boxtalk_receive(int fd, void *buf, size_t size, long until_ms, bool (*cancelled)(void))
	must_check nonnull_at(2);

/* Takes over the error rc (-errno) with its texts, any bytes: cut, and escaped once more. Returns what rc may
 * be of that, -EIO for all else. */
int boxtalk_error(int32_t rc, const struct err *theirs, struct err *e) nonnull_all;

/* How a sandbox has ended, by its wait status, in a few words; -1: its time was over. Returns buf. */
char *boxtalk_end(int status, char *buf, size_t size) nonnull_all;

/* Says that a sandbox has ended before it has answered, by its wait status; -1: its time was over. Returns -EIO,
 * code tool-failed. */
int boxtalk_broken(int status, struct err *e) nonnull_all;

#endif
