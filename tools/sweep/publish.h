/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report's place: a folder on a filesystem of the host. A run is written to a
 * hidden folder, which gets its name (YYYYMMDDTHHMMSSZ) when all of it is on disk;
 * then "last" is replaced. A power cut leaves the old report or the new one.
 */
#ifndef GS_PUBLISH_H
#define GS_PUBLISH_H

#include <json-c/json_object.h>

#include "mounts.h"
#include "walk.h"

#define LOG_DIR "/run/guestsweep/log"
#define DRAFT_PATH "/run/guestsweep/draft.json"
#define PLACE_PATH "/run/guestsweep/place.json"

struct place {
	bool ready;       /* mounted, writable, the run's hidden folder is there */
	struct mounted mounted;
	struct check_result check; /* of the filesystem, where it is ext */
	struct ext_facts ext;
	char folder[512]; /* where the runs are, as mounted */
	char run[32];     /* the run's name */
	char work[600];   /* its hidden folder until it is complete */
	char undo[620];   /* its folder for undo files */
	json_object *about; /* for the report: device, type, how its check ended */
};

/* Finds the report filesystem, checks it (ext: e2fsck -f -p), mounts it and makes the
 * run's folder. started: seconds since 1970. Returns 0; -errno and a sentence where there
 * is none that can be written to; the sweep goes on without. */
int publish_prepare(struct place *p, struct walk *host, int64_t started, struct err *e)
	must_check nonnull_all;

/* Writes report.json, report.txt and the logs, completes the run, unmounts. Returns 0 or
 * -errno: there is no report; unmounted in any case, where that is possible. */
int publish_finish(struct place *p, json_object *report, struct err *e) must_check nonnull_all;

/* For the aftermath of a sweep that broke: the place that publish_prepare() of a process
 * now gone had made. Returns 0 or -errno. */
int publish_resume(struct place *p, struct err *e) must_check nonnull_all;

#endif
