/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The headers of image files, through the reader: its end, and ours, which checks what it answers.
 *
 * Also of an image that is refused all facts count that were found: what it lies on is spared by that.
 */
#include "boxed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "tidy.h"

/* ---- in the reader ---- */

static struct image_file asked_file(const struct reader_question *q)
{
	return (struct image_file){ READER_FD, q->bytes };
}

/* The question's text: from where the format is known, as a byte. */
static int read_facts(const struct reader_question *q, void *answer, struct err *e)
{
	struct image_file f = asked_file(q);
	struct flat_facts *flat = answer;
	struct image_facts facts;
	int rc = facts_read(&f, (enum image_format)q->number, (enum image_format_from)q->text[0], &facts, e);

	flat->facts = facts;
	flat->has_backing_name = facts.backing_name;
	flat->has_data_name = facts.data_name;
	snprintf(flat->backing_name, sizeof(flat->backing_name), "%s", facts.backing_name ? facts.backing_name : "");
	snprintf(flat->data_name, sizeof(flat->data_name), "%s", facts.data_name ? facts.data_name : "");
	snprintf(flat->no_disk, sizeof(flat->no_disk), "%s", facts.no_disk ? facts.no_disk : "");
	facts_clear(&facts);
	return rc;
}

/* From the one on that the question's number says; what is wrong with the rest has been told. */
static int read_extents(const struct reader_question *q, void *answer, struct err *e)
{
	struct image_file f = asked_file(q);
	struct flat_extents *flat = answer;
	struct image_facts facts;
	size_t i, from = facts_read(&f, IMAGE_VMDK, FORMAT_FROM_NAME, &facts, e) == -ENOMEM ? SIZE_MAX : q->number;

	for (i = 0; i < EXTENTS_PER_ANSWER && from < facts.n_extents; i++, from++) {
		flat->part[i].x = facts.extents[from];
		snprintf(flat->part[i].name, sizeof(flat->part[i].name), "%s", facts.extents[from].name);
	}
	facts_clear(&facts);
	return 0;
}

static int check_raw(const struct reader_question *q, void *answer, struct err *e)
{
	struct image_file f = asked_file(q);

	(void)answer;
	return image_raw_check(&f, e);
}

/* The question's text: the extent. */
static int check_extent(const struct reader_question *q, void *answer, struct err *e)
{
	struct image_file f = asked_file(q);
	struct image_extent x;

	(void)answer;
	memcpy(&x, q->text, sizeof(x));
	return vmdk_extent_check(&f, &x, e);
}

/* ---- what may stand in an answer ---- */

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static void tidy_flags(struct image_facts *facts)
{
	tidy_bool(&facts->has_data_file);
	tidy_bool(&facts->data_is_raw);
	tidy_bool(&facts->is_encrypted);
	tidy_bool(&facts->is_dirty);
	tidy_bool(&facts->is_corrupt);
	tidy_bool(&facts->is_log_dirty);
	tidy_bool(&facts->is_differencing);
	tidy_bool(&facts->is_read_only);
	tidy_bool(&facts->is_extent);
	tidy_bool(&facts->changes_on_open);
	tidy_bool(&facts->has_vm_state);
	tidy_bool(&facts->needs_zstd);
}

/* text as a string of its own in *to, NULL where there is none. */
static int take_name(char *text, size_t size, bool *is_there, char **to, struct err *e)
{
	tidy_bool(is_there);
	tidy_raw(text, size);
	if (!*is_there)
		return 0;
	*to = strdup(text);
	return *to ? 0 : no_memory(e);
}

int flat_facts_take(struct flat_facts *flat, const struct image_file *f, enum image_format format,
		    size_t *n_extents, struct image_facts *facts, struct err *e)
{
	int rc;

	*facts = flat->facts;
	*n_extents = facts->n_extents;
	facts->backing_name = facts->data_name = NULL;
	facts->extents = NULL;
	facts->n_extents = 0;
	tidy_flags(facts);
	tidy_raw(facts->backing_format, sizeof(facts->backing_format));
	TIDY(facts->unsupported);
	TIDY(facts->create_type);
	tidy_raw(flat->no_disk, sizeof(flat->no_disk));
	facts->no_disk = format == IMAGE_RAW ? image_no_disk_said(flat->no_disk) : NULL;
	rc = take_name(flat->backing_name, sizeof(flat->backing_name), &flat->has_backing_name,
		       &facts->backing_name, e);
	if (rc == 0)
		rc = take_name(flat->data_name, sizeof(flat->data_name), &flat->has_data_name,
			       &facts->data_name, e);
	if (rc < 0)
		return rc;
	if (format == IMAGE_RAW && facts->bytes)
		facts->bytes = f->bytes;
	if (facts->bytes > INT64_MAX || *n_extents > IMAGE_MAX_EXTENTS || (*n_extents && format != IMAGE_VMDK))
		return reader_nonsense(e);
	return 0;
}

int flat_extents_take(struct flat_extents *flat, size_t n, struct image_facts *facts, struct err *e)
{
	struct image_extent *grown = reallocarray(facts->extents, facts->n_extents + n + 1, sizeof(*grown));
	uint64_t left = facts->bytes;
	size_t i;

	if (!grown)
		return no_memory(e);
	facts->extents = grown;
	for (i = 0; i < facts->n_extents; i++)
		left -= grown[i].bytes;
	for (i = 0; i < n; i++) {
		struct image_extent x = flat->part[i].x;

		tidy_raw(flat->part[i].name, sizeof(flat->part[i].name));
		if ((x.kind != EXTENT_FLAT && x.kind != EXTENT_SPARSE) || !flat->part[i].name[0] || !x.bytes ||
		    x.bytes > left || x.offset > INT64_MAX)
			return reader_nonsense(e);
		left -= x.bytes;
		x.name = strdup(flat->part[i].name);
		if (!x.name)
			return no_memory(e);
		grown[facts->n_extents++] = x;
	}
	return 0;
}

/* ---- outside ---- */

/* The reader's e is one of those that a parser has, or it broke. */
static int settle(struct err *e)
{
	static const struct {
		const char *word;
		int code;
	} known[] = { { "bad-image", EINVAL }, { "unsupported-feature", ENOTSUP }, { "io-error", EIO } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(e->word, known[i].word) == 0) {
			e->code = known[i].code;
			return -e->code;
		}
	e->code = EIO;
	snprintf(e->word, sizeof(e->word), "tool-failed");
	return -EIO;
}

static int ask_extents(const struct image_file *f, size_t n, struct image_facts *facts, struct err *e)
{
	struct reader_question q = { .bytes = f->bytes };
	cleanup_free struct flat_extents *flat = malloc(sizeof(*flat));
	int rc = 0;

	if (!flat)
		return no_memory(e);
	while (rc == 0 && facts->n_extents < n) {
		size_t some = n - facts->n_extents;

		q.number = (uint32_t)facts->n_extents;
		if (reader_ask_fd(f->fd, read_extents, &q, flat, sizeof(*flat), e) < 0)
			return settle(e);
		rc = flat_extents_take(flat, some < EXTENTS_PER_ANSWER ? some : EXTENTS_PER_ANSWER, facts, e);
	}
	return rc;
}

static int ask_facts(const struct image_file *f, enum image_format format, enum image_format_from from,
		     struct image_facts *facts, struct err *e)
{
	struct reader_question q = { .bytes = f->bytes, .number = format, .text = { (char)from } };
	struct flat_facts flat;
	struct err wrong;
	size_t n_extents;
	int rc = reader_ask_fd(f->fd, read_facts, &q, &flat, sizeof(flat), e), taken;

	if (rc < 0)
		rc = settle(e);
	taken = flat_facts_take(&flat, f, format, &n_extents, facts, &wrong);
	if (taken == 0)
		taken = ask_extents(f, n_extents, facts, &wrong);
	if (taken == 0)
		return rc;
	*e = wrong;
	return taken;
}

static int ask_raw_check(const struct image_file *f, struct err *e)
{
	struct reader_question q = { .bytes = f->bytes };
	char nothing;

	return reader_ask_fd(f->fd, check_raw, &q, &nothing, sizeof(nothing), e) < 0 ? settle(e) : 0;
}

static int ask_extent_check(const struct image_file *f, const struct image_extent *x, struct err *e)
{
	struct reader_question q = { .bytes = f->bytes };
	char nothing;

	memcpy(q.text, x, sizeof(*x));
	return reader_ask_fd(f->fd, check_extent, &q, &nothing, sizeof(nothing), e) < 0 ? settle(e) : 0;
}

const struct image_reader image_reader_boxed = { ask_facts, ask_raw_check, ask_extent_check };
