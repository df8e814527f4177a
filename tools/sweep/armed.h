/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image's side of `guestsweep arm`: whether this sweep has the host's leave.
 *
 *   image   configuration  plan   this sweep
 *   bare    any            none   goes on: the admin's own hand (README, "Booting it by hand")
 *   host's  none           none   goes on: an entry of the boot menu; there are no keys
 *   host's  some           none   is refused: a stranger's configuration
 *   bare    any            some   is refused: nobody can tell whose plan it is
 *   host's  any            some   needs a good signature, the configuration that was signed, and a token
 *                                 on the report filesystem that is struck off before anything else
 *
 * "host's": ./build.sh install has put the host's public key into the image.
 */
#ifndef GS_ARMED_H
#define GS_ARMED_H

#include <stdbool.h>

#include "attrs.h"
#include "err.h"
#include "mounts.h"
#include "walk.h"

/* Looks at plan and configuration below root ("" in the image), before either is used. What it finds is kept for the
 * functions below. Returns 0; -EPERM and a sentence (code "plan-refused"): refused. */
int armed_begin(const char *root, struct err *e) must_check nonnull_all;

/* Strikes the token off in the report's folder, or notes there why the sweep is refused. Returns 0, also where no
 * plan is; -EPERM: refused; -errno: it could not be struck off. */
int armed_take(const char *folder, struct err *e) must_check nonnull_all;

/* 0 where the sweep may go on; -EPERM and a sentence else, also where a token is needed and there was no report
 * filesystem to strike it off on. */
int armed_may_sweep(struct err *e) must_check nonnull_all;

/* Takes GRUB's next_entry back on the filesystem that a good plan names, also where its token was used: the host boots into
 * itself next. report: as mounted now, should it be the same; NULL: it isn't. Says what can't be done; GRUB itself takes
 * it back as a rule. */
void armed_clear_grub(struct walk *host, const struct mounted *report) nonnull_at(1);

/* The plan's `next`, "" where no good plan has one. */
const char *armed_next(void);

/* Loads the kernel that a good plan names as the host's own, for after = kexec. report: as for armed_clear_grub(). Says what
 * can't be done; a full reboot follows then. */
void armed_load_next(struct walk *host, const struct mounted *report) nonnull_at(1);

#endif
