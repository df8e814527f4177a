/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: what is armed, and when the last sweep was. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "armedstate.h"
#include "cleanup.h"
#include "command.h"
#include "host.h"
#include "jsonget.h"
#include "log.h"

static void print_disarmed(void)
{
	char why[ERR_TEXT_MAX / 2];

	if (armed_why_disarmed(why, sizeof(why))[0])
		printf("            taken back as the host went down, not collected yet: %s\n", why);
}

static void print_armed(const struct armed_state *a)
{
	static const char *const words[] = {
		[ARMED_NOT] = "nothing", [ARMED_WAITING] = "for the next boot",
		[ARMED_MISSED] = "but the host restarted without a sweep; collect or disarm it",
		[ARMED_USED] = "and swept; not collected yet",
		[ARMED_LOST] = "but the plan is gone from the report filesystem; disarm it",
	};
	time_t created = (time_t)a->plan.created;
	char when[40];

	printf("armed:      %s\n", words[a->is]);
	print_disarmed();
	if (a->is == ARMED_NOT)
		return;
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S %z", localtime(&created));
	printf("            by %s, since %s\n", a->plan.way, when);
}

/* systemd's word for when a timer is due; "" where it is not. */
static void next_of(const char *timer, char *when, size_t size)
{
	const char *argv[] = { "systemctl", "show", "--property=NextElapseUSecRealtime", "--value", timer, NULL };
	cleanup_free char *text = NULL;
	struct err e;

	when[0] = 0;
	if (host_run(argv, 10, &text, &e) == 0)
		snprintf(when, size, "%s", text);
	when[strcspn(when, "\n")] = 0;
}

static void print_timers(void)
{
	char monthly[80], once[80];

	next_of("guestsweep.timer", monthly, sizeof(monthly));
	next_of("guestsweep-arm.timer", once, sizeof(once));
	printf("monthly:    %s\n", monthly[0] ? monthly : "off (systemctl enable --now guestsweep.timer)");
	if (once[0])
		printf("once:       %s (arm --at)\n", once);
}

static int print_last(const struct reports *r)
{
	const char *run = reports_newest(r);
	struct err e;
	json_object *report;

	if (!run) {
		puts("last sweep: never");
		return DONE;
	}
	report = reports_load(r, run, &e);
	if (!report) {
		log_line("%s", e.text);
		return CANNOT;
	}
	printf("last sweep: %s, %s, mode %s, %s s (guestsweep show %s)\n", json_text(report, "finished"),
	       json_text(report, "verdict"), json_text(report, "mode"), json_text(report, "seconds"), run);
	json_object_put(report);
	return DONE;
}

static int run_status(int argc, char **argv)
{
	struct armed_state a;
	struct reports r;
	struct err e;
	int status = CANNOT;

	if (argc > 1)
		return usage_error(&command_status, "what is %s?", argv[1]);
	if (reports_open(&r, false, &e) < 0) {
		log_line("%s", e.text);
		printf("armed:      %s\n", host_has(ARMED_PATH) ? "something; the report filesystem can't be read"
								   : "nothing");
		print_timers();
		return CANNOT;
	}
	if (armed_look(&r, &a, &e) < 0) {
		log_line("%s", e.text);
	} else {
		print_armed(&a);
		if (a.is != ARMED_NOT && a.refused[0])
			printf("            the image refused it: %s\n", a.refused);
		print_timers();
		status = print_last(&r);
	}
	reports_close(&r);
	return status;
}

const struct command command_status = {
	"status", "", "what is armed, and when the last sweep was", run_status,
};
