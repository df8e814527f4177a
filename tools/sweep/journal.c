/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"

#define JOURNAL_MAX (4u << 20) /* bytes; more is neither written nor read */
#define LINE_SIZE 1200
/* Zeros behind the lines of the start: lines that overwrite them change no metadata, which
 * makes a commit of theirs a single write. */
#define ROOM 32768

static void clear(struct journal *j)
{
	size_t i;

	for (i = 0; i < j->n; i++)
		free(j->entry[i].key);
	free(j->entry);
	free(j->pending);
	memset(j, 0, sizeof(*j));
	j->fd = -1;
}

int journal_read(struct journal *j, const char *folder, struct err *e)
{
	cleanup_free char *text = NULL;
	char path[sizeof(j->path)];
	size_t size;
	int rc;

	memset(j, 0, sizeof(*j));
	clear(j);
	snprintf(path, sizeof(path), "%s/journal", folder);
	rc = file_read(path, JOURNAL_MAX, &text, &size, e);
	if (rc == 0)
		rc = journal_recover(j, text, size, e);
	if (rc < 0)
		clear(j);
	memcpy(j->path, path, sizeof(j->path));
	j->run++;
	return rc == -ENOENT ? 0 : rc;
}

static int make_room(struct journal *j, size_t size)
{
	size_t room = 2 * (j->pending_size + size);
	char *grown;

	if (j->pending_size + size <= j->pending_room)
		return 0;
	grown = realloc(j->pending, room);
	if (!grown)
		return -ENOMEM;
	j->pending = grown;
	j->pending_room = room;
	return 0;
}

/* Without memory a line is left out, as if the power had gone before it. */
static void add(struct journal *j, const char *fmt, ...) printf_like(2, 3);
static void add(struct journal *j, const char *fmt, ...)
{
	char line[LINE_SIZE], whole[LINE_SIZE + 16];
	va_list ap;
	int n;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	n = snprintf(whole, sizeof(whole), "%08x %s\n", journal_sum(line, strlen(line)), line);
	if (make_room(j, (size_t)n) == 0) {
		memcpy(j->pending + j->pending_size, whole, (size_t)n);
		j->pending_size += (size_t)n;
	}
}

void journal_note(struct journal *j, enum journal_state state, unsigned attempt, const char *key)
{
	static const char *const words[] = {
		[JOURNAL_OPENED] = "opened", [JOURNAL_CHECKING] = "checking",
		[JOURNAL_DONE] = "done", [JOURNAL_LEFT] = "left",
	};

	if (state == JOURNAL_PLANNED)
		add(j, "planned %s", key);
	else
		add(j, "%s %u %s", words[state], attempt, key);
}

/* What the file begins with, then the lines noted so far, then room. */
static char *first_text(struct journal *j, size_t *size)
{
	struct journal head = { .fd = -1 };
	char *text;
	size_t i;

	add(&head, "run %llu", j->run);
	for (i = 0; i < j->n; i++)
		add(&head, "interrupted %u %s %s", j->entry[i].times,
		    j->entry[i].checking ? "checking" : "opening", j->entry[i].key);
	*size = head.pending_size + j->pending_size;
	text = calloc(1, *size + ROOM);
	if (text) {
		memcpy(text, head.pending, head.pending_size);
		memcpy(text + head.pending_size, j->pending ? j->pending : "", j->pending_size);
	}
	free(head.pending);
	return text;
}

int journal_start(struct journal *j, struct err *e)
{
	size_t size;
	cleanup_free char *text = first_text(j, &size);
	int rc;

	j->pending_size = 0;
	if (!text)
		return err_set(e, ENOMEM, "no memory for the journal");
	rc = file_write_atomic(j->path, text, size + ROOM, e);
	if (rc < 0)
		return rc;
	j->fd = open(j->path, O_WRONLY | O_CLOEXEC);
	if (j->fd < 0)
		return err_set(e, errno, "open %s: %s", j->path, strerror(errno));
	j->end = (off_t)size;
	return 0;
}

static int write_pending(struct journal *j)
{
	size_t done = 0;

	if (j->end + (off_t)j->pending_size > (off_t)JOURNAL_MAX)
		return -EFBIG;
	while (done < j->pending_size) {
		ssize_t n = pwrite(j->fd, j->pending + done, j->pending_size - done, j->end + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	j->end += (off_t)done;
	return fdatasync(j->fd) < 0 ? -errno : 0;
}

int journal_commit(struct journal *j, struct err *e)
{
	int rc = j->fd >= 0 && j->pending_size ? write_pending(j) : 0;

	j->pending_size = 0;
	if (rc == 0)
		return 0;
	close(steal_fd(&j->fd));
	return err_set(e, -rc, "write %s: %s", j->path, strerror(-rc));
}

int journal_finish(struct journal *j, struct err *e)
{
	add(j, "end");
	return journal_commit(j, e);
}

unsigned journal_times(const struct journal *j, const char *key)
{
	size_t i;

	for (i = 0; i < j->n; i++)
		if (strcmp(j->entry[i].key, key) == 0)
			return j->entry[i].times;
	return 0;
}

bool journal_concerns(const struct journal *j, const char *volume)
{
	size_t n = strlen(volume), i;

	for (i = 0; i < j->n; i++)
		if (strncmp(j->entry[i].key, volume, n) == 0 &&
		    (j->entry[i].key[n] == 0 || strncmp(j->entry[i].key + n, " > ", 3) == 0))
			return true;
	return false;
}

void journal_abandon(struct journal *j)
{
	if (j->fd >= 0)
		close(steal_fd(&j->fd));
}

void journal_close(struct journal *j)
{
	journal_abandon(j);
	clear(j);
}
