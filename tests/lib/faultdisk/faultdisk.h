/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faultdisk: disks for a virtual machine that fail as they are told to, and that remember
 * every write in its order, so that a power cut at any moment can be had from one recording.
 *
 *   faultdisk serve SOCKET LOG SEED NAME=FILE[=RULES]...   an NBD server; ends with its last client
 *   faultdisk moments LOG                                  how many records, then the flushes' numbers
 *   faultdisk cut LOG MOMENT SEED NAME=FILE...             brings copies of the disks to that moment
 *
 * LOG is "-" where nothing is to be recorded. RULES: see rules.c; cut: see cut.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_DISKS 32
#define SECTOR 512

enum what { WHAT_NONE, WHAT_ERROR, WHAT_DROP, WHAT_CORRUPT, WHAT_HANG };
enum op { OP_READ = 1, OP_WRITE = 2, OP_FLUSH = 4 };

struct rule {
	unsigned ops;
	uint64_t first, last; /* sectors */
	enum what what;
	uint64_t after; /* so many requests pass first */
	uint64_t times; /* so many are meant then */
	uint64_t hang_s;
};

#define MAX_RULES 32

struct disk {
	char name[32];
	int fd;
	uint64_t bytes;
	struct rule rules[MAX_RULES];
	size_t n_rules;
	bool was_discarded;
};

/* What the log holds: this, and behind a KIND_WRITE its data. */
enum kind { KIND_WRITE = 1, KIND_ZERO, KIND_FLUSH };

struct record {
	uint32_t disk; /* its place in the list of disks */
	uint16_t kind, fua;
	uint64_t offset, length;
};

/* Numbers that depend on the seed alone (xorshift64*). */
extern uint64_t random_state;
uint64_t random_number(uint64_t below);

/* Parses "NAME=FILE[=RULES]" and opens both. Ends the program where it can't. */
void disk_open(struct disk *d, char *spec);

/* The rule that this request falls under, NULL: none. Counts. */
const struct rule *rules_ask(struct disk *d, enum op op, uint64_t offset, uint64_t length);

/* All of it or none: ends the program on an error. */
void write_all(int fd, const void *data, size_t size, uint64_t offset);
void __attribute__((noreturn)) die(const char *what);

int serve(const char *socket_path, const char *log, struct disk *disks, size_t n);
int moments(const char *log);
int cut(const char *log, uint64_t moment, struct disk *disks, size_t n);
