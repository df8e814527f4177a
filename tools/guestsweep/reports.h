/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reports on the report filesystem, as the host sees them: it is used where it is mounted, else mounted for
 * as long as this process lives, in a mount name space of its own. */
#ifndef GS_REPORTS_H
#define GS_REPORTS_H

#include <json-c/json_object.h>
#include <limits.h>
#include <stdbool.h>

#include "attrs.h"
#include "err.h"
#include "settings.h"

#define RUN_NAME_SIZE 32

struct reports {
	char folder[PATH_MAX];  /* where the runs are */
	char device[PATH_MAX];
	char (*run)[RUN_NAME_SIZE]; /* their names, oldest first */
	size_t n;
};

/* Reads this host's sweep.conf; its faults are those of *s. Returns 0 or -ENOMEM. Release with settings_free(). */
int host_settings(struct settings *s, struct err *e) must_check nonnull_all;

/* Finds the report filesystem that sweep.conf names, and the runs on it. Returns 0; -ENODEV: it isn't
 * there; -errno. Release with reports_close(). */
int reports_open(struct reports *r, bool writable, struct err *e) must_check nonnull_all;
void reports_close(struct reports *r) nonnull_all;

/* The report of one run, with every text in it fit for a terminal. NULL and e: there is none that can be read. */
json_object *reports_load(const struct reports *r, const char *run, struct err *e) must_check nonnull_all;

/* The newest run's name, or NULL. */
const char *reports_newest(const struct reports *r) nonnull_all;

/* true for YYYYMMDDTHHMMSSZ. */
bool is_run_name(const char *name) nonnull_all;

/* Removes all runs but the newest keep, undo files included. Returns how many, or -errno. */
int reports_thin(struct reports *r, size_t keep, struct err *e) must_check nonnull_all;

/* The exit status for a sweep's verdict. */
int verdict_status(const char *verdict) nonnull_all;

#endif
