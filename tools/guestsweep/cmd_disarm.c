/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disarm: takes an arming back; the guests that arm shut down are started again. With --unless-guests-off, as the host goes down
 * (guestsweep-armed.service): only where a guest is not off.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "armedstate.h"
#include "bootway.h"
#include "command.h"
#include "disarm.h"
#include "guests.h"
#include "guestsoff.h"
#include "host.h"
#include "log.h"

static int remove_plan(const struct reports *r, struct err *e)
{
	static const char *const names[] = { PLAN_FILE, PLAN_USED_FILE, PLAN_REFUSED_FILE };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", r->folder, names[i]);
		if (unlink(path) < 0 && errno != ENOENT)
			return err_set(e, errno, "remove %s: %s", path, strerror(errno));
	}
	return 0;
}

int disarm(const struct reports *r, struct err *e)
{
	int rc = r ? remove_plan(r, e) : 0, undone = bootway_undo(rc < 0 ? &(struct err){ 0 } : e);

	if (rc == 0)
		rc = undone;
	if (rc == 0)
		armed_forget();
	return rc;
}

/* Of `arm --at`; mostly there is none. */
static void stop_timer(void)
{
	const char *argv[] = { "systemctl", "stop", "guestsweep-arm.timer", NULL };
	struct err none;

	(void)!host_run(argv, 30, NULL, &none);
}

static int take_back(void)
{
	struct reports r;
	struct err e, why;
	int rc = reports_open(&r, true, &why), status = DONE;

	if (disarm(rc < 0 ? NULL : &r, &e) < 0) {
		log_line("%s", e.text);
		status = CANNOT;
	}
	if (rc < 0)
		log_line("the plan is still on the report filesystem: %s", why.text);
	else
		reports_close(&r);
	return status;
}

static int take_back_unless_off(void)
{
	struct settings s = { 0 };
	struct err why, e;
	int rc;

	if (!host_has(ARMED_PATH))
		return DONE;
	rc = host_settings(&s, &why);
	if (rc == 0)
		rc = guestsoff_check(&s, &why);
	settings_free(&s);
	if (rc == 0)
		return DONE;
	log_line("NO SWEEP at this restart, what was armed is taken back: %s", why.text);
	if (armed_note_disarmed(why.text, &e) < 0)
		log_line("%s", e.text);
	return take_back();
}

static int run_disarm(int argc, char **argv)
{
	int status;

	if (argc == 2 && strcmp(argv[1], "--unless-guests-off") == 0)
		return take_back_unless_off();
	if (argc > 1)
		return usage_error(&command_disarm, "what is %s?", argv[1]);
	stop_timer();
	status = take_back();
	guests_start_again();
	if (status == DONE)
		puts("nothing is armed");
	return status;
}

const struct command command_disarm = {
	"disarm", "[--unless-guests-off]",
	"takes it back, and starts the guests again that were shut down for it", run_disarm,
};
