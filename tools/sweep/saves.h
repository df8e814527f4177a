/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guests that libvirt has saved with their memory, as the supervisor knows them: which scopes
 * they are. It has to know before any volume is written to, so no worker opens more than a volume's
 * own encryption until all have looked for saves on the host filesystems that their volumes are.
 *
 * A save names its guest and what the guest's disks lie on. Where that can't be read, or names
 * something that can't be told apart here (a path in /dev/disk, a disk's kernel name), it may be any
 * guest's: nothing at all is written then (hold), until a [guest] section of that name says which
 * disks are its own. A volume or file that surely is none of those here holds nothing up. A folder that
 * the configuration names (saves =) may hold any save until it has been looked into.
 */
#ifndef GS_SAVES_H
#define GS_SAVES_H

#include "results.h"
#include "scope.h"

/* Takes over save (savefile.h), or an object that says that a folder was looked into (savesearch.h). */
void saves_add(struct scopes *list, json_object *save) nonnull_at(1);

/* Forbids to write to s where one of the saves is its guest's. */
void saves_place(struct scopes *list, struct scope *s) nonnull_all;

/* Once, when all have looked: places the saves, and decides whether nothing at all may be written
 * (list->hold), which becomes a problem of the sweep. */
void saves_judge(struct scopes *list, const struct settings *settings, struct results *results)
	nonnull_all;

/* At the end: a problem for each save that is no guest's here. */
void saves_report(const struct scopes *list, struct results *results) nonnull_all;

#endif
