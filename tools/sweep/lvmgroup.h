/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A volume group as LVM reports it. Its volumes are of two sorts:
 *
 *   plain    linear or striped over physical volumes. A mapping of ours does it; nothing
 *            but a filesystem's own writes ever goes through it.
 *   managed  raid, mirror, snapshot, thin, cache and whatever else: LVM activates them, and
 *            the kernel may write to the disk by doing so.
 */
#ifndef GS_LVMGROUP_H
#define GS_LVMGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json_object.h>

#include "dm.h"
#include "layer.h"
#include "snapshot.h"

#define LVM_NAME_SIZE 128

struct volume {
	char name[LVM_NAME_SIZE]; /* LVM allows letters, digits and "+_.-" only */
	char uuid[64];
	uint64_t bytes;           /* of a managed one as LVM counts: a snapshot's store, until it is open */
	char layout[64];          /* "linear", "raid,raid1", "thin,sparse", ... */
	bool is_public;           /* not a part of another volume */
	bool read_only;           /* by its own permission, or made so when opened */
	struct dm_line *line;     /* of a plain one; NULL: managed */
	size_t n_lines;

	enum verdict verdict;     /* other than NONE: why it is left alone */
	char code[ERR_WORD_MAX];  /* with a verdict, or a note on a good one */
	char reason[ERR_TEXT_MAX];
	bool throwaway;           /* on the throw-away copies of the physical volumes */
	char device[80];          /* once open; "" where it could not be */
};

struct group {
	unsigned id;              /* the node's */
	char name[LVM_NAME_SIZE];
	char uuid[64];
	bool read_only;           /* nothing may be written to the physical volumes */
	const char *device[MAX_PARENTS]; /* of the physical volumes */
	uint64_t device_bytes[MAX_PARENTS];
	size_t n_devices;
	struct volume *volume;
	size_t n_volumes;

	unsigned n_mapped;        /* "gs-ID.N" that may be there */
	struct snapshot *copy;    /* throw-away copies of the physical volumes, or NULL */
};

/* Takes name, UUID and volumes of g from one object of the report of lvmcmd_report(); its
 * physical volumes are those of vg_node's parents. A volume that must be left alone gets a
 * verdict. Returns 0, -ENOMEM, or -EPROTO: that is no report. */
int group_read(struct group *g, const struct node *vg_node, json_object *report, struct err *e)
	must_check nonnull_all;

/* Releases what g holds, but not g. */
void group_release(struct group *g) nonnull_all;

/* Sets the verdict of a volume: left alone, and why. */
void volume_leave(struct volume *v, enum verdict verdict, const char *code, const char *fmt, ...)
	printf_like(4, 5) nonnull_all;

/* A note on a volume that is swept all the same. */
void volume_note(struct volume *v, const char *code, const char *fmt, ...)
	printf_like(3, 4) nonnull_all;

/* The start of the dm UUIDs of all that LVM activates of a group, and of one of its volumes. */
void group_dm_uuid(const struct group *g, const struct volume *v, char *uuid, size_t size)
	nonnull_at(1, 3);

#endif
