/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor: finds the host's own layers, has every scope swept by a worker, takes
 * all apart again and writes the report. PID 1 runs it as
 *
 *   sweep                      the sweep, as /etc/guestsweep and the kernel command line say
 *   sweep --aftermath REASON   after one that broke
 *
 * and by hand, in the rescue shell:
 *
 *   sweep undo RUN[:NODE]      takes repairs of an earlier run back, as guestsweep.undo= does
 *
 * Exit status 0: the summary line has been printed, whatever the verdict; 1: it has not;
 * 2: usage.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "aftermath.h"
#include "armed.h"
#include "dm.h"
#include "draft.h"
#include "file.h"
#include "guarded.h"
#include "hostwalk.h"
#include "interrupted.h"
#include "keys.h"
#include "layers/registry.h"
#include "leftovers.h"
#include "log.h"
#include "looks.h"
#include "missing.h"
#include "nodejson.h"
#include "publish.h"
#include "reader.h"
#include "sandbox.h"
#include "saves.h"
#include "savesearch.h"
#include "schedule.h"
#include "settings_value.h"
#include "undoplan.h"
#include "work.h"

#define CONFIG_DIR "/etc/guestsweep"
#define WORK_DIR "/run/guestsweep"
#define CMDLINE_MAX 65536
#define ALIVE_EVERY_S 0.25
#define DRAFT_EVERY_S 2.0
#define MEMORY_RESERVE_KIB (64u << 10) /* for everything but Argon2 */
#define SECRETS_LIMIT (64u << 20)      /* locked memory for keys */

struct sweep {
	struct settings settings;
	struct crypttab crypttab;
	struct keys keys;
	struct walk_env env;
	struct walk host;
	struct scopes scopes;
	struct results results;
	struct locks *locks;
	struct place place;
	struct undoplan plan;
	struct journal journal;
	int64_t started;
	struct timespec start;
};

static struct sweep sweep = { .journal = { .fd = -1 } }; /* one process, one sweep; the walk's callbacks have no argument */
static volatile sig_atomic_t told_to_stop;

static void on_term(int sig)
{
	(void)sig;
	told_to_stop = 1;
}

static double seconds_since_start(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)(ts.tv_sec - sweep.start.tv_sec) +
	       (double)(ts.tv_nsec - sweep.start.tv_nsec) / 1e9;
}

static unsigned seconds_left(void)
{
	double left = (double)sweep.settings.deadline_s - seconds_since_start();

	return left < 1 ? 1 : (unsigned)left;
}

static bool cancelled(void)
{
	return told_to_stop || seconds_since_start() >= (double)sweep.settings.deadline_s;
}

/* true once in so many seconds, for what need not be done at every turn. */
static bool is_due(double *last, double every)
{
	double now = seconds_since_start();

	if (now < *last + every)
		return false;
	*last = now;
	return true;
}

/* PID 1 feeds the watchdog as long as this goes on. */
static void alive(void)
{
	static int fd = -2;
	static double last = -ALIVE_EVERY_S;
	const char *text = getenv("GUESTSWEEP_PROGRESS_FD");

	if (!is_due(&last, ALIVE_EVERY_S))
		return;
	work_sample();
	if (fd == -2)
		fd = text ? atoi(text) : -1;
	if (fd >= 0 && write(fd, ".", 1) < 0 && errno != EAGAIN)
		fd = -1;
}

static void host_idle(bool is_idle)
{
	(void)is_idle;
	alive();
}

static int host_acquire(const char *const *names, size_t n, uint64_t amount, struct err *e)
{
	int rc = locks_take(sweep.locks, LOCKS_HOST, names, n, amount);

	alive();
	if (rc == -ENOMEM)
		return err_set_word(e, ENOMEM, "no-memory", "it needs %llu MiB, %llu MiB are free",
				    (unsigned long long)amount >> 10,
				    (unsigned long long)locks_memory(sweep.locks) >> 10);
	if (rc < 0)
		return err_set_word(e, EEXIST, "ambiguous",
				    "two volume groups of this host have the same UUID (%s)", names[0]);
	return 0;
}

static void host_release(const char *const *names, size_t n, uint64_t amount)
{
	locks_release(sweep.locks, LOCKS_HOST, names, n, amount);
}

static void host_publish(struct node *const *nodes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		nodes_put(sweep.results.nodes, node_to_json(nodes[i]));
}

static int find_device(const char *spec, char *device, size_t size, struct err *e)
{
	struct node *n = hostwalk_find(&sweep.host, spec, true, e);

	if (!n)
		return -e->code;
	snprintf(device, size, "%s", n->device);
	return 0;
}

/* The host's own steps ask this while they wait, each within its own limit: that is progress. */
static bool host_cancelled(void)
{
	alive();
	return cancelled();
}

static uint64_t memory_for_keys(void)
{
	uint64_t kib = work_free_memory();

	return kib > MEMORY_RESERVE_KIB ? kib - MEMORY_RESERVE_KIB : 0;
}

static unsigned job_count(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (sweep.settings.jobs)
		return sweep.settings.jobs;
	/* a worker waits for the disk, or for the kernel to let go of a mapping, half of its time */
	return cpus < 1 ? 2 : 2 * (unsigned)cpus;
}

static int load_configuration(const char *take_back, struct err *e)
{
	char *cmdline;
	size_t i;
	int rc = file_read("/proc/cmdline", CMDLINE_MAX, &cmdline, NULL, e);

	if (rc < 0)
		return rc;
	rc = settings_load(&sweep.settings, CONFIG_DIR, cmdline, e);
	free(cmdline);
	if (rc == 0 && take_back)
		rc = settings_take_back(&sweep.settings, take_back, e);
	if (rc == 0)
		rc = crypttab_load(&sweep.crypttab, CONFIG_DIR, &sweep.settings, e);
	if (rc == 0)
		rc = keys_init(&sweep.keys, &sweep.crypttab, e);
	for (i = 0; rc == 0 && i < sweep.settings.n_faults; i++) {
		log_line("%s", sweep.settings.faults[i].text);
		results_problem(&sweep.results, SWEEP_ATTENTION, "bad-config", "%s",
				sweep.settings.faults[i].text);
	}
	return rc;
}

static int prepare_env(struct err *e)
{
	unsigned *next_id = mmap(NULL, sizeof(*next_id), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	sweep.locks = locks_new(memory_for_keys());
	if (next_id == MAP_FAILED || !sweep.locks)
		return err_set(e, ENOMEM, "no memory for the sweep");
	sweep.env = (struct walk_env){
		.settings = &sweep.settings, .crypttab = &sweep.crypttab,
		.mode = sweep.settings.mode, .undo = sweep.settings.undo, .guest = "",
		.log_dir = LOG_DIR, .work_dir = WORK_DIR, .undo_dir = "", .next_id = next_id,
		.cancelled = host_cancelled, .seconds_left = seconds_left, .acquire = host_acquire,
		.release = host_release, .publish = host_publish, .read_content = look_content,
		.idle = host_idle, .find_device = find_device, .keys = &sweep.keys,
		.registry = layer_registry,
	};
	return file_mkdirs(LOG_DIR, e);
}

/* Where no guest's own mode says otherwise, nothing at all may be written. */
static enum mode most_that_is_allowed(void)
{
	enum mode most = sweep.settings.mode;
	size_t i;

	for (i = 0; i < sweep.settings.n_guests; i++) {
		enum mode m = settings_mode(&sweep.settings, sweep.settings.guests[i].name);

		if (m > most)
			most = m;
	}
	return most;
}

static void note_report_place(const struct err *e)
{
	log_line("the report goes to the console only, and no state journal is kept: %s", e->text);
	results_problem(&sweep.results, SWEEP_CLEAN, "no-report-filesystem",
			"the report went to the console only: %s", e->text);
}

static struct sweep_facts facts_now(void)
{
	return (struct sweep_facts){
		.version = GUESTSWEEP_VERSION, .mode = sweep.settings.mode, .started = sweep.started,
		.finished = sweep.started + (int64_t)seconds_since_start(),
		.seconds = seconds_since_start(),
		.report_filesystem = json_object_get(sweep.place.about), .work = work_report(),
	};
}

static struct draft draft(void)
{
	return (struct draft){ .results = &sweep.results, .host = &sweep.host, .scopes = &sweep.scopes };
}

static bool is_draft_old;

static void note_change(void)
{
	is_draft_old = true;
}

/* For the aftermath of a sweep that breaks; all but the last moments. */
static void write_draft(void)
{
	static double last = -DRAFT_EVERY_S;
	const struct draft d = draft();
	struct sweep_facts f;

	if (!is_draft_old || !is_due(&last, DRAFT_EVERY_S))
		return;
	is_draft_old = false;
	f = facts_now();
	draft_write(&d, &f);
}

/* A change that comes too soon after the last draft is drafted some turns later. */
static void turn(void)
{
	alive();
	write_draft();
}

static void clean_up(const unsigned *ids, size_t n)
{
	leftovers_remove(&sweep.host, ids, n);
}

/* The report may lie on a filesystem of the host's own, which no worker opens. */
static void look_beside_report(void)
{
	json_object *saves = json_object_new_array();
	char path[NODE_PATH_SIZE];
	struct node *n;
	struct err e;
	size_t i;

	n = sweep.place.ready ? hostwalk_find(&sweep.host, sweep.settings.report_device,
					      sweep.settings.report_named, &e) : NULL;
	if (n) {
		node_path(n, path);
		savesearch_mounted(&sweep.settings, sweep.place.mounted.folder, path, saves);
	}
	for (i = 0; i < json_object_array_length(saves); i++)
		saves_add(&sweep.scopes, json_object_get(json_object_array_get_idx(saves, i)));
	json_object_put(saves);
}

static int sweep_guests(struct err *e)
{
	struct schedule s = {
		.scopes = &sweep.scopes, .env = &sweep.env, .locks = sweep.locks,
		.results = &sweep.results, .journal = &sweep.journal, .jobs = job_count(),
		.cancelled = cancelled,
		/* not before cancelled() says so: it counts in fractions */
		.deadline = sweep.start.tv_sec + 1 + sweep.settings.deadline_s,
		.alive = turn, .changed = note_change, .clean = clean_up,
	};
	size_t n;
	int rc = scopes_make(&sweep.scopes, &sweep.host, &sweep.settings, &sweep.crypttab, e);

	if (rc < 0)
		return rc;
	n = scopes_to_sweep(&sweep.scopes);
	log_line("%zu %s to sweep, %u at a time, mode %s", n, n == 1 ? "guest or volume" : "guests or volumes", s.jobs,
		 mode_name(sweep.settings.mode));
	if (sweep.place.ready)
		interrupted_begin(&sweep.journal, sweep.place.folder, &sweep.scopes, &sweep.results);
	note_change();
	write_draft();
	look_beside_report();
	if (!schedule_run(&s))
		log_line("not every guest's sweep came to its end");
	missing_report(&sweep.host, &sweep.scopes, &sweep.results);
	if (cancelled())
		results_problem(&sweep.results, SWEEP_FAILED, "timeout",
				"the deadline of %u s passed before all was swept",
				sweep.settings.deadline_s);
	return 0;
}

static void report(void)
{
	const struct draft d = draft();
	struct sweep_facts f;
	json_object *whole;
	struct err e = { 0 };
	bool placed = sweep.place.ready;

	walk_close(&sweep.host, false);
	leftovers_report(&sweep.host, &sweep.results);
	interrupted_end(&sweep.journal, &sweep.results);
	f = facts_now();
	whole = draft_report(&d, &f);
	if (placed && publish_finish(&sweep.place, whole, &e) < 0)
		log_line("the report could not be written: %s", e.text);
	walk_close(&sweep.host, true);
	if (dm_drop_all_patiently(&e) < 0)
		log_line("left behind: %s", e.text);
	else if (placed && e.code == 0)
		log_line("report written to %s, folder %s", sweep.settings.report_device,
			 sweep.place.run);
	print_summary(whole);
	json_object_put(whole);
}

/* What is to be taken back, and what has to be opened for that. Each guest's own mode and name count for nothing
 * here: what the repair has written to is what it is about. */
static int plan_undo(struct err *e)
{
	struct settings *s = &sweep.settings;
	int rc;

	if (s->n_faults)
		return err_set(e, EINVAL, "guestsweep.undo=%s: the configuration is at fault, so nothing is taken back",
			       s->take_back);
	if (!sweep.place.ready)
		return err_set(e, ENODEV, "guestsweep.undo=%s: there is no report filesystem, so nothing is taken back",
			       s->take_back);
	rc = undoplan_load(&sweep.plan, sweep.place.folder, s->take_back, e);
	if (rc < 0)
		return err_wrap(e, "guestsweep.undo=%s: nothing is taken back", s->take_back);
	words_clear(&s->only);
	s->only = sweep.plan.volumes;
	sweep.plan.volumes = (struct words){ 0 };
	sweep.env.plan = &sweep.plan;
	return 0;
}

/* Returns 0 where there is nothing more to be done, or it was done; what can't be is a problem of the report. */
static int take_back(struct err *e)
{
	int rc;

	if (plan_undo(e) < 0) {
		log_line("%s", e->text);
		results_problem(&sweep.results, SWEEP_ATTENTION, "not-undone", "%s", e->text);
		return 0;
	}
	rc = sweep_guests(e);
	undoplan_report_missing(&sweep.plan, &sweep.results);
	return rc;
}

static void prepare_process(void)
{
	struct sigaction sa = { .sa_handler = on_term };
	struct rlimit locked = { SECRETS_LIMIT, SECRETS_LIMIT };

	clock_gettime(CLOCK_MONOTONIC, &sweep.start);
	work_start();
	sweep.started = (int64_t)time(NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_MEMLOCK, &locked);
	guarded_supervisor();
	sandbox_prepare();
	dm_prepare();
}

static int sweep_main(const char *undo)
{
	struct err e = { 0 };
	bool refused;
	int rc;

	prepare_process();
	rc = results_init(&sweep.results);
	/* before anything is taken out of the configuration */
	refused = armed_begin("", &e) < 0;
	if (rc == 0)
		rc = load_configuration(undo, &e);
	if (rc == 0)
		rc = prepare_env(&e);
	if (rc < 0) {
		log_line("%s", e.text[0] ? e.text : "no memory");
		return EXIT_FAILURE;
	}
	reader_bound_by(seconds_left);
	sweep.env.mode = refused ? MODE_LIST : most_that_is_allowed();
	walk_init(&sweep.host, &sweep.env);
	rc = hostwalk_discover(&sweep.host, &e);
	if (rc == 0 && publish_prepare(&sweep.place, &sweep.host, sweep.started, &e) == 0)
		sweep.env.undo_dir = sweep.place.undo;
	else if (rc == 0)
		note_report_place(&e);
	armed_clear_grub(&sweep.host, sweep.place.ready ? &sweep.place.mounted : NULL);
	if (rc == 0)
		rc = armed_may_sweep(&e);
	if (rc == 0)
		keys_gather(&sweep.keys, &sweep.env);
	keys_wipe_files(&sweep.keys, CONFIG_DIR "/keys");
	if (rc == 0)
		rc = sweep.settings.take_back ? take_back(&e) : sweep_guests(&e);
	keys_free(&sweep.keys);
	if (sweep.settings.after == AFTER_KEXEC)
		armed_load_next(&sweep.host, sweep.place.ready ? &sweep.place.mounted : NULL);
	if (rc < 0)
		results_problem(&sweep.results, SWEEP_FAILED, e.word[0] ? e.word : "tool-failed", "%s", e.text);
	report();
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--aftermath") == 0)
		return aftermath_main(argv[2]);
	if (argc == 3 && strcmp(argv[1], "undo") == 0)
		return sweep_main(argv[2]);
	if (argc == 1)
		return sweep_main(NULL);
	fprintf(stderr, "usage: sweep [undo RUN[:NODE] | --aftermath REASON]\n"
			"PID 1 of the guestsweep image runs it; see /etc/guestsweep.\n");
	return 2;
}
