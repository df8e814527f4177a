/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an old journal says. It may end anywhere, and be damaged anywhere. */
#include "journal.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ext2fs/ext2fs.h>

#define SUM_SIZE 9 /* "1234abcd " */
#define MAX_ENTRIES 256
#define MAX_TIMES 1000
#define MAX_BEGUN 1024 /* at the same time; a sweep has some dozen */

/* Something that an attempt has begun with, and not ended. */
struct begun {
	unsigned long attempt;
	bool checking;
	const char *key; /* in the text */
};

struct reading {
	struct journal *j;
	struct begun *begun;
	size_t n_begun;
	bool ended;
};

unsigned journal_sum(const char *line, size_t size)
{
	return ext2fs_crc32c_le(~0U, (const unsigned char *)line, size);
}

static struct journal_entry *find(const struct journal *j, const char *key)
{
	size_t i;

	for (i = 0; i < j->n; i++)
		if (strcmp(j->entry[i].key, key) == 0)
			return &j->entry[i];
	return NULL;
}

static void forget(struct journal *j, struct journal_entry *entry)
{
	free(entry->key);
	memmove(entry, entry + 1, (size_t)(j->entry + j->n - (entry + 1)) * sizeof(*entry));
	j->n--;
}

/* Of too many the oldest is forgotten. */
static int count(struct journal *j, const char *key, bool checking, unsigned times, bool fresh)
{
	struct journal_entry *entry = find(j, key), *grown;
	char *copy;

	if (!entry) {
		if (j->n == MAX_ENTRIES)
			forget(j, j->entry);
		grown = realloc(j->entry, (j->n + 1) * sizeof(*grown));
		copy = strdup(key);
		if (grown)
			j->entry = grown;
		if (!grown || !copy) {
			free(copy);
			return -ENOMEM;
		}
		entry = &j->entry[j->n++];
		*entry = (struct journal_entry){ .key = copy };
	}
	entry->checking = checking;
	entry->times += times;
	entry->fresh = fresh;
	return 0;
}

static int begin(struct reading *r, bool checking, unsigned long attempt, const char *key)
{
	struct begun *grown;

	if (r->n_begun == MAX_BEGUN)
		return 0;
	grown = realloc(r->begun, (r->n_begun + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	r->begun = grown;
	r->begun[r->n_begun++] = (struct begun){ .attempt = attempt, .checking = checking, .key = key };
	return 0;
}

static void is_over(struct reading *r, bool done, unsigned long attempt, const char *key)
{
	struct journal_entry *entry = done ? find(r->j, key) : NULL;
	size_t kept = 0, i;

	if (entry)
		forget(r->j, entry);
	for (i = 0; i < r->n_begun; i++) {
		const struct begun *b = &r->begun[i];

		if (b->attempt != attempt || strcmp(b->key, key) != 0)
			r->begun[kept++] = *b;
		else
			r->j->done += done && !b->checking;
	}
	r->n_begun = kept;
}

/* Takes a number and the blank behind it off the line. Returns whether there is one. */
static bool take_number(char **line, unsigned long *number)
{
	char *end;

	if (**line < '0' || **line > '9')
		return false;
	errno = 0;
	*number = strtoul(*line, &end, 10);
	if (errno || *end != ' ' || !end[1])
		return false;
	*line = end + 1;
	return true;
}

static bool take_word(char **line, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*line, word, n) != 0 || (*line)[n] != ' ')
		return false;
	*line += n + 1;
	return true;
}

static int take_interrupted(struct reading *r, char *line)
{
	unsigned long times;
	bool checking;

	if (!take_number(&line, &times) || times == 0 || times > MAX_TIMES)
		return 0;
	checking = take_word(&line, "checking");
	if (!checking && !take_word(&line, "opening"))
		return 0;
	return *line ? count(r->j, line, checking, (unsigned)times, false) : 0;
}

/* A line that makes no sense is one that is not there. */
static int take(struct reading *r, char *line)
{
	unsigned long attempt;

	if (strcmp(line, "end") == 0) {
		r->ended = true;
	} else if (take_word(&line, "run")) {
		r->j->run = strtoull(line, NULL, 10);
	} else if (take_word(&line, "interrupted")) {
		return take_interrupted(r, line);
	} else if (take_word(&line, "planned")) {
		r->j->planned++;
	} else if (take_word(&line, "opened")) {
		return take_number(&line, &attempt) ? begin(r, false, attempt, line) : 0;
	} else if (take_word(&line, "checking")) {
		return take_number(&line, &attempt) ? begin(r, true, attempt, line) : 0;
	} else if (take_word(&line, "done")) {
		if (take_number(&line, &attempt))
			is_over(r, true, attempt, line);
	} else if (take_word(&line, "left")) {
		if (take_number(&line, &attempt))
			is_over(r, false, attempt, line);
	}
	return 0;
}

static bool is_whole(const char *line, size_t size)
{
	char *end;

	return size > SUM_SIZE && line[SUM_SIZE - 1] == ' ' &&
	       strtoul(line, &end, 16) == journal_sum(line + SUM_SIZE, size - SUM_SIZE) &&
	       end == line + SUM_SIZE - 1;
}

static bool was_checking(const struct reading *r, unsigned long attempt)
{
	size_t i;

	for (i = 0; i < r->n_begun; i++)
		if (r->begun[i].checking && r->begun[i].attempt == attempt)
			return true;
	return false;
}

/* A filesystem that was being checked counts for itself; where an attempt had none, its volumes
 * do: opening them is what it was at. */
static int count_interrupted(struct reading *r)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < r->n_begun && rc == 0; i++) {
		const struct begun *b = &r->begun[i];

		if (b->checking || !was_checking(r, b->attempt))
			rc = count(r->j, b->key, b->checking, 1, true);
	}
	return rc;
}

int journal_recover(struct journal *j, const char *text, size_t size, struct err *e)
{
	struct reading r = { .j = j };
	char *copy = malloc(size + 1), *line, *next;
	int rc = 0;

	if (!copy)
		return err_set(e, ENOMEM, "no memory for the journal");
	memcpy(copy, text, size);
	copy[size] = 0;
	for (line = copy; rc == 0 && line < copy + size; line = next) {
		size_t left = (size_t)(copy + size - line), n;

		next = memchr(line, '\n', left);
		if (!next)
			break;
		n = (size_t)(next - line);
		*next++ = 0;
		if (strlen(line) == n && is_whole(line, n))
			rc = take(&r, line + SUM_SIZE);
	}
	j->was_cut = j->run && !r.ended;
	if (rc == 0 && j->was_cut)
		rc = count_interrupted(&r);
	free(r.begun);
	free(copy);
	return rc < 0 ? err_set(e, ENOMEM, "no memory for the journal") : 0;
}
