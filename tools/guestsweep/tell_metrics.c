/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "telling.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "file.h"
#include "host.h"
#include "jsonget.h"
#include "log.h"
#include "reports.h"

/* In the text format of https://prometheus.io/docs/instrumenting/exposition_formats/. */
static void write_metrics(FILE *f, const struct news *n, int64_t now)
{
	json_object *counts = NULL;

	fprintf(f, "# HELP guestsweep_verdict Of the last sweep: 0 clean or repaired, 1 attention, 2 uncorrected, 3 failed.\n"
		   "# TYPE guestsweep_verdict gauge\nguestsweep_verdict %d\n"
		   "# HELP guestsweep_collected_timestamp_seconds When its report was collected.\n"
		   "# TYPE guestsweep_collected_timestamp_seconds gauge\n"
		   "guestsweep_collected_timestamp_seconds %" PRId64 "\n"
		   "# HELP guestsweep_guests_left_off Guests that could not be started again.\n"
		   "# TYPE guestsweep_guests_left_off gauge\nguestsweep_guests_left_off %d\n",
		verdict_status(n->verdict), now, n->guests_left_off);
	if (!n->report || !json_object_object_get_ex(n->report, "counts", &counts))
		return;
	fprintf(f, "# HELP guestsweep_seconds How long it took.\n# TYPE guestsweep_seconds gauge\n"
		   "guestsweep_seconds %s\n"
		   "# HELP guestsweep_filesystems Filesystems by their verdict.\n"
		   "# TYPE guestsweep_filesystems gauge\n", json_text(n->report, "seconds"));
	for (const char *const *v = (const char *const[]){ "clean", "repaired", "uncorrected", "skipped", NULL };
	     *v; v++)
		fprintf(f, "guestsweep_filesystems{verdict=\"%s\"} %" PRId64 "\n", *v, json_number(counts, *v));
	fprintf(f, "# HELP guestsweep_errors What could not be checked or opened, of every kind.\n"
		   "# TYPE guestsweep_errors gauge\nguestsweep_errors %" PRId64 "\n",
		json_number(counts, "errors"));
}

void tell_metrics(const struct news *n, const char *folder, int64_t now)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	size_t size;
	struct err e;
	FILE *f;

	if (!host_has(folder))
		return;
	f = open_memstream(&text, &size);
	if (!f)
		return;
	write_metrics(f, n, now);
	if (fclose(f) == 0 &&
	    file_write_atomic(host_path(path, "%s/guestsweep.prom", folder), text, size, &e) < 0)
		log_line("no metrics: %s", e.text);
}
