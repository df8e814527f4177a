/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be known before going down, as a list of items with one sentence each. */
#ifndef GS_PREFLIGHT_H
#define GS_PREFLIGHT_H

#include <stddef.h>

#include "attrs.h"
#include "crypttab.h"
#include "err.h"
#include "settings.h"

enum item_state { ITEM_OK, ITEM_WARN, ITEM_FAIL };

struct item {
	char what[80];
	enum item_state state;
	char text[ERR_TEXT_MAX];
};

struct bootway;

struct preflight {
	struct settings settings;
	struct crypttab crypttab;
	struct item *item;
	size_t n;
};

/* Adds an item; the sentence has no full stop. */
void preflight_add(struct preflight *p, const char *what, enum item_state state, const char *fmt, ...)
	printf_like(4, 5) nonnull_all;

/* Looks at everything for this way. Returns 0 or -ENOMEM. Release with preflight_free(). */
int preflight_run(struct preflight *p, const struct bootway *way, struct err *e) must_check nonnull_all;
void preflight_free(struct preflight *p) nonnull_all;

/* The worst of all items. */
enum item_state preflight_worst(const struct preflight *p) nonnull_all;

const char *item_state_name(enum item_state s);

/* Its parts, a file pre_NAME.c each. */
void pre_install(struct preflight *p) nonnull_all;
void pre_report(struct preflight *p) nonnull_all;
void pre_volumes(struct preflight *p) nonnull_all;
void pre_keys(struct preflight *p, const struct bootway *way) nonnull_all;
void pre_guests(struct preflight *p) nonnull_all;
void pre_machine(struct preflight *p) nonnull_all;

#endif
