/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the news of a sweep go: the journal, the mail, the monitoring. Each has a file tell_NAME.c. A failure is
 * said and nothing more comes of it. */
#ifndef GS_TELLING_H
#define GS_TELLING_H

#include <json-c/json_object.h>
#include <stdint.h>

#include "attrs.h"

struct news {
	const char *run;      /* the run's name, "" where there is no report */
	const char *verdict;
	const char *text;     /* one sentence */
	json_object *report;  /* NULL: none */
	int guests_left_off;  /* that could not be started again */
};

/* One entry for the sweep with its figures as fields, and one for each problem, in systemd's journal, by its native
 * protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL). */
void tell_journal(const struct news *n) nonnull_all;

/* report.txt as a mail to address, where this host has a sendmail. */
void tell_mail(const struct news *n, const char *address) nonnull_all;

/* guestsweep.prom in folder, for node_exporter's textfile collector, where there is such a folder. now: seconds
 * since 1970. */
void tell_metrics(const struct news *n, const char *folder, int64_t now) nonnull_all;

#endif
