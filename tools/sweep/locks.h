/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the workers share: names in the kernel's one name space, rotating disks,
 * memory. A holder asks for several at once and gets all or none, so that two
 * never wait for each other; where that could happen after all, one is told to
 * give up and come back alone.
 */
#ifndef GS_LOCKS_H
#define GS_LOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "attrs.h"

#define LOCK_NAME_SIZE 192
#define LOCKS_HOST (-1) /* the holder that never gives back */

struct locks;

/* memory: how much of the resource "memory" there is, in KiB; every other resource
 * is there once. Returns NULL where there is no memory. */
struct locks *locks_new(uint64_t memory_kib) must_check;
void locks_free(struct locks *l);

/* Gives amount of each of the n names to holder, or none. Returns 0: granted;
 * -EBUSY: ask again once somebody has released; -EAGAIN: holder has other names
 * and must give them back first; -EEXIST: the host has it for good; -ENOMEM: more
 * than there is. */
int locks_take(struct locks *l, int holder, const char *const *names, size_t n, uint64_t amount)
	must_check nonnull_all;
void locks_release(struct locks *l, int holder, const char *const *names, size_t n,
		   uint64_t amount) nonnull_all;
/* Everything that holder has. */
void locks_release_all(struct locks *l, int holder) nonnull_all;

/* How much of "memory" there is at all, in KiB. */
uint64_t locks_memory(const struct locks *l) nonnull_all;

#endif
