/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "faultdisk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t random_state;

void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void seed(const char *text)
{
	random_state = (strtoull(text, NULL, 0) + 1) * 0x9e3779b97f4a7c15ull;
}

uint64_t random_number(uint64_t below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dull >> 16) % below;
}

void write_all(int fd, const void *data, size_t size, uint64_t offset)
{
	const char *at = data;

	while (size) {
		ssize_t n = pwrite(fd, at, size, (off_t)offset);

		if (n <= 0)
			die("write to a disk's file");
		at += n;
		size -= (size_t)n;
		offset += (size_t)n;
	}
}

static size_t open_disks(struct disk *disks, char **specs, int n)
{
	int i;

	if (n > MAX_DISKS) {
		fprintf(stderr, "faultdisk: more than %d disks\n", MAX_DISKS);
		exit(EXIT_FAILURE);
	}
	for (i = 0; i < n; i++)
		disk_open(&disks[i], specs[i]);
	return (size_t)n;
}

int main(int argc, char **argv)
{
	static struct disk disks[MAX_DISKS];
	size_t n;

	if (argc > 5 && strcmp(argv[1], "serve") == 0) {
		seed(argv[4]);
		n = open_disks(disks, argv + 5, argc - 5);
		return serve(argv[2], argv[3], disks, n);
	}
	if (argc == 3 && strcmp(argv[1], "moments") == 0)
		return moments(argv[2]);
	if (argc > 5 && strcmp(argv[1], "cut") == 0) {
		seed(argv[4]);
		n = open_disks(disks, argv + 5, argc - 5);
		return cut(argv[2], strtoull(argv[3], NULL, 0), disks, n);
	}
	fprintf(stderr, "usage: faultdisk serve SOCKET LOG SEED NAME=FILE[=RULES]...\n"
			"       faultdisk moments LOG\n"
			"       faultdisk cut LOG MOMENT SEED NAME=FILE...\n");
	return 2;
}
