/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * undo_order BASE LOG REPLAY: plays a log of all writes to a disk (the format of dm-log-writes, as QEMU's blklogwrites writes it) over
 * the disk's old content BASE, from flush to flush. REPLAY names the parts of the disk, in sectors of 512 bytes: "report START SIZE", an ext4
 * filesystem with the undo files, and "N START SIZE", partition N, which undo files take back.
 *
 * What is written between two flushes may be on the disk or not when the power goes. So for each such step in which a partition was
 * written to: the undo files that are on the report filesystem as the flush before left it, its own journal replayed, played onto the
 * partition as it is with all of the step's writes, know its superblock and give its old content. Exit status 0: so it is, at every step; prints how many there were.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json_util.h>

#include "nodejson.h"
#include "undofile.h"

#define LOG_MAGIC 0x6a736677736872ULL
#define FLUSH 1u
#define DISCARD 4u
#define PARTS_MAX 16
#define SECTOR 512u

struct log_super { uint64_t magic, version, entries; uint32_t sector; } __attribute__((packed));
struct log_entry { uint64_t sector, sectors, flags, data; } __attribute__((packed));

static struct part { unsigned number; uint64_t start, size; bool written; } parts[PARTS_MAX]; /* bytes; 0: the report */
static size_t n_parts;
static unsigned char *old, *now, *before; /* the disk: at first, as it is, its report filesystem at the last flush */
static uint64_t size;
static char folder[] = "/tmp/undo-order.XXXXXX";
static unsigned steps, played;

static void __attribute__((noreturn)) printf_like(1, 2) die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* A command that may end with a status up to most. */
static void printf_like(2, 3) run(int most, const char *fmt, ...)
{
	char command[1024];
	va_list ap;
	int status;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	status = system(command);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > most)
		die("%s: status %d", command, status);
}

static unsigned char *map(const char *path, bool shared)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		die("%s: %s", path, strerror(errno));
	size = (uint64_t)st.st_size;
	p = mmap(NULL, size, PROT_READ | (shared ? 0 : PROT_WRITE), MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		die("%s: %s", path, strerror(errno));
	close(fd);
	return p;
}

static void write_file(const char *path, const unsigned char *data, uint64_t bytes)
{
	static const unsigned char zeros[4096];
	FILE *f = fopen(path, "we");
	uint64_t at;

	if (!f)
		die("%s: %s", path, strerror(errno));
	for (at = 0; at < bytes; at += sizeof(zeros))
		if (memcmp(data + at, zeros, sizeof(zeros)) != 0 &&
		    (fseeko(f, (off_t)at, SEEK_SET) < 0 || fwrite(data + at, sizeof(zeros), 1, f) != 1))
			die("%s: %s", path, strerror(errno));
	if (fflush(f) != 0 || ftruncate(fileno(f), (off_t)bytes) < 0)
		die("%s: %s", path, strerror(errno));
	fclose(f);
}

/* Plays the undo file that belongs to part, if one does, onto the copy of it at path. */
static void play(const struct part *part, const char *json, const char *path)
{
	json_object *o = json_object_from_file(json);
	char undo[1200];
	struct undofile u;
	struct err e = { 0 };
	const char *number = o ? strstr(json_text(o, "device"), "gpt:") : NULL;
	int file, device;

	if (!number || (unsigned)atoi(number + 4) != part->number) {
		json_object_put(o);
		return;
	}
	json_object_put(o);
	snprintf(undo, sizeof(undo), "%.*s.e2undo", (int)(strlen(json) - strlen(".json")), json);
	file = open(undo, O_RDONLY | O_CLOEXEC);
	device = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0 || device < 0)
		die("%s, %s: %s", undo, path, strerror(errno));
	if (undofile_open(&u, file, &e) < 0)
		die("step %u, partition %u: %s", steps, part->number, e.text);
	if (!undofile_knows_super(&u, device))
		die("step %u, partition %u: its superblock is none that the undo file knows", steps, part->number);
	if (undofile_play(&u, device, &e) < 0)
		die("step %u, partition %u: %s", steps, part->number, e.text);
	close(file);
	close(device);
	played++;
}

static void play_all(const struct part *part, const char *path)
{
	char list[1024], line[1024];
	FILE *f;

	snprintf(list, sizeof(list), "find %s/files -name '*.json' -path '*/undo/*'", folder);
	f = popen(list, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		play(part, line, path);
	}
	if (!f || pclose(f) != 0)
		die("%s", list);
}

static void check_part(const struct part *part)
{
	char path[1024];
	unsigned char *copy;
	uint64_t disk = size;

	snprintf(path, sizeof(path), "%s/part", folder);
	write_file(path, now + part->start, part->size);
	play_all(part, path);
	copy = map(path, true);
	if (memcmp(copy, old + part->start, part->size) != 0)
		die("step %u: partition %u is not what it was, whatever is played back", steps, part->number);
	munmap(copy, part->size);
	size = disk;
}

/* A flush: what was written since the one before. */
static void end_step(const struct part *report)
{
	char image[1024];
	bool ready = false;
	size_t i;

	for (i = 0; i < n_parts; i++) {
		struct part *p = &parts[i];

		if (!p->number || !p->written)
			continue;
		p->written = false;
		steps++;
		if (!ready) {
			snprintf(image, sizeof(image), "%s/report", folder);
			write_file(image, before, report->size);
			run(2, "e2fsck -f -y %s > %s/log 2>&1", image, folder);
			run(0, "rm -rf %s/files; mkdir %s/files", folder, folder);
			run(0, "debugfs -R 'rdump / %s/files' %s > /dev/null 2>&1", folder, image);
			ready = true;
		}
		check_part(p);
	}
	memcpy(before, now + report->start, report->size);
}

static void apply(const struct log_entry *entry, const unsigned char *data, uint64_t sector)
{
	uint64_t at = entry->sector * sector, bytes = entry->sectors * sector;
	size_t i;

	if (at > size || bytes > size - at)
		die("the log writes beyond the disk");
	if (entry->flags & DISCARD)
		memset(now + at, 0, bytes);
	else
		memcpy(now + at, data, bytes);
	for (i = 0; i < n_parts; i++)
		if (bytes && at < parts[i].start + parts[i].size && parts[i].start < at + bytes)
			parts[i].written = true;
}

static const struct part *read_parts(const char *path)
{
	const struct part *report = NULL;
	FILE *f = fopen(path, "re");
	char name[32];
	unsigned long long start, sectors;

	while (f && n_parts < PARTS_MAX && fscanf(f, "%31s %llu %llu", name, &start, &sectors) == 3) {
		parts[n_parts] = (struct part){ .number = (unsigned)atoi(name), .start = start * SECTOR,
						.size = sectors * SECTOR };
		if (!parts[n_parts].number)
			report = &parts[n_parts];
		n_parts++;
	}
	if (!report)
		die("%s names no report", path);
	fclose(f);
	return report;
}

int main(int argc, char **argv)
{
	const struct part *report;
	struct log_super super;
	unsigned char *log;
	uint64_t i, at, log_size;

	if (argc != 4)
		die("usage: undo_order BASE LOG REPLAY");
	log = map(argv[2], true);
	log_size = size;
	old = map(argv[1], true);
	now = map(argv[1], false);
	report = read_parts(argv[3]);
	before = malloc(report->size);
	if (!before || !mkdtemp(folder))
		die("%s: %s", folder, strerror(errno));
	memcpy(before, now + report->start, report->size);
	memcpy(&super, log, sizeof(super));
	if (super.magic != LOG_MAGIC || super.version != 1)
		die("%s is no log of writes", argv[2]);
	for (i = 0, at = super.sector; i < super.entries; i++) {
		struct log_entry entry;

		if (at + super.sector > log_size)
			die("%s is cut off", argv[2]);
		memcpy(&entry, log + at, sizeof(entry));
		at += super.sector;
		if (entry.flags & FLUSH)
			end_step(report);
		apply(&entry, log + at, super.sector);
		if (!(entry.flags & DISCARD))
			at += entry.sectors * super.sector;
	}
	end_step(report);
	run(0, "rm -rf %s", folder);
	printf("%llu writes, %u steps with writes to a guest, %u undo files played\n",
	       (unsigned long long)super.entries, steps, played);
	return steps && played ? 0 : 1;
}
