/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state journal: what is known after a cut at any byte, and what counts as interrupted. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "file.h"
#include "journal.h"

static char folder[] = "/tmp/guestsweep-test.XXXXXX";
static char path[sizeof(folder) + 8];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/journal", folder);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static int no_journal(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void begin(struct journal *j)
{
	struct err e;

	assert_int_equal(journal_read(j, folder, &e), 0);
	assert_int_equal(journal_start(j, &e), 0);
}

static void commit(struct journal *j)
{
	struct err e;

	assert_int_equal(journal_commit(j, &e), 0);
}

/* The power goes: nothing more is written. */
static void cut(struct journal *j)
{
	commit(j);
	journal_close(j);
}

static void look(struct journal *j)
{
	struct err e;

	assert_int_equal(journal_read(j, folder, &e), 0);
}

static void a_first_sweep(void **state)
{
	struct journal j;
	struct err e;

	(void)state;
	look(&j);
	assert_int_equal(j.run, 1);
	assert_false(j.was_cut);
	journal_note(&j, JOURNAL_PLANNED, 0, "lvg2/a");
	assert_int_equal(journal_start(&j, &e), 0);
	journal_note(&j, JOURNAL_OPENED, 1, "lvg2/a");
	journal_note(&j, JOURNAL_DONE, 1, "lvg2/a");
	assert_int_equal(journal_finish(&j, &e), 0);
	journal_close(&j);

	look(&j);
	assert_int_equal(j.run, 2);
	assert_false(j.was_cut);
	assert_int_equal(j.planned, 1);
	assert_int_equal(j.done, 1);
	assert_int_equal(j.n, 0);
	journal_close(&j);
}

/* A filesystem that was being checked counts for itself, else the volumes of the attempt do; what is
 * done, or was only planned, does not. */
static void what_was_interrupted(void **state)
{
	struct journal j;

	(void)state;
	begin(&j);
	journal_note(&j, JOURNAL_OPENED, 1, "lvg2/a");
	journal_note(&j, JOURNAL_OPENED, 1, "lvg2/a2");
	journal_note(&j, JOURNAL_CHECKING, 1, "lvg2/a > ext4");
	journal_note(&j, JOURNAL_OPENED, 2, "lvg2/b");
	journal_note(&j, JOURNAL_OPENED, 3, "lvg2/c");
	journal_note(&j, JOURNAL_CHECKING, 3, "lvg2/c > ext4");
	journal_note(&j, JOURNAL_DONE, 3, "lvg2/c > ext4");
	journal_note(&j, JOURNAL_OPENED, 4, "lvg2/d");
	journal_note(&j, JOURNAL_DONE, 4, "lvg2/d");
	journal_note(&j, JOURNAL_PLANNED, 0, "lvg2/e");
	journal_note(&j, JOURNAL_OPENED, 5, "lvg2/f");
	journal_note(&j, JOURNAL_LEFT, 5, "lvg2/f");
	cut(&j);

	look(&j);
	assert_true(j.was_cut);
	assert_int_equal(j.n, 3);
	assert_int_equal(journal_times(&j, "lvg2/a > ext4"), 1);
	assert_int_equal(journal_times(&j, "lvg2/b"), 1);
	assert_int_equal(journal_times(&j, "lvg2/c"), 1);
	assert_true(journal_concerns(&j, "lvg2/a"));
	assert_false(journal_concerns(&j, "lvg2/a2"));
	assert_false(journal_concerns(&j, "lvg2/d"));
	assert_false(journal_concerns(&j, "lvg2"));
	journal_close(&j);
}

/* Only what becomes of its own attempts counts: sweeps that don't come to it change nothing. */
static void in_a_row(void **state)
{
	struct journal j;
	struct err e;

	(void)state;
	begin(&j);
	journal_note(&j, JOURNAL_OPENED, 1, "a");
	journal_note(&j, JOURNAL_OPENED, 2, "b");
	cut(&j);

	begin(&j); /* tried and left, then cut before anything */
	journal_note(&j, JOURNAL_OPENED, 1, "b");
	journal_note(&j, JOURNAL_LEFT, 1, "b");
	cut(&j);

	begin(&j); /* comes to its end without them */
	assert_false(j.entry[0].fresh);
	assert_int_equal(journal_finish(&j, &e), 0);
	journal_close(&j);

	begin(&j);
	journal_note(&j, JOURNAL_OPENED, 1, "a");
	journal_note(&j, JOURNAL_OPENED, 2, "b");
	journal_note(&j, JOURNAL_DONE, 2, "b");
	cut(&j);

	look(&j);
	assert_int_equal(j.run, 5);
	assert_int_equal(j.n, 1);
	assert_int_equal(journal_times(&j, "a"), JOURNAL_QUARANTINE);
	assert_true(j.entry[0].fresh);
	journal_close(&j);
}

/* What was brought to disk by the nth commit is known from then on, and nothing that was not noted. */
static void cut_at_every_byte(void **state)
{
	static const struct {
		enum journal_state state;
		const char *key;
	} step[] = {
		{ JOURNAL_OPENED, "v" }, { JOURNAL_CHECKING, "v > ext4" }, { JOURNAL_DONE, "v > ext4" },
		{ JOURNAL_CHECKING, "v > xfs" },
	};
	size_t ends[5], size, whole, i, done;
	char *text;
	struct journal j;
	struct err e;

	(void)state;
	begin(&j);
	ends[0] = (size_t)j.end;
	for (i = 0; i < 4; i++) {
		journal_note(&j, step[i].state, 1, step[i].key);
		commit(&j);
		ends[i + 1] = (size_t)j.end;
	}
	journal_close(&j);
	assert_int_equal(file_read(path, 1 << 20, &text, &whole, &e), 0);
	for (size = ends[0]; size <= ends[4]; size++) {
		for (done = 0; done < 4 && ends[done + 1] <= size; done++)
			;
		memset(&j, 0, sizeof(j));
		assert_int_equal(journal_recover(&j, text, size, &e), 0);
		assert_int_equal(j.n, done ? 1 : 0);
		assert_int_equal(journal_times(&j, "v"), done == 1 || done == 3);
		assert_int_equal(journal_times(&j, "v > ext4"), done == 2);
		assert_int_equal(journal_times(&j, "v > xfs"), done == 4);
		j.fd = -1;
		journal_close(&j);
	}
	free(text);
}

/* A line with a byte of it changed is not there; the others are. */
static void damaged_at_every_byte(void **state)
{
	size_t size, i, end;
	struct journal j;
	struct err e;
	char *text;

	(void)state;
	begin(&j);
	journal_note(&j, JOURNAL_OPENED, 1, "a");
	journal_note(&j, JOURNAL_OPENED, 2, "b");
	end = (size_t)j.end + j.pending_size;
	cut(&j);
	assert_int_equal(file_read(path, 1 << 20, &text, &size, &e), 0);
	for (i = 0; i < end; i++) {
		text[i] ^= 1;
		memset(&j, 0, sizeof(j));
		assert_int_equal(journal_recover(&j, text, size, &e), 0);
		assert_true(j.n <= 2);
		text[i] ^= 1;
		j.fd = -1;
		journal_close(&j);
	}
	free(text);
}

static void nonsense(void **state)
{
	static const char *const lines[] = {
		"", "run", "run x", "interrupted", "interrupted 1", "interrupted 1 checking", "interrupted 0 opening a",
		"interrupted 99999999999999999999 opening a", "interrupted 1 napping a", "opened", "opened a",
		"opened 1", "opened 1 ", "opened -1 a", "checking 1", "done", "done 7 nothing", "left 7 nothing", "ended", "end ",
	};
	struct journal j = { .fd = -1 };
	char text[200];
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "%08x %s\n", journal_sum(lines[i], strlen(lines[i])), lines[i]);
		assert_int_equal(journal_recover(&j, text, strlen(text), &e), 0);
		assert_int_equal(j.n, 0);
	}
	journal_close(&j);
}

/* It never grows beyond a bound, nor does what is carried over. */
static void too_much(void **state)
{
	struct journal j;
	struct err e;
	char key[64];
	unsigned i;
	int rc = 0;

	(void)state;
	begin(&j);
	for (i = 0; rc == 0 && i < 200000; i++) {
		snprintf(key, sizeof(key), "volgrp1/a-volume-with-a-longer-name-%06u", i);
		journal_note(&j, JOURNAL_OPENED, i, key);
		if (i % 1000 == 999)
			rc = journal_commit(&j, &e);
	}
	assert_int_equal(rc, -EFBIG);
	journal_note(&j, JOURNAL_DONE, 1, "a");
	assert_int_equal(journal_commit(&j, &e), 0); /* told once */
	journal_close(&j);

	look(&j);
	assert_true(j.n > 0 && j.n < 1000);
	journal_close(&j);
}

/* Where it can't be written the sweep goes on without. */
static void no_room(void **state)
{
	struct journal j;
	struct err e;

	(void)state;
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(journal_read(&j, folder, &e), -EISDIR);
	assert_int_equal(j.run, 1);
	assert_true(journal_start(&j, &e) < 0);
	journal_note(&j, JOURNAL_OPENED, 1, "a");
	assert_int_equal(journal_commit(&j, &e), 0);
	journal_close(&j);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_first_sweep, no_journal),
		cmocka_unit_test_teardown(what_was_interrupted, no_journal),
		cmocka_unit_test_teardown(in_a_row, no_journal),
		cmocka_unit_test_teardown(cut_at_every_byte, no_journal),
		cmocka_unit_test_teardown(damaged_at_every_byte, no_journal),
		cmocka_unit_test(nonsense),
		cmocka_unit_test_teardown(too_much, no_journal),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
