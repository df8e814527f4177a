/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's crypttab: which key opens which LUKS volume. Format: crypttab(5),
 * with the additions of CONTRACT section 3. */
#ifndef GS_CRYPTTAB_H
#define GS_CRYPTTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"
#include "settings.h"

struct crypttab_entry {
	char *name;       /* the admin's name for the volume */
	char *device;     /* "VG/LV" ("/dev/" taken off, "/dev/mapper/a-b" turned into "a/b"),
	                     "UUID=..." ("/dev/disk/by-uuid/..." too), "/dev/..." for anything else */
	char *file;       /* a vault that is a file: absolute path in the image; else NULL */
	char *file_device; /* for PATH:LABEL=STICK: "LABEL=STICK" (or UUID=), file is then the path there */
	char *key_file;   /* absolute path in the image ("keys/imap" is below DIR); NULL: ask */
	char *key_device; /* for PATH:LABEL=STICK: "LABEL=STICK" (or UUID=), for PATH:/dev/mapper/NAME
	                     that: key_file is then the path on that filesystem, or on that
	                     of the vault that the entry NAME opens; NULL: in the image */
	char *header;     /* detached header: absolute path in the image, or NULL */
	char *header_device; /* the same on a volume: as device, or NULL */
	uint64_t keyfile_offset; /* bytes */
	size_t keyfile_size;     /* bytes, 0: to the end */
	int key_slot;            /* -1: any */
	unsigned tries;          /* for typed passphrases; 0: no limit */
	unsigned timeout_s;      /* seconds for a typed passphrase; 0: up to the deadline */
	bool discard;
	bool readonly;
	bool nofail;
	unsigned line; /* in the file, from 1 */
};

struct crypttab {
	struct crypttab_entry *entry;
	size_t n;
};

/* Reads DIR/crypttab (missing: no entries) into *t. A line that can't be
 * understood is left out and named in s->faults ("crypttab:LINE: ..."), with the
 * consequence that faults have there. Returns 0 or -ENOMEM. */
int crypttab_load(struct crypttab *t, const char *dir, struct settings *s, struct err *e)
	must_check nonnull_all;
void crypttab_free(struct crypttab *t) nonnull_all;

/* The entry for a LUKS volume: by its name ("VG/LV" or "/dev/sda2"; may be NULL),
 * else by its LUKS UUID (case does not matter; may be NULL). NULL: none. */
const struct crypttab_entry *crypttab_find(const struct crypttab *t, const char *volume,
					   const char *uuid) nonnull_at(1);

#endif
