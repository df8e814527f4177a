/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect: after the return. The guests that arm shut down are started again; a report that has not been
 * collected yet goes to the journal, the mail and the monitoring; old ones are removed. A host that was armed
 * and has no report of it has news, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "armedstate.h"
#include "cleanup.h"
#include "command.h"
#include "disarm.h"
#include "file.h"
#include "guests.h"
#include "host.h"
#include "jsonget.h"
#include "log.h"
#include "telling.h"

#define COLLECTED_PATH STATE_FOLDER "/collected" /* the runs that were, a name a line: a clock may have been set back */
#define COLLECTED_MAX (1u << 20)
#define TEXTFILE_FOLDER "/var/lib/prometheus/node-exporter"
#define KEEP 24

struct wishes {
	const char *mail;
	const char *metrics;
	size_t keep;
};

static void tell(const struct news *n, const struct wishes *w)
{
	log_line("%s", n->text);
	tell_journal(n);
	tell_mail(n, w->mail);
	tell_metrics(n, w->metrics, (int64_t)time(NULL));
}

static int collect_run(const struct reports *r, const char *run, int guests_left_off,
		       const struct wishes *w)
{
	char text[ERR_TEXT_MAX];
	struct err e;
	struct news n = { .run = run, .verdict = "failed", .text = text,
			  .guests_left_off = guests_left_off };
	json_object *counts = NULL;
	int status;

	n.report = reports_load(r, run, &e);
	if (n.report) {
		n.verdict = json_text(n.report, "verdict");
		json_object_object_get_ex(n.report, "counts", &counts);
		snprintf(text, sizeof(text), "sweep %s: %s; %lld filesystems, %lld clean, %lld repaired, "
			 "%lld uncorrected, %lld skipped; %lld errors", run, n.verdict,
			 (long long)json_number(counts, "filesystems"),
			 (long long)json_number(counts, "clean"), (long long)json_number(counts, "repaired"),
			 (long long)json_number(counts, "uncorrected"),
			 (long long)json_number(counts, "skipped"), (long long)json_number(counts, "errors"));
	} else {
		snprintf(text, sizeof(text), "sweep %s: its report can't be read: %.400s", run, e.text);
	}
	tell(&n, w);
	status = verdict_status(n.verdict);
	json_object_put(n.report);
	return status;
}

/* What became of the plan, where no report tells. Returns the exit status; -1: nothing to tell. */
static int collect_plan(const struct armed_state *a, bool has_report, int guests_left_off,
			const struct wishes *w)
{
	char text[ERR_TEXT_MAX], why[ERR_TEXT_MAX / 2];
	struct news n = { .run = "", .verdict = "failed", .text = text,
			  .guests_left_off = guests_left_off };

	if (a->is == ARMED_WAITING || (a->is == ARMED_USED && has_report))
		return -1;
	armed_why_disarmed(why, sizeof(why));
	if (a->is == ARMED_NOT && !why[0])
		return -1;
	if (why[0] && a->is != ARMED_USED)
		snprintf(text, sizeof(text), "this host was armed, and took that back as it went down, so there was no sweep: %s", why);
	else if (a->is == ARMED_USED)
		snprintf(text, sizeof(text), "a sweep began and left no report: the power went, or the "
			 "report filesystem could not be written to");
	else if (a->is == ARMED_MISSED)
		snprintf(text, sizeof(text), "this host was armed and restarted without a sweep%s%s",
			 a->refused[0] ? ": " : "; the boot entry was not taken", a->refused);
	else
		snprintf(text, sizeof(text), "this host was armed, but its plan is gone from the report "
			 "filesystem");
	tell(&n, w);
	return VERDICT_STATUS_FAILED;
}

static void thin(struct reports *r, const struct wishes *w)
{
	struct err e;
	int n = reports_thin(r, w->keep, &e);

	if (n < 0)
		log_line("%s", e.text);
	else if (n > 0)
		log_line("%d old report%s removed, the newest %zu kept", n, n == 1 ? "" : "s", w->keep);
}

/* All runs that are there now: those that were removed are of no interest any more. */
static void note_collected(const struct reports *r, size_t n)
{
	cleanup_free char *text = malloc(n * RUN_NAME_SIZE + 1);
	char path[PATH_MAX];
	size_t i, used = 0;
	struct err e;

	for (i = 0; text && i < n; i++)
		used += (size_t)sprintf(text + used, "%.16s\n", r->run[i]);
	if (!text || file_mkdirs(host_path(path, STATE_FOLDER), &e) < 0 ||
	    file_write_atomic(host_path(path, COLLECTED_PATH), text, used, &e) < 0)
		log_line("%s", text ? e.text : "no memory for the list of reports");
}

static int collect(struct reports *r, int guests_left_off, const struct wishes *w)
{
	cleanup_free char *collected = NULL;
	char path[PATH_MAX];
	struct armed_state a;
	struct err e;
	bool has_report = false;
	int status = DONE, told;
	size_t i;

	if (armed_look(r, &a, &e) < 0)
		log_line("%s", e.text);
	if (file_read(host_path(path, COLLECTED_PATH), COLLECTED_MAX, &collected, NULL, &e) < 0)
		collected = NULL;
	for (i = 0; i < r->n; i++) {
		if (collected && strstr(collected, r->run[i]))
			continue;
		has_report = true;
		status = collect_run(r, r->run[i], guests_left_off, w);
	}
	if (has_report)
		note_collected(r, r->n);
	told = collect_plan(&a, has_report, guests_left_off, w);
	armed_forget_disarmed();
	if (a.is != ARMED_NOT && a.is != ARMED_WAITING && disarm(r, &e) < 0)
		log_line("%s", e.text);
	thin(r, w);
	if (!has_report && told < 0)
		log_line("there is no new report");
	return told > status ? told : status;
}

static int parse(int argc, char **argv, struct wishes *w)
{
	char *end;
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--mail") == 0) {
			w->mail = argv[i + 1];
		} else if (strcmp(argv[i], "--metrics") == 0) {
			w->metrics = argv[i + 1];
		} else if (strcmp(argv[i], "--keep") == 0) {
			w->keep = strtoul(argv[i + 1], &end, 10);
			if (*end || w->keep == 0 || argv[i + 1][0] == '-')
				return usage_error(&command_collect, "--keep needs a number from 1 on");
		} else {
			break;
		}
	}
	return i < argc ? usage_error(&command_collect, "what is %s?", argv[i]) : DONE;
}

static int run_collect(int argc, char **argv)
{
	struct wishes w = { .mail = "root", .metrics = TEXTFILE_FOLDER, .keep = KEEP };
	struct reports r;
	struct err e;
	int status = parse(argc, argv, &w), guests_left_off;

	if (status != DONE)
		return status;
	guests_left_off = guests_start_again();
	if (reports_open(&r, true, &e) < 0) {
		struct news n = { .run = "", .verdict = "failed", .text = e.text,
				  .guests_left_off = guests_left_off };

		/* a host that awaits nothing has no news */
		if (!host_has(ARMED_PATH) && !host_has(DISARMED_PATH))
			log_line("%s", e.text);
		else
			tell(&n, &w);
		return CANNOT;
	}
	status = collect(&r, guests_left_off, &w);
	reports_close(&r);
	return guests_left_off && status == DONE ? VERDICT_STATUS_ATTENTION : status;
}

const struct command command_collect = {
	"collect", "[--mail ADDRESS] [--metrics FOLDER] [--keep N]",
	"after a sweep: start the guests again; its report to journal, mail and metrics", run_collect,
};
