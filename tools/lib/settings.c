/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "file.h"
#include "settings_parse.h"
#include "settings_value.h"

#define DEFAULT_DEADLINE_S (4 * 3600)
#define DEFAULT_SETTLE_S 30
#define MAX_FILE_BYTES (1u << 20)

void settings_hold_back(struct settings *s)
{
	size_t i;

	if (!s->n_faults)
		return;
	if (s->mode > MODE_CHECK)
		s->mode = MODE_CHECK;
	for (i = 0; i < s->n_guests; i++)
		if (s->guests[i].mode > MODE_CHECK)
			s->guests[i].mode = MODE_CHECK;
}

void settings_fault(struct settings *s, const char *where, const char *fmt, ...)
{
	static const char consequence[] = "; the sweep runs read-only";
	char what[ERR_TEXT_MAX - 64];
	struct fault *f;
	va_list ap;

	if (s->n_faults < SETTINGS_MAX_FAULTS - 1) {
		f = &s->faults[s->n_faults++];
		va_start(ap, fmt);
		vsnprintf(what, sizeof(what), fmt, ap);
		va_end(ap);
		snprintf(f->text, sizeof(f->text), "%.32s: %s%s", where, what, consequence);
	} else {
		s->n_faults = SETTINGS_MAX_FAULTS;
		f = &s->faults[SETTINGS_MAX_FAULTS - 1];
		snprintf(f->text, sizeof(f->text), "and %zu more", ++s->n_more_faults);
	}
	settings_hold_back(s);
}

void settings_write_for_undo(struct settings *s)
{
	if (!s->take_back)
		return;
	s->mode = MODE_PREEN; /* for a host filesystem on the way */
	s->mode_from_command_line = true;
	settings_hold_back(s);
}

int settings_defaults(struct settings *s, struct err *e)
{
	int rc;

	*s = (struct settings){ .mode = MODE_PREEN, .after = AFTER_REBOOT, .undo = UNDO_AUTO,
				.deadline_s = DEFAULT_DEADLINE_S, .settle_s = DEFAULT_SETTLE_S };
	rc = settings_set(s, KEY_IN_FILE, "images", "*.qcow2 *.raw *.img *.vmdk *.vdi *.vhdx", e);
	if (rc == 0)
		rc = settings_set(s, KEY_IN_FILE, "report", "LABEL=GSREPORT:/", e);
	s->report_named = false;
	return rc;
}

int settings_text(struct settings *s, const char *dir, const char *name, char **text,
		  size_t *size, struct err *e)
{
	cleanup_free char *path = NULL;
	struct err why;
	int rc;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return err_set(e, ENOMEM, "out of memory");
	}
	rc = file_read(path, MAX_FILE_BYTES, text, size, &why);
	if (rc == -ENOENT)
		return 0;
	if (rc == -ENOMEM)
		return err_set(e, ENOMEM, "%s", why.text);
	if (rc < 0) {
		settings_fault(s, name, "%s", why.text);
		return 0;
	}
	return 1;
}

/* Adds DIR/sweep.conf, if it is there. */
static int load_file(struct settings *s, const char *dir, struct err *e)
{
	cleanup_free char *text = NULL;
	size_t size;
	int rc = settings_text(s, dir, "sweep.conf", &text, &size, e);

	return rc > 0 ? settings_parse_file(s, text, size, e) : rc;
}

int settings_load(struct settings *s, const char *dir, const char *cmdline, struct err *e)
{
	int rc;

	rc = settings_defaults(s, e);
	if (rc == 0)
		rc = load_file(s, dir, e);
	if (rc == 0)
		rc = settings_parse_cmdline(s, cmdline, e);
	if (rc < 0)
		settings_free(s);
	return rc;
}

int settings_take_back(struct settings *s, const char *what, struct err *e)
{
	int rc = settings_set(s, KEY_ON_COMMAND_LINE, "undo", what, e);

	settings_write_for_undo(s);
	return rc;
}

void settings_free(struct settings *s)
{
	size_t i, k;

	for (i = 0; i < s->n_guests; i++) {
		for (k = 0; k < s->guests[i].n_disks; k++)
			guest_disk_clear(&s->guests[i].disks[k]);
		free(s->guests[i].disks);
		free(s->guests[i].name);
	}
	free(s->guests);
	free(s->report_device);
	free(s->report_folder);
	free(s->take_back);
	words_clear(&s->images);
	words_clear(&s->ignore);
	words_clear(&s->saves);
	words_clear(&s->only);
	*s = (struct settings){ 0 };
}

const struct guest *settings_guest(const struct settings *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_guests; i++)
		if (strcmp(s->guests[i].name, name) == 0)
			return &s->guests[i];
	return NULL;
}

enum mode settings_mode(const struct settings *s, const char *name)
{
	const struct guest *g = name ? settings_guest(s, name) : NULL;

	return g && g->has_mode && !s->mode_from_command_line ? g->mode : s->mode;
}

enum undo settings_undo(const struct settings *s, const char *name)
{
	const struct guest *g = name ? settings_guest(s, name) : NULL;

	return g && g->has_undo ? g->undo : s->undo;
}
