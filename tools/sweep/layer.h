/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The graph of layers and the contract of a driver.
 *
 *   a node with a device      probe       a node of what is on it
 *   (disk, partition, LV, ──────────────▶ (table, luks, pv, filesystem, swap,
 *    opened LUKS)                           unknown)
 *        ▲                                     │ gather: members become a group (pv → vg)
 *        │ children                            │ open
 *        └─────────────────────────────────────┘
 *                                           check  (filesystems only)
 *                                           close  (undoes open, newest first)
 *
 * probe     reads only; is asked of every device; decides from what libblkid found
 *           (node->content) and may read more through the device
 * gather    once every device is probed: makes the groups that members belong to
 * open      makes what is inside appear as block devices; on failure leaves nothing behind
 * children  adds a node per block device to the walk; only after a successful open
 * guard     before the checks: whether the guest may be at work on its filesystems elsewhere
 * check     runs the checker and sets verdict, code, reason and check of the node
 * enter     after the checks: a filesystem that holds disk images is opened too
 * close     undoes open, exactly once per successful open; retried and verified by the walk
 *
 * Only walk.c calls a driver; drivers don't include each other.
 */
#ifndef GS_LAYER_H
#define GS_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypttab.h"
#include "err.h"
#include "problems.h"
#include "settings.h"

enum kind {
	KIND_DISK, KIND_MD, KIND_PV, KIND_VG, KIND_LV, KIND_LUKS, KIND_TABLE, KIND_PARTITION,
	KIND_HOSTFS, KIND_IMAGE, KIND_FILESYSTEM, KIND_SWAP, KIND_UNKNOWN,
};

enum verdict {
	VERDICT_NONE, /* not yet decided; ends as an error if it stays so */
	VERDICT_OK, VERDICT_CLEAN, VERDICT_REPAIRED, VERDICT_UNCORRECTED, VERDICT_SKIPPED,
	VERDICT_ERROR,
};

enum claim { NOT_MINE, MINE, AMBIGUOUS };

/* What libblkid says of a device; empty strings where it says nothing. */
struct content {
	char type[32];      /* superblock: "ext4", "crypto_LUKS", "LVM2_member", ... */
	char usage[16];     /* "filesystem", "raid", "crypto", "other" */
	char version[32];
	char uuid[64];
	char label[128];    /* escaped */
	char table[16];     /* partition table: "dos", "gpt", ... */
	unsigned sector;    /* bytes; the unit the table counts in */
	bool plausible_table; /* its partitions lie inside the device and do not overlap */
	uint64_t fs_bytes;  /* how large its superblock says a filesystem is, on all its devices; 0: unknown */
	bool bad_checksum;  /* the superblock's own checksum is wrong */
	bool ambivalent;    /* several strong claims on the device */
	bool all_zero;      /* nothing but zeros where signatures stand */
	bool suspended;     /* the mark of a suspended system stands where swap has it */
	/* where nothing else is recognised: */
	bool protective_mbr; /* the MBR that stands in front of a GPT */
	bool reencrypting;  /* what cryptsetup writes in the place of a LUKS1 header's magic meanwhile */
};

/* How a checker ended, for the report. */
struct check_result {
	char tool[24];
	char version[24];
	char argv[512];  /* words, a newline behind each */
	int exit;        /* exit status; 128 + signal for a killed one; -1: did not run */
	char log[64];    /* relative to the report's folder, or "" */
	char undo[64];   /* likewise */
	struct problems problems; /* e2fsck's, of all its runs that may correct */
};

/* From the superblock, as tune2fs -l shows it, before the check. */
struct ext_facts {
	bool known;
	unsigned mount_count;
	int max_mount_count;      /* -1: no limit */
	int64_t last_check;       /* seconds since 1970 */
	uint32_t check_interval;  /* seconds */
	char state[32];
};

struct layer_ops;

#define MAX_PARENTS 64

struct node {
	unsigned id;
	enum kind kind;
	struct node *parents[MAX_PARENTS];
	size_t n_parents;

	char type[48];    /* "ext4", "LUKS2", "gpt", ... */
	char name[256];   /* escaped */
	char guest[128];
	char stack[1024]; /* escaped; words joined by " > " */
	char uuid[64];
	char label[256];  /* escaped */
	uint64_t bytes;

	char device[80];  /* the block device it offers ("" for none) */
	int held;         /* a descriptor of that device (device_hold()); -1: none */
	bool read_only;   /* the kernel holds that device read-only */
	bool throwaway;   /* what is written to that device is lost at the end */
	bool host;        /* a layer of the host's own, below the guests' volumes */
	bool probed;
	bool volume;      /* the host walk stops here: what is on device is a scope's */
	bool content_known;
	struct content content; /* of device, once content_known */

	const struct layer_ops *ops; /* its driver; NULL for a plain device */
	void *state;                 /* the driver's, made by probe, gather or open */
	bool opened;
	bool kept;        /* stays open until the report is written: the report lies on it */
	bool handed_over; /* another walk goes on with it, and tells of it */
	bool hidden;      /* there is nothing to tell of it: its parents stand for it in the report */
	char folder[80];     /* of a host filesystem: where it is mounted now, */
	char mounted_at[65]; /* and where the host had it last; "": not known */
	char host_path[1024]; /* of an image: its path on the running host; "": not known */
	char refers_to[1024]; /* of an image that is refused: the backing file it names */
	struct err forbids;   /* why nothing of its guest may be written to (guard.h); code 0: nothing says so */

	enum verdict verdict;
	char code[ERR_WORD_MAX];
	char reason[ERR_TEXT_MAX];
	double seconds;
	struct check_result check;
	struct ext_facts ext;
};

struct walk;

struct layer_ops {
	const char *name;
	enum kind kind;
	/* AMBIGUOUS: e says which claims contradict each other; the device is left alone. */
	enum claim (*probe)(struct walk *w, struct node *device, struct err *e);
	/* Fills the node n that stands for the content of its parent's device. On
	 * failure n gets the error as its verdict. NULL: nothing to add. */
	int (*describe)(struct walk *w, struct node *n, struct err *e);
	/* Members are those nodes of the driver that have no verdict yet. Unless final,
	 * members of a group that is not whole are left for a later call. */
	int (*gather)(struct walk *w, struct node *const *members, size_t n, bool final,
		      struct err *e);
	/* -EAGAIN: a name it needs is another walk's; close all and try again alone. */
	int (*open)(struct walk *w, struct node *n, struct err *e);
	int (*children)(struct walk *w, struct node *n, struct err *e);
	int (*check)(struct walk *w, struct node *n, struct err *e);
	/* Asked once, of all the driver's nodes without a verdict: those that tell that their guest
	 * is not off get node_forbid(). NULL: it can't know. */
	void (*guard)(struct walk *w, struct node *const *nodes, size_t n);
	/* Asked of a filesystem on a host's volume, once that is checked: 1 where it is one of
	 * the host's own and may be opened. It is this driver's then. */
	int (*enter)(struct walk *w, struct node *n, struct err *e);
	int (*close)(struct walk *w, struct node *n, struct err *e);
	/* What it offers becomes writable after all, what is below it is so already. NULL: the
	 * kernel's read-only switch, or a mapping's, is all there is to it. */
	int (*make_writable)(struct node *n, struct err *e);
	/* How many bytes more may be written to what it offers; NULL: there is no limit. */
	uint64_t (*room)(const struct node *n);
	/* Releases n->state; NULL: free(3). */
	void (*forget)(struct node *n);
	bool looks_only; /* check never writes; it is called before any that may, as it can find
			  * that the guest is hibernated */
};

const char *kind_name(enum kind k);
const char *verdict_name(enum verdict v);

/* Sets the verdict from an error: code is e->word, or word where that is "". */
void node_fail(struct node *n, const struct err *e, const char *word) nonnull_all;

/* Sets verdict, code and reason (a sentence) of n. */
void node_verdict(struct node *n, enum verdict v, const char *code, const char *fmt, ...)
	printf_like(4, 5) nonnull_all;

/* Nothing of n's guest may be written to: with one of the report's codes (hibernated, saved-state,
 * in-use, quarantined) and a sentence why. The first reason stays. */
void node_forbid(struct node *n, const char *code, const char *fmt, ...)
	printf_like(3, 4) nonnull_at(1, 2, 3);

/* What has to be told of a node whatever its verdict is: a sentence behind its reason, and code
 * where it has none, which puts it among the report's problems. */
void node_note(struct node *n, const char *code, const char *fmt, ...)
	printf_like(3, 4) nonnull_at(1, 2, 3);

/* What an admin calls the host's device n into path: "VG/LV" for a volume,
 * "/dev/sda2" for partition 2 of disk sda, "/dev/sda" for a disk, "VG/LV:/PATH" for a disk
 * image on a filesystem of the host. */
#define NODE_PATH_SIZE 320
void node_path(const struct node *n, char path[NODE_PATH_SIZE]) nonnull_all;

/* The same of the host's volume that n, a layer on it, lies on. */
void node_volume_path(const struct node *n, char path[NODE_PATH_SIZE]) nonnull_all;

/* How many bytes more the layers below n have room for, where they grow as they are written to;
 * UINT64_MAX: no limit. */
uint64_t node_room(const struct node *n) nonnull_all;

/* Appends " > WORD" to a stack in dst (size bytes); the first word stands alone. */
void stack_push(char *dst, size_t size, const char *word) nonnull_all;

#endif
