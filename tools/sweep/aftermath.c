/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "aftermath.h"

#include <stdio.h>
#include <stdlib.h>

#include <json-c/json_object.h>
#include <json-c/json_util.h>

#include "dm.h"
#include "leftovers.h"
#include "log.h"
#include "publish.h"
#include "results.h"

void print_summary(json_object *report)
{
	char line[256];

	printf("guestsweep: %s\n", results_summary(report, line, sizeof(line)));
	fflush(stdout);
}

/* A sweep that broke before it had found anything. */
static json_object *empty_report(void)
{
	const struct sweep_facts f = { .version = GUESTSWEEP_VERSION };
	struct results r;

	return results_init(&r) == 0 ? results_report(&r, &f) : NULL;
}

int aftermath_main(const char *reason)
{
	json_object *report = json_object_from_file(DRAFT_PATH);
	struct place place;
	struct err e = { 0 };

	log_line("the sweep broke: %s", reason);
	if (!report)
		report = empty_report();
	if (!report)
		return EXIT_FAILURE;
	results_break(report, "sweep-broken", reason);
	if (publish_resume(&place, &e) < 0 || publish_finish(&place, report, &e) < 0)
		log_line("no report is written: %s", e.text);
	dm_prepare();
	leftovers_remove(NULL, NULL, 0);
	print_summary(report);
	json_object_put(report);
	return EXIT_SUCCESS;
}
