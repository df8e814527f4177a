/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads what stands on devices, for a process that has rights, in one that has none. Each process of
 * the sweep has a reader of its own in a sandbox (tools/lib/sandbox.h) without a device or a file. It
 * gets open descriptors, and what it answers is taken for bytes of a guest's: read with its limits
 * checked, by looks.c, images/boxed.c and savesearch.c. Where the devices may be several owners', a child
 * of it answers each question, so that none can tell lies about another's; where all are one's, it answers
 * by itself. One that crashes, asks the kernel for anything unusual, or does not end, costs its answer
 * alone.
 */
#ifndef GS_READER_H
#define GS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

#define READER_ANSWER_MAX (128u << 10)
#define READER_TEXT_MAX 8192
#define READER_FD 3 /* where a task has its device or file open */
#define READER_DEVICE "/dev/fd/3" /* the same as a path */

/* What is asked; plain data. */
struct reader_question {
	uint64_t bytes;  /* of the device or file */
	uint32_t number; /* the task's */
	bool past_cache; /* reader_ask() opens the device with O_DIRECT */
	char text[READER_TEXT_MAX]; /* the task's */
};

/* Runs in the reader. Fills answer (size bytes, zeroed). Returns 0 or -errno and e. */
typedef int (*reader_task)(const struct reader_question *q, void *answer, struct err *e);

/* Has task look at device and copies its answer of size bytes (READER_ANSWER_MAX at most) to answer.
 * Returns what the task has returned, and its e with its texts escaped; -EIO, code tool-failed, where it
 * broke; -errno, code io-error, of opening the device. */
int reader_ask(const char *device, reader_task task, const struct reader_question *q, void *answer,
	       size_t size, struct err *e) must_check nonnull_all;

/* The same about what is open as fd for reading, which stays open: a file of a host's filesystem. Such files
 * may be several owners': from here on a child answers each question, also after reader_of_one_owner(). */
int reader_ask_fd(int fd, reader_task task, const struct reader_question *q, void *answer, size_t size,
		  struct err *e) must_check nonnull_at(2, 3, 4, 6);

/* An answer that the task can't have given. Returns -EIO and e, code tool-failed. */
int reader_nonsense(struct err *e) nonnull_all;

/* No answer is waited for longer than left() says, in seconds, but for a moment: of this process. */
void reader_bound_by(unsigned (*left)(void)) nonnull_all;

/* For a child of fork(2), whose parent's reader it is not to use: its own will be asked about the devices
 * of one owner only. */
void reader_of_one_owner(void);

#endif
