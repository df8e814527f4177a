/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the admin asked for: sweep.conf (INI, read with inih) under the kernel
 * command line, CONTRACT sections 3 and 4. Nothing here is guessed: a fault in
 * either makes the whole sweep read-only, and is named with file and line.
 */
#ifndef GS_SETTINGS_H
#define GS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"
#include "err.h"

enum mode { MODE_LIST, MODE_CHECK, MODE_PREEN, MODE_REPAIR };
enum after { AFTER_REBOOT, AFTER_POWEROFF, AFTER_KEXEC, AFTER_SHELL };
enum undo { UNDO_OFF, UNDO_AUTO, UNDO_REQUIRED };

struct words {
	char **item;
	size_t n;
};

/* A disk of a guest: "VG/LV", "VG/LV:/PATH FORMAT" for a file on that volume's
 * filesystem. */
struct guest_disk {
	char *volume; /* "VG/LV", or "/dev/NAME" for a whole disk or partition */
	char *path;   /* absolute inside that filesystem, or NULL */
	char *format; /* "raw", "qcow2", "vmdk", "vdi", "vhdx", or NULL: by the ending */
};

struct guest {
	char *name;
	struct guest_disk *disks;
	size_t n_disks;
	bool has_mode; /* the guest's own section names a mode */
	enum mode mode;
	bool has_undo;
	enum undo undo;
	bool is_saved; /* its memory is saved somewhere, so nothing of it may be touched */
	unsigned deadline_s; /* for its own sweep; 0: half of the whole one's */
};

/* One thing that is wrong with the configuration, in a sentence that begins
 * with "sweep.conf:LINE: " or "kernel command line: ". */
struct fault {
	char text[ERR_TEXT_MAX];
};

#define SETTINGS_MAX_FAULTS 16

struct settings {
	enum mode mode;
	enum after after;
	unsigned deadline_s; /* seconds */
	unsigned jobs;       /* 0: auto */
	char *report_device; /* "LABEL=...", "UUID=...", "PARTUUID=..." or a path */
	char *report_folder; /* absolute folder on it */
	bool report_named;   /* configured, not the default */
	enum undo undo;
	struct words images; /* shell patterns of file names */
	struct words ignore; /* "VG/LV" or a disk's kernel name */
	struct words saves;  /* "VG/LV:/FOLDER" with libvirt's saves; empty: looked for */
	struct words only;   /* guests' names or "VG/LV"; empty: everything */
	char *take_back;     /* "RUN[:NODE]" of guestsweep.undo=: repairs to take back; NULL: sweep */
	unsigned settle_s;   /* seconds to wait for disks at most */
	bool mode_from_command_line; /* guestsweep.mode= wins over the guests' own modes */
	struct guest *guests;
	size_t n_guests;
	struct fault faults[SETTINGS_MAX_FAULTS]; /* the last: "and N more", if need be */
	size_t n_faults; /* any: mode is MODE_CHECK (or MODE_LIST) for every guest */
	size_t n_more_faults; /* those that found no room in faults[] */
};

/*
 * Fills *s from DIR/sweep.conf (missing: all defaults) and the text of
 * /proc/cmdline. Defaults: preen, reboot, 4h, auto, LABEL=GSREPORT:/, undo auto,
 * the image patterns of the contract, settle 30 s. Whatever is wrong ends as a
 * fault in *s, never as a failure; with a fault every mode that writes becomes
 * MODE_CHECK. Returns 0, or -ENOMEM (*s is then empty). Release with settings_free().
 */
int settings_load(struct settings *s, const char *dir, const char *cmdline, struct err *e)
	must_check nonnull_all;
void settings_free(struct settings *s) nonnull_all;

/* The same as guestsweep.undo=what on the kernel command line: repairs are taken back, instead of a sweep. Returns
 * 0 or -errno and a sentence. */
int settings_take_back(struct settings *s, const char *what, struct err *e) must_check nonnull_all;

/* The guest called name, or NULL. */
const struct guest *settings_guest(const struct settings *s, const char *name) nonnull_all;

/* The mode and undo policy for the guest called name (NULL: no guest's). */
enum mode settings_mode(const struct settings *s, const char *name) nonnull_at(1);
enum undo settings_undo(const struct settings *s, const char *name) nonnull_at(1);

const char *mode_name(enum mode m);

/* true where words has an item equal to s. */
bool words_have(const struct words *w, const char *s) nonnull_all;

#endif
