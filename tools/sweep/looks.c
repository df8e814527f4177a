/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "looks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "extlook.h"
#include "log.h"
#include "reader.h"
#include "tidy.h"

/* ---- what may stand in an answer ---- */

static bool is_size(unsigned bytes, unsigned least, unsigned most)
{
	return bytes >= least && bytes <= most && (bytes & (bytes - 1)) == 0;
}

static struct reader_question *question(struct err *e)
{
	struct reader_question *q = calloc(1, sizeof(*q));

	if (!q)
		err_set(e, ENOMEM, "no memory to read a device");
	return q;
}

/* ---- content.h ---- */

static int read_content(const struct reader_question *q, void *answer, struct err *e)
{
	static struct node n;
	int rc;

	snprintf(n.device, sizeof(n.device), READER_DEVICE);
	n.bytes = q->bytes;
	content_say_whole(q->number != 0);
	rc = content_read(&n, e);
	memcpy(answer, &n.content, sizeof(n.content));
	return rc;
}

int look_content(struct node *n, struct err *e)
{
	struct reader_question q = { .bytes = n->bytes, .number = n->kind != KIND_PARTITION };
	struct content *c = &n->content;
	int rc = reader_ask(n->device, read_content, &q, c, sizeof(*c), e);

	if (rc < 0) {
		memset(c, 0, sizeof(*c));
		return rc;
	}
	TIDY(c->type);
	TIDY(c->usage);
	TIDY(c->version);
	TIDY(c->uuid);
	TIDY(c->label);
	TIDY(c->table);
	tidy_bool(&c->plausible_table);
	tidy_bool(&c->bad_checksum);
	tidy_bool(&c->ambivalent);
	tidy_bool(&c->all_zero);
	tidy_bool(&c->suspended);
	tidy_bool(&c->protective_mbr);
	tidy_bool(&c->reencrypting);
	if (c->table[0] && !is_size(c->sector, 512, 65536))
		return reader_nonsense(e);
	return 0;
}

/* ---- partitions.h ---- */

struct flat_partitions {
	char scheme[16];
	char uuid[40];
	uint32_t n;
	bool is_backup;
	unsigned left_out;
	struct partition p[MAX_PARTITIONS];
};

_Static_assert(sizeof(struct flat_partitions) <= READER_ANSWER_MAX, "an answer is too long");

static int read_partitions(const struct reader_question *q, void *answer, struct err *e)
{
	struct flat_partitions *flat = answer;
	struct partitions t;
	int rc = partitions_read(READER_FD, q->number, &t, e);

	if (rc < 0)
		return rc;
	memcpy(flat->scheme, t.scheme, sizeof(flat->scheme));
	memcpy(flat->uuid, t.uuid, sizeof(flat->uuid));
	flat->n = (uint32_t)t.n;
	flat->is_backup = t.is_backup;
	flat->left_out = t.left_out;
	memcpy(flat->p, t.p, t.n * sizeof(*t.p));
	partitions_free(&t);
	return 0;
}

/* What decides about safety is found out anew. */
static void tidy_partition(struct partition *p)
{
	TIDY(p->type);
	TIDY(p->uuid);
	TIDY(p->label);
	tidy_bool(&p->is_container);
	tidy_bool(&p->fits);
	tidy_bool(&p->overlaps);
}

static int take_partitions(struct flat_partitions *flat, uint64_t device_bytes, struct partitions *t,
			   struct err *e)
{
	size_t i;

	if (flat->n > MAX_PARTITIONS)
		return reader_nonsense(e);
	TIDY(flat->scheme);
	TIDY(flat->uuid);
	memcpy(t->scheme, flat->scheme, sizeof(t->scheme));
	memcpy(t->uuid, flat->uuid, sizeof(t->uuid));
	tidy_bool(&flat->is_backup);
	t->is_backup = flat->is_backup;
	t->left_out = flat->left_out;
	t->p = calloc(flat->n + 1, sizeof(*t->p));
	if (!t->p)
		return err_set(e, ENOMEM, "no memory for the partition table");
	memcpy(t->p, flat->p, flat->n * sizeof(*t->p));
	t->n = flat->n;
	for (i = 0; i < t->n; i++)
		tidy_partition(&t->p[i]);
	partitions_mark_fits(t, device_bytes);
	partitions_mark_overlaps(t);
	return 0;
}

int look_partitions(const char *device, uint64_t bytes, unsigned sector, struct partitions *t,
		    struct err *e)
{
	struct reader_question q = { .number = sector };
	struct flat_partitions *flat = malloc(sizeof(*flat));
	int rc;

	memset(t, 0, sizeof(*t));
	if (!flat)
		return err_set(e, ENOMEM, "no memory for the partition table");
	rc = reader_ask(device, read_partitions, &q, flat, sizeof(*flat), e);
	if (rc == 0)
		rc = take_partitions(flat, bytes, t, e);
	free(flat);
	return rc;
}

/* ---- extsuper.h ---- */

static int read_ext(const struct reader_question *q, void *answer, struct err *e)
{
	(void)q;
	return extsuper_read(READER_DEVICE, answer, e);
}

static int tidy_ext(struct extsuper *s, struct err *e)
{
	TIDY(s->type);
	TIDY(s->unsupported);
	TIDY(s->journal_uuid);
	TIDY(s->facts.state);
	tidy_bool(&s->is_pending);
	tidy_bool(&s->facts.known);
	return s->block_size && !is_size(s->block_size, 1024, 65536) ? reader_nonsense(e) : 0;
}

int look_ext(const char *device, struct extsuper *s, struct err *e)
{
	struct reader_question q = { .number = 0 };
	int rc = reader_ask(device, read_ext, &q, s, sizeof(*s), e);

	return rc < 0 ? rc : tidy_ext(s, e);
}

struct ext_backup {
	bool found;
	struct extsuper_backup backup;
	struct extsuper super;
};

static int read_ext_backup(const struct reader_question *q, void *answer, struct err *e)
{
	struct ext_backup *a = answer;

	(void)e;
	a->found = extsuper_find_backup(READER_DEVICE, q->bytes, &a->backup, &a->super);
	return 0;
}

bool look_ext_backup(const char *device, uint64_t bytes, struct extsuper_backup *b, struct extsuper *s)
{
	struct reader_question q = { .bytes = bytes };
	struct ext_backup a;
	struct err e;

	if (reader_ask(device, read_ext_backup, &q, &a, sizeof(a), &e) < 0 || tidy_ext(&a.super, &e) < 0) {
		log_line("%s: %s", device, e.text);
		return false;
	}
	tidy_bool(&a.found);
	TIDY(a.backup.uuid);
	if (!a.found || !is_size(a.backup.block_size, 1024, 65536))
		return false;
	*b = a.backup;
	*s = a.super;
	return true;
}

static int read_ext_mounted(const struct reader_question *q, void *answer, struct err *e)
{
	(void)q;
	return extsuper_last_mounted(READER_DEVICE, answer, e);
}

int look_ext_mounted(const char *device, char folder[LAST_MOUNTED_SIZE], struct err *e)
{
	struct reader_question q = { .number = 0 };
	int rc = reader_ask(device, read_ext_mounted, &q, folder, LAST_MOUNTED_SIZE, e);

	tidy_raw(folder, LAST_MOUNTED_SIZE);
	return rc;
}

/* ---- extlook.h ---- */

/* The patterns, each with a NUL behind it, are the question's text. */
static int read_ext_images(const struct reader_question *q, void *answer, struct err *e)
{
	char *item[READER_TEXT_MAX / 2];
	struct words patterns = { .item = item };
	const char *at = q->text;
	int rc;

	for (; patterns.n < q->number; at += strlen(at) + 1)
		item[patterns.n++] = (char *)at;
	rc = extlook_has_image(READER_DEVICE, &patterns, e);
	*(unsigned char *)answer = rc > 0;
	return rc < 0 ? rc : 0;
}

int look_ext_images(const char *device, const struct words *patterns, struct err *e)
{
	struct reader_question *q = question(e);
	unsigned char any;
	size_t used = 0, i;
	int rc = q ? 0 : -ENOMEM;

	for (i = 0; rc == 0 && i < patterns->n; i++) {
		size_t size = strlen(patterns->item[i]) + 1;

		if (used + size > sizeof(q->text) || i >= READER_TEXT_MAX / 2) {
			rc = err_set(e, E2BIG, "the patterns of the setting images are too long");
			break;
		}
		memcpy(q->text + used, patterns->item[i], size);
		used += size;
		q->number++;
	}
	if (rc == 0)
		rc = reader_ask(device, read_ext_images, q, &any, sizeof(any), e);
	free(q);
	return rc < 0 ? rc : any != 0;
}

/* ---- fields.h ---- */

_Static_assert(FIELDS_MAX * sizeof(struct field) <= READER_TEXT_MAX, "a question is too long");

/* The table is the question's text; the answer has room for a number of each row. */
static int read_fields(const struct reader_question *q, void *answer, struct err *e)
{
	struct field f[FIELDS_MAX];

	memcpy(f, q->text, sizeof(f));
	return fields_read(READER_FD, f, q->number, answer, e);
}

int look_fields(const char *device, const struct field *f, size_t n, bool past_cache, uint64_t *value,
		struct err *e)
{
	struct reader_question q = { .number = (uint32_t)n, .past_cache = past_cache };
	size_t i;
	int rc;

	memcpy(q.text, f, n * sizeof(*f));
	rc = reader_ask(device, read_fields, &q, value, n * sizeof(*value), e);
	for (i = 0; i < n; i++)
		value[i] &= UINT64_MAX >> (64 - 8 * f[i].bytes);
	return rc;
}

/* ---- mdsuper.h ---- */

static int read_md(const struct reader_question *q, void *answer, struct err *e)
{
	return mdsuper_read(READER_DEVICE, q->bytes, q->text, answer, e);
}

int look_md(const char *device, uint64_t bytes, const char *version, struct mdsuper *s, struct err *e)
{
	struct reader_question *q = question(e);
	size_t i;
	int rc;

	if (!q)
		return -ENOMEM;
	q->bytes = bytes;
	snprintf(q->text, sizeof(q->text), "%s", version);
	rc = reader_ask(device, read_md, q, s, sizeof(*s), e);
	free(q);
	if (rc < 0)
		return rc;
	TIDY(s->version);
	TIDY(s->uuid);
	tidy_raw(s->name, sizeof(s->name));
	tidy_bool(&s->is_reshaping);
	tidy_bool(&s->has_journal);
	tidy_bool(&s->is_recovering);
	tidy_bool(&s->is_dirty);
	for (i = 0; i < MD_MAX_ROLES; i++)
		tidy_bool(&s->sees[i]);
	return s->role < MD_ROLE_JOURNAL ? reader_nonsense(e) : 0;
}
