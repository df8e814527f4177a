/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which requests fail, and how. A rules file has a line each, the first that fits counts:
 *
 *   OPS FIRST LAST WHAT [after=N] [times=N] [seconds=N]
 *
 * OPS      read, write, flush, or several with commas: read,write
 * FIRST LAST  sectors of 512 bytes; a request that touches one of them is meant; a flush always
 * WHAT     error    answered with EIO
 *          drop     a write that is answered as done, and isn't; a flush is always harmless
 *          corrupt  one byte of each sector differs, in what is read or in what is written; the seed says which
 *          hang     answered only after so many seconds (600), and then with EIO
 * after    so many requests that fit pass first
 * times    then so many are meant, and the next ones pass again; all if not given
 */
#define _GNU_SOURCE
#include "faultdisk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HANG_S 600

static void wrong(const char *path, const char *line)
{
	fprintf(stderr, "%s: can't make sense of this line: %s\n", path, line);
	exit(EXIT_FAILURE);
}

static unsigned ops_of(char *words)
{
	unsigned ops = 0;
	char *word, *rest;

	for (word = strtok_r(words, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (strcmp(word, "read") == 0)
			ops |= OP_READ;
		else if (strcmp(word, "write") == 0)
			ops |= OP_WRITE;
		else if (strcmp(word, "flush") == 0)
			ops |= OP_FLUSH;
		else
			return 0;
	}
	return ops;
}

static enum what what_of(const char *word)
{
	static const char *const names[] = { [WHAT_ERROR] = "error", [WHAT_DROP] = "drop",
					     [WHAT_CORRUPT] = "corrupt", [WHAT_HANG] = "hang" };
	size_t i;

	for (i = WHAT_ERROR; i <= WHAT_HANG; i++)
		if (strcmp(word, names[i]) == 0)
			return (enum what)i;
	return WHAT_NONE;
}

static void read_rules(struct disk *d, const char *path)
{
	char line[256], ops[32], what[16], more[3][32], whole[256];
	FILE *f = fopen(path, "re");
	unsigned long long first, last;
	int n, i;

	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f)) {
		struct rule r = { .hang_s = HANG_S, .times = UINT64_MAX };

		strcpy(whole, line);
		n = sscanf(line, "%31s %llu %llu %15s %31s %31s %31s", ops, &first, &last, what, more[0], more[1],
			   more[2]);
		if (n < 4 || d->n_rules == MAX_RULES)
			wrong(path, whole);
		r.ops = ops_of(ops);
		r.what = what_of(what);
		r.first = first;
		r.last = last;
		for (i = 0; i < n - 4; i++)
			if (sscanf(more[i], "after=%llu", &first) == 1)
				r.after = first;
			else if (sscanf(more[i], "times=%llu", &first) == 1)
				r.times = first;
			else if (sscanf(more[i], "seconds=%llu", &first) == 1)
				r.hang_s = first;
			else
				wrong(path, whole);
		if (!r.ops || !r.what || r.last < r.first)
			wrong(path, whole);
		d->rules[d->n_rules++] = r;
	}
	fclose(f);
}

void disk_open(struct disk *d, char *spec)
{
	char *rest, *name = strtok_r(spec, "=", &rest), *file = strtok_r(NULL, "=", &rest);
	char *rules = strtok_r(NULL, "=", &rest);
	struct stat st;

	d->fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	if (d->fd < 0 || fstat(d->fd, &st) < 0)
		die(spec);
	snprintf(d->name, sizeof(d->name), "%s", name);
	d->bytes = (uint64_t)st.st_size;
	if (rules)
		read_rules(d, rules);
}

const struct rule *rules_ask(struct disk *d, enum op op, uint64_t offset, uint64_t length)
{
	uint64_t first = offset / SECTOR, last = (offset + length - !!length) / SECTOR;
	size_t i;

	for (i = 0; i < d->n_rules; i++) {
		struct rule *r = &d->rules[i];

		if (!(r->ops & op) || (op != OP_FLUSH && (last < r->first || first > r->last)))
			continue;
		if (r->after) {
			r->after--;
		} else if (r->times) {
			r->times--;
			return r;
		}
	}
	return NULL;
}
