/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show: a report, the newest if none is named. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "jsonget.h"
#include "log.h"
#include "reports.h"
#include "reporttext.h"

static int show(const struct reports *r, const char *run, bool as_json)
{
	struct err e;
	json_object *report = reports_load(r, run, &e);
	int status;

	if (!report) {
		log_line("%s", e.text);
		return CANNOT;
	}
	if (as_json)
		puts(json_object_to_json_string_ext(report, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		reporttext_write(stdout, report, isatty(STDOUT_FILENO));
	status = verdict_status(json_text(report, "verdict"));
	json_object_put(report);
	return status;
}

static int run_show(int argc, char **argv)
{
	const char *run = NULL;
	bool as_json = false;
	struct reports r;
	struct err e;
	int i, status;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			as_json = true;
		else if (!run && is_run_name(argv[i]))
			run = argv[i];
		else
			return usage_error(&command_show, "%s is neither --json nor a run's name", argv[i]);
	}
	if (reports_open(&r, false, &e) < 0) {
		log_line("%s", e.text);
		return CANNOT;
	}
	if (!run)
		run = reports_newest(&r);
	if (run) {
		status = show(&r, run, as_json);
	} else {
		log_line("there is no report yet");
		status = CANNOT;
	}
	reports_close(&r);
	return status;
}

const struct command command_show = {
	"show", "[RUN] [--json]", "the newest report, or that of RUN (YYYYMMDDTHHMMSSZ)", run_show,
};
