/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "settings_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

static const char *const mode_names[] = { "list", "check", "preen", "repair" };
static const char *const after_names[] = { "reboot", "poweroff", "kexec", "shell" };
static const char *const undo_names[] = { "off", "auto", "required" };

const char *mode_name(enum mode m)
{
	return mode_names[m];
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

int value_copy(const char *text, char **out, struct err *e)
{
	char *copy = strdup(text);

	if (!copy)
		return no_memory(e);
	*out = copy;
	return 0;
}

/* The place of text among n names, or -EINVAL with all of them in e. */
static int find_name(const char *text, const char *const names[], size_t n, struct err *e)
{
	char all[128] = "";
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(text, names[i]) == 0)
			return (int)i;
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "",
			 names[i]);
	}
	return err_set(e, EINVAL, "\"%s\" is not one of %s", SHOWN(text), all);
}

int value_mode(const char *text, enum mode *mode, struct err *e)
{
	int i = find_name(text, mode_names, ARRAY_SIZE(mode_names), e);

	if (i < 0)
		return i;
	*mode = (enum mode)i;
	return 0;
}

int value_after(const char *text, enum after *after, struct err *e)
{
	int i = find_name(text, after_names, ARRAY_SIZE(after_names), e);

	if (i < 0)
		return i;
	*after = (enum after)i;
	return 0;
}

int value_undo(const char *text, enum undo *undo, struct err *e)
{
	int i = find_name(text, undo_names, ARRAY_SIZE(undo_names), e);

	if (i < 0)
		return i;
	*undo = (enum undo)i;
	return 0;
}

int value_yes_no(const char *text, bool *yes, struct err *e)
{
	static const char *const names[] = { "no", "yes" };
	int i = find_name(text, names, ARRAY_SIZE(names), e);

	if (i < 0)
		return i;
	*yes = i;
	return 0;
}

/* Takes the digits at *p off as a number. Returns false if there are none or
 * they say more than max. */
static bool take_number(const char **p, uint64_t max, uint64_t *number)
{
	const char *start = *p;
	uint64_t n = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++) {
		unsigned digit = (unsigned)(**p - '0');

		if (digit > max || n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*number = n;
	return *p > start;
}

int value_number(const char *text, uint64_t min, uint64_t max, uint64_t *number, struct err *e)
{
	const char *p = text;
	uint64_t n;

	if (!take_number(&p, max, &n) || *p || n < min)
		return err_set(e, EINVAL, "\"%s\" is not a number from %llu to %llu", SHOWN(text),
			       (unsigned long long)min, (unsigned long long)max);
	*number = n;
	return 0;
}

/* The sum of all parts of a time span, or false. */
static bool add_up(const char *text, unsigned max, uint64_t *seconds)
{
	static const struct { char unit; unsigned seconds; } units[] = {
		{ 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 }
	};
	const char *p = text;
	size_t unit = 0;
	uint64_t n, sum = 0;

	do {
		if (!take_number(&p, max, &n))
			return false;
		if (!*p && !unit) {
			sum = n;
			break;
		}
		while (unit < ARRAY_SIZE(units) && units[unit].unit != *p)
			unit++;
		if (unit == ARRAY_SIZE(units))
			return false;
		sum += n * units[unit++].seconds;
	} while (*++p);
	*seconds = sum;
	return sum <= max;
}

int value_duration(const char *text, unsigned min, unsigned max, unsigned *seconds,
		   struct err *e)
{
	uint64_t sum;

	if (!add_up(text, max, &sum) || sum < min)
		return err_set(e, EINVAL,
			       "\"%s\" is not a time from %us to %us, like 90s, 45m, 4h or 1h30m",
			       SHOWN(text), min, max);
	*seconds = (unsigned)sum;
	return 0;
}

void words_clear(struct words *words)
{
	size_t i;

	for (i = 0; i < words->n; i++)
		free(words->item[i]);
	free(words->item);
	*words = (struct words){ 0 };
}

bool words_have(const struct words *w, const char *s)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (strcmp(w->item[i], s) == 0)
			return true;
	return false;
}

int words_add(struct words *words, char *item, struct err *e)
{
	char **grown = reallocarray(words->item, words->n + 1, sizeof(*grown));

	if (!grown) {
		free(item);
		return no_memory(e);
	}
	words->item = grown;
	words->item[words->n++] = item;
	return 0;
}

int value_words(const char *text, const char *separators, value_convert convert,
		struct words *words, struct err *e)
{
	cleanup_free char *copy = NULL;
	struct words found = { 0 };
	char *rest, *word, *item;
	int rc;

	rc = value_copy(text, &copy, e);
	rest = copy;
	while (rc == 0 && (word = strsep(&rest, separators))) {
		/* several blanks are one separator, two commas are not */
		if (!*word && strcmp(separators, BLANKS) == 0)
			continue;
		rc = convert(word, &item, e);
		if (rc == 0)
			rc = words_add(&found, item, e);
	}
	if (rc < 0) {
		words_clear(&found);
		return rc;
	}
	words_clear(words);
	*words = found;
	return 0;
}
