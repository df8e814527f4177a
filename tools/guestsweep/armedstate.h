/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host remembers of being armed, in STATE_FOLDER: the plan, which boot it was armed in; and what
 * the report filesystem says has become of it. */
#ifndef GS_ARMEDSTATE_H
#define GS_ARMEDSTATE_H

#include <stdbool.h>

#include "attrs.h"
#include "err.h"
#include "plan.h"
#include "reports.h"
#include "secret.h"

#define ARMED_PATH STATE_FOLDER "/armed"
#define ARMED_BOOT_PATH STATE_FOLDER "/armed-boot"
#define DISARMED_PATH STATE_FOLDER "/disarmed" /* why the host took its arming back as it went down, until that is collected */

enum armed {
	ARMED_NOT,     /* nothing is armed */
	ARMED_WAITING, /* the token is good, and this is still the boot it was armed in */
	ARMED_MISSED,  /* the token is good, but the host restarted without a sweep */
	ARMED_USED,    /* a sweep has begun */
	ARMED_LOST,    /* the report filesystem knows nothing of it */
};

struct armed_state {
	enum armed is;
	struct plan plan;
	char refused[256]; /* why the image did not sweep, by its own words; "" */
};

/* The host's private key. NULL and e: it isn't installed. */
struct secret *host_key(struct err *e) must_check nonnull_all;

/* Remembers text as the plan this host is armed with; before anything else is done. Returns 0 or -errno. */
int armed_remember(const char *text, struct err *e) must_check nonnull_all;
void armed_forget(void);

/* Leaves the reason for the next boot. Returns 0 or -errno. */
int armed_note_disarmed(const char *why, struct err *e) must_check nonnull_all;
/* That reason, fit for a terminal, "" where there is none, into why. Returns why. */
char *armed_why_disarmed(char *why, size_t size) nonnull_all;
void armed_forget_disarmed(void);

/* Returns 0 or -errno. */
int armed_look(const struct reports *r, struct armed_state *a, struct err *e) must_check nonnull_all;

#endif
