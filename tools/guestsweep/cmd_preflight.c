/* SPDX-License-Identifier: GPL-2.0-or-later */
/* preflight: all that can be known before going down, as a table or as JSON. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json_object.h>

#include "bootway.h"
#include "command.h"
#include "host.h"
#include "log.h"
#include "reports.h"

void preflight_add(struct preflight *p, const char *what, enum item_state state, const char *fmt, ...)
{
	struct item *grown = realloc(p->item, (p->n + 1) * sizeof(*grown));
	char text[ERR_TEXT_MAX];
	va_list ap;

	if (!grown)
		return;
	p->item = grown;
	grown += p->n++;
	grown->state = state;
	escape_text(grown->what, sizeof(grown->what), what);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	escape_text(grown->text, sizeof(grown->text), text);
}

const char *item_state_name(enum item_state s)
{
	static const char *const names[] = { "ok", "warn", "fail" };

	return names[s];
}

enum item_state preflight_worst(const struct preflight *p)
{
	enum item_state worst = ITEM_OK;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->item[i].state > worst)
			worst = p->item[i].state;
	return worst;
}

static void pre_config(struct preflight *p)
{
	struct configset set;
	struct err e;
	size_t i;

	if (configset_list(&set, host_root(), true, &e) < 0)
		preflight_add(p, "configuration", ITEM_FAIL, "%s", e.text);
	else
		configset_free(&set);
	if (!host_has(CONFIG_FOLDER_PATH "/sweep.conf") && !host_has(CONFIG_FOLDER_PATH "/crypttab"))
		preflight_add(p, "configuration", ITEM_WARN,
			      "there is none in " CONFIG_FOLDER_PATH "; guestsweep init writes it");
	for (i = 0; i < p->settings.n_faults; i++)
		preflight_add(p, "configuration", ITEM_FAIL, "%s", p->settings.faults[i].text);
	if (!p->settings.n_faults)
		preflight_add(p, "configuration", ITEM_OK, "mode %s, deadline %u s, %zu guests named, %zu lines of crypttab",
			      mode_name(p->settings.mode), p->settings.deadline_s, p->settings.n_guests,
			      p->crypttab.n);
}

int preflight_run(struct preflight *p, const struct bootway *way, struct err *e)
{
	char folder[PATH_MAX];
	int rc;

	memset(p, 0, sizeof(*p));
	rc = host_settings(&p->settings, e);
	if (rc == 0)
		rc = crypttab_load(&p->crypttab, host_path(folder, "%s", CONFIG_FOLDER_PATH), &p->settings, e);
	if (rc < 0)
		return rc;
	pre_config(p);
	pre_install(p);
	way->check(p);
	pre_machine(p);
	pre_report(p);
	pre_volumes(p);
	pre_keys(p, way);
	pre_guests(p);
	return 0;
}

void preflight_free(struct preflight *p)
{
	crypttab_free(&p->crypttab);
	settings_free(&p->settings);
	free(p->item);
	memset(p, 0, sizeof(*p));
}

static void print_table(const struct preflight *p)
{
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[1;31m" };
	bool colour = isatty(STDOUT_FILENO);
	size_t i;
	int width = 0;

	for (i = 0; i < p->n; i++)
		if ((int)strlen(p->item[i].what) > width)
			width = (int)strlen(p->item[i].what);
	for (i = 0; i < p->n; i++)
		printf("%s%-4s%s  %-*s  %s\n", colour ? colours[p->item[i].state] : "",
		       item_state_name(p->item[i].state), colour ? "\033[0m" : "", width, p->item[i].what,
		       p->item[i].text);
}

static void print_json(const struct preflight *p, const struct bootway *way)
{
	json_object *o = json_object_new_object(), *items = json_object_new_array();
	size_t i;

	for (i = 0; i < p->n; i++) {
		json_object *item = json_object_new_object();

		json_object_object_add(item, "item", json_object_new_string(p->item[i].what));
		json_object_object_add(item, "state", json_object_new_string(item_state_name(p->item[i].state)));
		json_object_object_add(item, "text", json_object_new_string(p->item[i].text));
		json_object_array_add(items, item);
	}
	json_object_object_add(o, "schema", json_object_new_int(1));
	json_object_object_add(o, "way", json_object_new_string(way->name));
	json_object_object_add(o, "state", json_object_new_string(item_state_name(preflight_worst(p))));
	json_object_object_add(o, "items", items);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int run_preflight(int argc, char **argv)
{
	const struct bootway *way = NULL;
	struct preflight p;
	bool as_json = false;
	struct err e;
	int i, status;

	for (i = 1; i < argc; i++) {
		const struct bootway *named = strncmp(argv[i], "--", 2) == 0 ? bootway_named(argv[i] + 2) : NULL;

		if (strcmp(argv[i], "--json") == 0)
			as_json = true;
		else if (named && !way)
			way = named;
		else
			return usage_error(&command_preflight, "what is %s?", argv[i]);
	}
	if (!way)
		way = bootway_choose();
	if (preflight_run(&p, way, &e) < 0) {
		log_line("%s", e.text);
		return CANNOT;
	}
	if (as_json)
		print_json(&p, way);
	else
		print_table(&p);
	status = preflight_worst(&p) == ITEM_FAIL ? NOT_READY : DONE;
	preflight_free(&p);
	return status;
}

const struct command command_preflight = {
	"preflight", "[--kexec | --grub | --efi] [--json]",
	"what stands against a sweep; exit status 1 where something does", run_preflight,
};
