/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sweep.conf, CONTRACT section 3. inih reads the lines "KEY = VALUE ; COMMENT",
 * one at a time: so every bad line is told, with its number, and none is
 * continued, however inih was built. Sections are read here, since inih cuts
 * their names at 49 bytes and takes anything behind the bracket.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "settings_parse.h"
#include "settings_value.h"

#define BOM "\xef\xbb\xbf"
#define MAX_LINE_BYTES (INI_MAX_LINE - 2)
#define GUEST_KEYS "disk, mode, undo, saved, deadline"

struct reader {
	struct settings *s;
	struct err *e;
	char where[32]; /* "sweep.conf:LINE" */
	enum { NO_SECTION, SWEEP, GUEST, BAD_SECTION } section;
	bool had_sweep;
	char guest_where[32]; /* where the guest's section begins */
	struct words keys;    /* seen in this section */
	int rc;               /* 0 or -ENOMEM */
};

static struct guest *this_guest(struct reader *r)
{
	return &r->s->guests[r->s->n_guests - 1];
}

/* The guest that has d already, or whose disk can't be one together with d: a
 * guest's disk holds no files for others. NULL: none. */
static const struct guest *owner(const struct settings *s, const struct guest_disk *d)
{
	size_t i, k;

	for (i = 0; i < s->n_guests; i++) {
		for (k = 0; k < s->guests[i].n_disks; k++) {
			const struct guest_disk *o = &s->guests[i].disks[k];

			if (strcmp(o->volume, d->volume) == 0 &&
			    (!o->path || !d->path || strcmp(o->path, d->path) == 0))
				return &s->guests[i];
		}
	}
	return NULL;
}

static int add_disk(struct settings *s, struct guest *g, const char *value, struct err *e)
{
	struct guest_disk d, *grown;
	const struct guest *other;
	int rc;

	rc = value_guest_disk(value, &d, e);
	if (rc < 0)
		return rc;
	other = owner(s, &d);
	if (other) {
		guest_disk_clear(&d);
		return err_set(e, EINVAL, "\"%s\" belongs to [guest %s] already", SHOWN(value),
			       SHOWN(other->name));
	}
	grown = reallocarray(g->disks, g->n_disks + 1, sizeof(*grown));
	if (!grown) {
		guest_disk_clear(&d);
		return err_set(e, ENOMEM, "out of memory");
	}
	g->disks = grown;
	g->disks[g->n_disks++] = d;
	return 0;
}

/* Sets what stands under key in a guest's section; returns like settings_set(). */
static int set_guest_key(struct settings *s, struct guest *g, const char *key, const char *value,
			 struct err *e)
{
	int rc;

	if (strcmp(key, "disk") == 0)
		return add_disk(s, g, value, e);
	if (strcmp(key, "mode") == 0) {
		rc = value_mode(value, &g->mode, e);
		g->has_mode = rc == 0;
		return rc;
	}
	if (strcmp(key, "undo") == 0) {
		rc = value_undo(value, &g->undo, e);
		g->has_undo = rc == 0;
		return rc;
	}
	if (strcmp(key, "saved") == 0)
		return value_yes_no(value, &g->is_saved, e);
	if (strcmp(key, "deadline") == 0)
		return value_duration(value, 1, MAX_DEADLINE_S, &g->deadline_s, e);
	return err_set(e, ENOENT, "\"%s\" is not known", SHOWN(key));
}

/* Notes that the section has had this key. Returns whether it had it before. */
static bool is_again(struct reader *r, const char *key)
{
	char *copy;

	if (words_have(&r->keys, key))
		return true;
	r->rc = value_copy(key, &copy, r->e);
	if (r->rc == 0)
		r->rc = words_add(&r->keys, copy, r->e);
	return false;
}

static void name_unknown_key(struct reader *r, const char *key)
{
	char keys[128];

	if (r->section == SWEEP)
		settings_fault(r->s, r->where, "\"%s\" is not a key of [sweep] (%s)", SHOWN(key),
			       settings_keys(KEY_IN_FILE, keys, sizeof(keys)));
	else
		settings_fault(r->s, r->where, "\"%s\" is not a key of [guest %s] (%s)", SHOWN(key),
			       SHOWN(this_guest(r)->name), GUEST_KEYS);
}

static void take_key(struct reader *r, const char *key, const char *value)
{
	int rc;

	if (r->section == BAD_SECTION)
		return;
	if (r->section == NO_SECTION) {
		settings_fault(r->s, r->where, "\"%s\" stands before the first section, %s",
			       SHOWN(key), "[sweep] or [guest NAME]");
		return;
	}
	if (strcmp(key, "disk") != 0 && is_again(r, key)) {
		settings_fault(r->s, r->where, "\"%s\" stands twice in this section", SHOWN(key));
		return;
	}
	if (r->section == SWEEP)
		rc = settings_set(r->s, KEY_IN_FILE, key, value, r->e);
	else
		rc = set_guest_key(r->s, this_guest(r), key, value, r->e);
	if (rc == -ENOENT)
		name_unknown_key(r, key);
	else if (rc == -EINVAL)
		settings_fault(r->s, r->where, "%s: %s", key, r->e->text);
	else if (rc < 0)
		r->rc = rc;
}

#if INI_HANDLER_LINENO
static int on_key(void *user, const char *section, const char *key, const char *value, int lineno)
#else
static int on_key(void *user, const char *section, const char *key, const char *value)
#endif
{
	(void)section;
#if INI_HANDLER_LINENO
	(void)lineno;
#endif
	take_key(user, key, value);
	return 1;
}

/* What is to be said of a guest when its section is over. */
static void end_section(struct reader *r)
{
	if (r->section == GUEST && !this_guest(r)->n_disks)
		settings_fault(r->s, r->guest_where, "[guest %s] names no disk",
			       SHOWN(this_guest(r)->name));
	words_clear(&r->keys);
}

static void begin_guest(struct reader *r, const char *name)
{
	struct settings *s = r->s;
	struct guest *grown;

	if (strpbrk(name, "/,")) {
		settings_fault(s, r->where, "a guest's name has no \"/\" and no \",\", unlike \"%s\"",
			       SHOWN(name));
		return;
	}
	if (settings_guest(s, name)) {
		settings_fault(s, r->where, "[guest %s] stands twice", SHOWN(name));
		return;
	}
	grown = reallocarray(s->guests, s->n_guests + 1, sizeof(*grown));
	if (!grown) {
		r->rc = err_set(r->e, ENOMEM, "out of memory");
		return;
	}
	s->guests = grown;
	grown[s->n_guests] = (struct guest){ 0 };
	r->rc = value_copy(name, &grown[s->n_guests].name, r->e);
	if (r->rc < 0)
		return;
	s->n_guests++;
	r->section = GUEST;
	memcpy(r->guest_where, r->where, sizeof(r->where));
}

/* Takes the blanks at both ends off, in place. */
static char *trim(char *text)
{
	char *end;

	text += strspn(text, BLANKS);
	for (end = text + strlen(text); end > text && strchr(BLANKS, end[-1]); end--)
		end[-1] = 0;
	return text;
}

/* name: what stands between the brackets, trimmed */
static void begin_section(struct reader *r, char *name)
{
	size_t word = strcspn(name, BLANKS);

	end_section(r);
	r->section = BAD_SECTION;
	if (strcmp(name, "sweep") == 0 && !r->had_sweep) {
		r->section = SWEEP;
		r->had_sweep = true;
	} else if (strcmp(name, "sweep") == 0) {
		settings_fault(r->s, r->where, "[sweep] stands twice");
	} else if (name[word] && strncmp(name, "guest", word) == 0 && word == strlen("guest")) {
		begin_guest(r, trim(name + word));
	} else {
		settings_fault(r->s, r->where, "[%s] is neither [sweep] nor [guest NAME]",
			       SHOWN(name));
	}
}

/* line: "[NAME]" and perhaps a comment */
static void take_section_line(struct reader *r, char *line)
{
	char *end = strchr(line, ']'), *behind;

	behind = end ? end + 1 + strspn(end + 1, BLANKS) : NULL;
	if (!end || (*behind && *behind != ';')) {
		end_section(r);
		r->section = BAD_SECTION;
		settings_fault(r->s, r->where, "\"%s\" is not a section like [sweep] or [guest NAME]",
			       SHOWN(line));
		return;
	}
	*end = 0;
	begin_section(r, trim(line + 1));
}

static bool has_bom(const char *text, size_t size)
{
	return size >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0;
}

static void take_line(struct reader *r, const char *text, size_t size)
{
	cleanup_free char *copy = NULL;
	char *line;
	int rc;

	if (size > MAX_LINE_BYTES) {
		settings_fault(r->s, r->where, "the line is longer than %d bytes", MAX_LINE_BYTES);
		return;
	}
	if (memchr(text, 0, size)) {
		settings_fault(r->s, r->where, "there is a NUL byte in the line");
		return;
	}
	copy = strndup(text, size);
	if (!copy) {
		r->rc = err_set(r->e, ENOMEM, "out of memory");
		return;
	}
	line = trim(copy);
	if (*line == '[') {
		take_section_line(r, line);
		return;
	}
	/* inih would take a BOM off every line, and then find a section behind it */
	rc = has_bom(line, strlen(line)) ? -1 : ini_parse_string(line, on_key, r);
	if (rc == -2)
		r->rc = err_set(r->e, ENOMEM, "out of memory");
	else if (rc != 0)
		settings_fault(r->s, r->where, "\"%s\" is neither KEY = VALUE nor a section",
			       SHOWN(line));
}

int settings_parse_file(struct settings *s, const char *text, size_t size, struct err *e)
{
	struct reader r = { .s = s, .e = e };
	const char *end = text + size;
	unsigned number = 0;

	if (has_bom(text, size))
		text += strlen(BOM);
	while (text < end && r.rc == 0) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		snprintf(r.where, sizeof(r.where), "sweep.conf:%u", ++number);
		take_line(&r, text, (size_t)(stop - text));
		text = newline ? newline + 1 : end;
	}
	end_section(&r);
	settings_hold_back(s);
	return r.rc;
}
