/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the values in sweep.conf, crypttab and on the kernel command line are
 * written. Inside of the settings; other parts include settings.h.
 *
 * Every function returns 0, or -EINVAL with a sentence in *e that says what is
 * wrong and what is allowed, or -ENOMEM. On failure the result is untouched.
 */
#ifndef GS_SETTINGS_VALUE_H
#define GS_SETTINGS_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"
#include "log.h"
#include "settings.h"

/* What the admin wrote, escaped and cut, for an error's text. Lives as long as
 * the block it stands in. */
#define SHOWN_MAX 80
#define SHOWN(text) escape_text((char[SHOWN_MAX]){ 0 }, SHOWN_MAX, (text))

/* The white space of these formats (the C locale's), whatever the locale. */
#define BLANKS " \t\n\v\f\r"

int value_mode(const char *text, enum mode *mode, struct err *e) must_check nonnull_all;
int value_after(const char *text, enum after *after, struct err *e) must_check nonnull_all;
int value_undo(const char *text, enum undo *undo, struct err *e) must_check nonnull_all;

int value_yes_no(const char *text, bool *yes, struct err *e) must_check nonnull_all;

/* A decimal number from min to max, digits only. */
int value_number(const char *text, uint64_t min, uint64_t max, uint64_t *number, struct err *e)
	must_check nonnull_all;

#define MAX_DEADLINE_S (7 * 24 * 3600)

/* A time span from min to max seconds: "90", "90s", "4h", "1h30m"; the units
 * d, h, m, s in this order, a bare number is seconds. */
int value_duration(const char *text, unsigned min, unsigned max, unsigned *seconds,
		   struct err *e) must_check nonnull_all;

/* A volume or disk as *volume (free it): "VG/LV" for VG/LV, /dev/VG/LV and
 * /dev/mapper/VG-LV (where LVM doubles the dashes inside names), "/dev/..." for
 * any other device file. */
int value_volume(const char *text, char **volume, struct err *e) must_check nonnull_all;

/* A guest's disk: "VOLUME", or "VOLUME:/PATH [FORMAT]" for a file on that volume's
 * filesystem. A path with blanks needs the format behind it. Release with
 * guest_disk_clear(). */
int value_guest_disk(const char *text, struct guest_disk *disk, struct err *e)
	must_check nonnull_all;
void guest_disk_clear(struct guest_disk *disk) nonnull_all;

/* Splits text at the separators into words, which is replaced. Every item goes
 * through convert, which makes a new string (*out, free it) of it. */
typedef int (*value_convert)(const char *item, char **out, struct err *e);
int value_words(const char *text, const char *separators, value_convert convert,
		struct words *words, struct err *e) must_check nonnull_all;
/* Adds item, which words own from then on, also on failure. */
int words_add(struct words *words, char *item, struct err *e) must_check nonnull_all;
void words_clear(struct words *words) nonnull_all;

/* Whether path begins with a slash and no part of it is empty, "." or "..". */
bool is_plain_path(const char *path) nonnull_all;

/* strdup(3) into *out with this header's errors. */
int value_copy(const char *text, char **out, struct err *e) must_check nonnull_all;

#endif
