/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A power cut at any moment of a recording. What a disk had flushed before it is there. Of what
 * came after its last flush a disk may have any part, as the seed says: each write whole, torn
 * between two sectors, or not at all. Seed 0 keeps all of it, as if only the machine had died.
 */
#define _GNU_SOURCE
#include "faultdisk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct recording {
	const char *at, *end;
};

static struct recording load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *all;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		die(path);
	all = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (all == MAP_FAILED)
		die(path);
	return (struct recording){ all, (const char *)all + st.st_size };
}

/* The next record, with its data where it has some. The last one may be cut off itself. */
static bool next(struct recording *l, struct record *r, const char **its_data)
{
	size_t size;

	if ((size_t)(l->end - l->at) < sizeof(*r))
		return false;
	memcpy(r, l->at, sizeof(*r));
	size = r->kind == KIND_WRITE ? r->length : 0;
	*its_data = l->at + sizeof(*r);
	if ((size_t)(l->end - *its_data) < size)
		return false;
	l->at = *its_data + size;
	return true;
}

int moments(const char *log)
{
	struct recording l = load(log);
	struct record r;
	const char *ignored;
	uint64_t n = 0;

	while (next(&l, &r, &ignored)) {
		n++;
		if (r.kind == KIND_FLUSH)
			printf("flush %llu %u\n", (unsigned long long)n, r.disk);
	}
	printf("records %llu\n", (unsigned long long)n);
	return EXIT_SUCCESS;
}

/* By disk, the number of the last flush up to that moment. */
static void last_flushes(struct recording l, uint64_t moment, uint64_t *last)
{
	struct record r;
	const char *ignored;
	uint64_t n = 0;

	while (n < moment && next(&l, &r, &ignored)) {
		n++;
		if (r.kind == KIND_FLUSH && r.disk < MAX_DISKS)
			last[r.disk] = n;
	}
}

/* How much of a write that was not flushed has reached the disk. */
static uint64_t survived(const struct record *r)
{
	switch (random_number(4)) {
	case 0:
		return 0;
	case 1:
		return random_number(r->length / SECTOR + 1) * SECTOR;
	default:
		return r->length;
	}
}

static void apply(const struct disk *d, const struct record *r, const char *its_data, uint64_t length)
{
	if (!length)
		return;
	if (r->kind == KIND_WRITE)
		write_all(d->fd, its_data, length, r->offset);
	else if (fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)r->offset,
			   (off_t)length) < 0)
		die("zeroes");
}

/* disks: in the order in which they were served, or the first of them. */
int cut(const char *log, uint64_t moment, struct disk *disks, size_t n)
{
	struct recording l = load(log);
	uint64_t last[MAX_DISKS] = { 0 }, number = 0;
	bool lossy = random_state != 0x9e3779b97f4a7c15ull; /* seed 0 */
	struct record r;
	const char *its_data;

	last_flushes(l, moment, last);
	while (number < moment && next(&l, &r, &its_data)) {
		uint64_t length = r.length;

		number++;
		if (r.kind == KIND_FLUSH || r.disk >= MAX_DISKS)
			continue;
		if (lossy && number > last[r.disk] && !r.fua)
			length = survived(&r);
		if (r.disk < n)
			apply(&disks[r.disk], &r, its_data, length);
	}
	return EXIT_SUCCESS;
}
