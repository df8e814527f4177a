/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arm: leave for one sweep, and the way to it. Nothing is armed before preflight has nothing against it and the guests
 * are off; what fails half-way is taken back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "armedstate.h"
#include "bootway.h"
#include "cleanup.h"
#include "command.h"
#include "disarm.h"
#include "file.h"
#include "guests.h"
#include "host.h"
#include "installed.h"
#include "log.h"
#include "settings_value.h"

#define RESTART_TIMEOUT_S 120

struct wishes {
	const struct bootway *way;
	bool now;
	const char *at;
};

static bool is_ready(const struct bootway *way, struct preflight *p, struct err *e)
{
	size_t i;

	if (preflight_run(p, way, e) < 0)
		return false;
	for (i = 0; i < p->n; i++)
		if (p->item[i].state != ITEM_OK)
			log_line("%s: %s: %s", item_state_name(p->item[i].state), p->item[i].what,
				 p->item[i].text);
	if (preflight_worst(p) != ITEM_FAIL)
		return true;
	err_set(e, EPERM, "not armed: what failed above must be put right first");
	return false;
}

static bool wants_kexec(struct err *e)
{
	struct settings s;
	bool wants = host_settings(&s, e) == 0 && s.after == AFTER_KEXEC;

	settings_free(&s);
	return wants;
}

/* Makes a plan and signs it. */
static int make_plan(const struct bootway *way, const struct configset *set, const char *image,
		     const uint8_t *salt, char *text, struct err *e)
{
	cleanup_secret struct secret *key = host_key(e);
	struct plan p = { .created = (int64_t)time(NULL) };
	uint8_t token[16];
	int rc = key ? plan_random(token, sizeof(token), e) : -e->code;

	if (rc == 0)
		rc = host_machine_id(p.host, e);
	if (rc == 0)
		rc = configset_digest(set, host_root(), salt, p.config, e);
	if (rc < 0)
		return rc;
	plan_hex(token, sizeof(token), p.token);
	snprintf(p.way, sizeof(p.way), "%s", way->name);
	snprintf(p.image, sizeof(p.image), "%s", image);
	way->grubenv(p.grubenv);
	if (wants_kexec(e) && host_own_kernel(p.next, e) < 0)
		log_line("%s; this host comes back by a full reboot", e->text);
	return plan_sign(&p, key, text, e);
}

static void free_handover(struct handover *h)
{
	pack_free(&h->kernel);
	pack_free(&h->image);
	pack_free(&h->handed);
}

/* What looks once more as the host goes down: without it nothing may be armed. */
static int start_check(struct err *e)
{
	const char *argv[] = { "systemctl", "start", "guestsweep-armed.service", NULL };
	int rc = host_run(argv, RESTART_TIMEOUT_S, NULL, e);

	if (rc)
		err_wrap(e, "guestsweep-armed.service does not start");
	return rc > 0 ? -EIO : rc;
}

/* Image, kernel, configuration and plan, all in memory; text gets the plan. */
static int prepare(const struct bootway *way, struct handover *h, char *text, struct err *e)
{
	struct configset set = { 0 };
	uint8_t salt[PLAN_SALT_SIZE];
	char kernel_sum[65], image_sum[65];
	int rc = installed_load("vmlinuz", &h->kernel, kernel_sum, e);

	if (rc == 0)
		rc = installed_load("initramfs.img", &h->image, image_sum, e);
	if (rc == 0)
		rc = plan_random(salt, sizeof(salt), e);
	if (rc == 0)
		rc = configset_list(&set, host_root(), way->with_keys, e);
	if (rc == 0)
		rc = make_plan(way, &set, image_sum, salt, text, e);
	if (rc == 0)
		rc = pack_make(&h->handed, h->image.bytes, way->with_keys ? h->image.size : 0, &set,
			       host_root(), text, salt, e);
	configset_free(&set);
	explicit_bzero(salt, sizeof(salt));
	return rc;
}

static int write_plan(const struct reports *r, const char *text, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", r->folder, PLAN_FILE);
	return file_write_atomic(path, text, strlen(text), e);
}

static int set_all(const struct bootway *way, const struct reports *r, struct err *e)
{
	struct handover h = { .kernel.fd = -1, .image.fd = -1, .handed.fd = -1 };
	char text[PLAN_MAX];
	struct err ignored;
	int rc = disarm(r, e); /* what was armed before, or is left of it */

	if (rc == 0)
		rc = prepare(way, &h, text, e);
	if (rc == 0)
		rc = armed_remember(text, e);
	if (rc == 0)
		rc = write_plan(r, text, e);
	if (rc == 0)
		rc = way->set(&h, e);
	if (rc == 0)
		rc = start_check(e);
	if (rc == 0)
		armed_forget_disarmed();
	if (rc < 0 && disarm(r, &ignored) < 0)
		log_line("%s", ignored.text);
	free_handover(&h);
	return rc;
}

static int restart(const struct bootway *way, const struct reports *r, struct err *e)
{
	const char *argv[] = { "systemctl", "--no-block", way->restart, NULL };
	struct err ignored;
	int rc;

	sync();
	rc = host_run(argv, RESTART_TIMEOUT_S, NULL, e);
	if (rc && disarm(r, &ignored) < 0)
		log_line("%s", ignored.text);
	return rc > 0 ? -EIO : rc;
}

static int arm(const struct wishes *w, const struct settings *s, struct err *e)
{
	struct reports r;
	int rc = reports_open(&r, true, e);

	if (rc < 0)
		return rc;
	if (w->now)
		rc = guests_shut_down(s, e);
	if (rc == 0)
		rc = set_all(w->way, &r, e);
	if (rc == 0 && w->now)
		rc = restart(w->way, &r, e);
	if (rc < 0)
		guests_start_again();
	reports_close(&r);
	return rc;
}

/* By a timer that arms when the time has come: until then nothing is armed, no key is in memory but where it belongs,
 * a restart in between is a plain one, and preflight looks at that night's host. */
static int arm_at(const struct wishes *w, struct err *e)
{
	char calendar[128], way[16], program[PATH_MAX];
	const char *argv[] = { "systemd-run", "--unit=guestsweep-arm", "--collect", calendar, program, "arm", way,
			       "--now", NULL };
	int rc = host_program("guestsweep", program, e);

	snprintf(calendar, sizeof(calendar), "--on-calendar=%.100s", w->at);
	snprintf(way, sizeof(way), "--%s", w->way->name);
	if (rc == 0)
		rc = host_run(argv, RESTART_TIMEOUT_S, NULL, e);
	return rc > 0 ? -EIO : rc;
}

static int parse(int argc, char **argv, struct wishes *w)
{
	int i;

	for (i = 1; i < argc; i++) {
		const char *word = argv[i];
		const struct bootway *way = strncmp(word, "--", 2) == 0 ? bootway_named(word + 2) : NULL;

		if (way && (!w->way || w->way == way))
			w->way = way;
		else if (strcmp(word, "--now") == 0)
			w->now = true;
		else if (strcmp(word, "--at") == 0 && i + 1 < argc)
			w->at = argv[++i];
		else
			return usage_error(&command_arm, way ? "only one way at a time" : "what is %s?", word);
	}
	return w->now && w->at ? usage_error(&command_arm, "--now or --at, not both") : DONE;
}

static void say_armed(const struct wishes *w)
{
	if (w->at)
		printf("guestsweep arms itself at %s, by %s; systemctl list-timers guestsweep-arm.timer\n", w->at, w->way->name);
	else if (w->now)
		printf("armed by %s; this host goes down now\n", w->way->name);
	else
		printf("armed by %s for one sweep: shut the guests down, then systemctl %s (or guestsweep disarm)\n",
		       w->way->name, w->way->restart);
}

static void warn_guests_on(void)
{
	struct words on;
	struct err e;

	if (guests_list(NULL, &on, &e) < 0)
		log_line("libvirt: %s", e.text);
	else if (on.n)
		log_line("%zu guest(s) are on, %s%s: the next restart sweeps only if they are shut down by then. One that is still on, or that "
			 "libvirt-guests saves, and the host disarms itself as it goes down and just restarts", on.n, on.item[0],
			 on.n > 1 ? " and others" : "");
	words_clear(&on);
}

static int run_arm(int argc, char **argv)
{
	struct wishes w = { 0 };
	struct preflight p = { 0 };
	struct err e;
	int status = parse(argc, argv, &w);

	if (status != DONE)
		return status;
	if (!w.way)
		w.way = bootway_choose();
	if (!is_ready(w.way, &p, &e))
		status = NOT_READY;
	else if ((w.at ? arm_at(&w, &e) : arm(&w, &p.settings, &e)) < 0)
		status = CANNOT;
	if (status == DONE)
		say_armed(&w);
	if (status == DONE && !w.now && !w.at)
		warn_guests_on();
	else if (status != DONE)
		log_line("%s", e.text);
	preflight_free(&p);
	return status;
}

const struct command command_arm = {
	"arm", "[--kexec | --grub | --efi] [--now | --at TIME]",
	"leave for one sweep, at the next boot, now, or at TIME (systemd.time(7))", run_arm,
};
