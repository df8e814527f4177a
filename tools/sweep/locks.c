/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "locks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY "memory"
#define KERNEL_NAMES "vg-" /* held for long, unlike a disk or memory */

struct lock {
	char name[LOCK_NAME_SIZE];
	int holder;
	uint64_t amount;
};

struct locks {
	struct lock *held;
	size_t n;
	uint64_t memory_kib;
};

struct locks *locks_new(uint64_t memory_kib)
{
	struct locks *l = calloc(1, sizeof(*l));

	if (l)
		l->memory_kib = memory_kib;
	return l;
}

void locks_free(struct locks *l)
{
	if (l)
		free(l->held);
	free(l);
}

uint64_t locks_memory(const struct locks *l)
{
	return l->memory_kib;
}

static bool is_kernel_name(const char *name)
{
	return strncmp(name, KERNEL_NAMES, strlen(KERNEL_NAMES)) == 0;
}

static bool holds_kernel_names(const struct locks *l, int holder)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->held[i].holder == holder && is_kernel_name(l->held[i].name))
			return true;
	return false;
}

/* 0: one can be had; -EBUSY, -EEXIST, -ENOMEM as locks_take(). */
static int look(const struct locks *l, const char *name, uint64_t amount)
{
	uint64_t room = strcmp(name, MEMORY) == 0 ? l->memory_kib : 1;
	uint64_t taken = 0;
	size_t i;

	if (amount > room)
		return -ENOMEM;
	for (i = 0; i < l->n; i++) {
		if (strcmp(l->held[i].name, name) != 0)
			continue;
		if (l->held[i].holder == LOCKS_HOST)
			return -EEXIST;
		taken += l->held[i].amount;
	}
	return taken + amount > room ? -EBUSY : 0;
}

int locks_take(struct locks *l, int holder, const char *const *names, size_t n, uint64_t amount)
{
	struct lock *grown = realloc(l->held, (l->n + n + 1) * sizeof(*grown));
	size_t i;

	if (!grown)
		return -ENOMEM;
	l->held = grown;
	for (i = 0; i < n; i++) {
		int rc = look(l, names[i], amount);

		if (rc == -EBUSY && is_kernel_name(names[i]) && holds_kernel_names(l, holder))
			return -EAGAIN;
		if (rc < 0)
			return rc;
	}
	for (i = 0; i < n; i++) {
		struct lock *lock = &l->held[l->n++];

		snprintf(lock->name, sizeof(lock->name), "%s", names[i]);
		lock->holder = holder;
		lock->amount = amount;
	}
	return 0;
}

static void drop(struct locks *l, size_t i)
{
	l->held[i] = l->held[--l->n];
}

void locks_release(struct locks *l, int holder, const char *const *names, size_t n,
		   uint64_t amount)
{
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < l->n; k++)
			if (l->held[k].holder == holder && l->held[k].amount == amount &&
			    strcmp(l->held[k].name, names[i]) == 0) {
				drop(l, k);
				break;
			}
}

void locks_release_all(struct locks *l, int holder)
{
	size_t i = 0;

	while (i < l->n)
		if (l->held[i].holder == holder)
			drop(l, i);
		else
			i++;
}
