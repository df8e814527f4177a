/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Image files made byte by byte, with one thing wrong in each. */
#ifndef TEST_IMAGEBYTES_H
#define TEST_IMAGEBYTES_H

#include "facts.h"
#include "tempdisk.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)

#define OUTSIDE "it ends before what its header points to"

/* One change to a good file, and what is said of it. */
struct change {
	uint64_t at;
	unsigned bytes; /* 1 to 8; 0: the file is cut to length at */
	uint64_t value;
	const char *text; /* "": nothing is wrong with it */
};

static inline void put(const struct tempdisk *d, uint64_t at, unsigned bytes, uint64_t value, bool big)
{
	unsigned char raw[8];
	unsigned i;

	for (i = 0; i < bytes; i++)
		raw[i] = (unsigned char)(value >> 8 * (big ? bytes - 1 - i : i));
	tempdisk_put(d, at, raw, bytes);
}

static inline void put_be(const struct tempdisk *d, uint64_t at, unsigned bytes, uint64_t value)
{
	put(d, at, bytes, value, true);
}

static inline void put_le(const struct tempdisk *d, uint64_t at, unsigned bytes, uint64_t value)
{
	put(d, at, bytes, value, false);
}

/* Reads and judges; facts to be cleared. */
static inline int facts_of(const struct tempdisk *d, enum image_format format, struct image_facts *facts,
		    struct err *e)
{
	struct image_file f = { d->fd, (uint64_t)lseek(d->fd, 0, SEEK_END) };
	int rc = facts_read(&f, format, FORMAT_FROM_NAME, facts, e);

	return rc < 0 ? rc : facts_judge(facts, e);
}

static inline void expect(const struct tempdisk *d, enum image_format format, const char *text)
{
	struct image_facts facts;
	struct err e = { 0 };
	int rc = facts_of(d, format, &facts, &e);

	if (strcmp(e.text, text) != 0 || (rc < 0) != (text[0] != 0) || rc != -e.code)
		fail_msg("expected \"%s\", got \"%s\"", text, e.text);
	if (rc == -EINVAL)
		assert_string_equal(e.word, "bad-image");
	if (rc == -ENOTSUP)
		assert_string_equal(e.word, "unsupported-feature");
	facts_clear(&facts);
}

static inline void expect_changes(void (*make)(struct tempdisk *), enum image_format format, bool big,
			   void (*seal)(const struct tempdisk *), const struct change *c, size_t n)
{
	for (; n; c++, n--) {
		struct tempdisk d;

		make(&d);
		if (c->bytes)
			put(&d, c->at, c->bytes, c->value, big);
		else if (ftruncate(d.fd, (off_t)c->at) < 0)
			abort();
		if (seal)
			seal(&d);
		expect(&d, format, c->text);
		tempdisk_drop(&d);
	}
}

#endif
