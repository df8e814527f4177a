/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filesystems that a stock checker looks at and, for some, corrects: what is alike for all of
 * them. What differs is in a struct fs_tool in layers/: the commands, and a table that says
 * what each exit status means.
 *
 *   look ── clean ─────────────────────────────▶ clean
 *     │ damaged
 *     ├─ mode check, or read-only: preen, then repair, on a throw-away snapshot ─▶ uncorrected
 *     └─ else: preen, and where the mode is that repair, a look after each ─▶ repaired, or not
 */
#ifndef GS_FSCHECK_H
#define GS_FSCHECK_H

#include "sandbox_profiles.h"
#include "walk.h"

/* What a run of a checker comes to. */
enum fs_outcome {
	FS_CLEAN,         /* nothing is wrong; a sentence may say what was not looked at */
	FS_DAMAGED,       /* errors, which one of the commands may correct */
	FS_UNSURE,        /* errors so early that it has not seen whether the log is empty */
	FS_BY_HAND,       /* errors that nothing here corrects; the sentence says what does */
	FS_DIRTY_LOG,     /* changes wait in its log, which only mounting it replays */
	FS_HIBERNATED,    /* a suspended system still owns it, and all of its guest */
	FS_NEWER,         /* of features that the checker does not know */
	FS_PARTS_MISSING, /* other devices belong to it */
	FS_DONE,          /* a command for writing ended well; only a look tells what came of it */
	FS_BROKEN,        /* the run says nothing of the filesystem */
};

/* A row of a table. The first one that fits counts; where none does it is FS_BROKEN. */
struct fs_row {
	int exit;                /* exit status; FS_TABLE_END ends the table */
	const char *words;       /* what the checker must have said too; NULL: anything */
	const char *also;        /* and this */
	enum fs_outcome outcome;
	const char *sentence;    /* for the report; NULL: what is said of any filesystem */
};

#define FS_TABLE_END (-1)
#define FS_WORDS_MAX 6

struct fs_tool {
	const char *name;    /* "fsck.fat" */
	const char *package; /* in the image's list of versions */
	const struct sandbox_profile *profile; /* where it runs */
	/* Absolute path and options; the device comes behind them. NULL in front: not done. */
	const char *look[FS_WORDS_MAX];   /* writes nothing */
	const char *preen[FS_WORDS_MAX];  /* only what is safe without a human */
	const char *repair[FS_WORDS_MAX]; /* several times where once is not enough */
	const struct fs_row *look_table;
	const struct fs_row *write_table; /* for preen and repair */
	/* Sets e to why it can't be run on n at all, and returns -e->code; else 0. NULL: never. */
	int (*refuse)(const struct node *n, struct err *e);
	/* true where preen has something to do on device that a look does not tell. NULL: never. */
	bool (*is_pending)(const char *device);
};

/* A driver's describe: type, name and stack, from what libblkid found on the node's parent. */
int fscheck_describe(struct walk *w, struct node *n, struct err *e) nonnull_all;

/* Checks n, which lies on all of its parents' devices, with tool t as the mode allows, and
 * sets its verdict. Returns 0; -errno and e: it could not be checked. */
int fscheck(struct walk *w, struct node *n, const struct fs_tool *t, struct err *e)
	must_check nonnull_all;

/* The row of table for an exit status and the size bytes that the tool said. Never NULL. */
const struct fs_row *fscheck_decode(const struct fs_row *table, int exit, const char *said,
				    size_t size) nonnull_all;

#endif
