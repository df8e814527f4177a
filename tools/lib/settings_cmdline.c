/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel command line, CONTRACT section 4. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "settings_parse.h"
#include "settings_value.h"

#define PREFIX "guestsweep."
#define WHERE "kernel command line"

/* text begins with a double quote: takes it off, and one at the end. */
static char *unquote(char *text)
{
	size_t n = strlen(++text);

	if (n && text[n - 1] == '"')
		text[n - 1] = 0;
	return text;
}

/*
 * Cuts the next word off *rest, as next_arg() in the kernel's lib/cmdline.c does:
 * double quotes keep blanks together, and those around the word or its value
 * are taken off. Returns it, its value in *value (NULL: no "="), or NULL at the end.
 */
static char *next_word(char **rest, char **value)
{
	char *word = *rest + strspn(*rest, BLANKS), *end, *equals = NULL;
	bool quoted = *word == '"', in_quotes = quoted;

	if (!*word)
		return NULL;
	if (quoted)
		word++;
	for (end = word; *end && (in_quotes || !strchr(BLANKS, *end)); end++) {
		if (*end == '=' && !equals && end > word)
			equals = end;
		else if (*end == '"')
			in_quotes = !in_quotes;
	}
	*rest = *end ? end + 1 : end;
	*end = 0;
	if (quoted && end > word && end[-1] == '"')
		end[-1] = 0;
	*value = NULL;
	if (!equals)
		return word;
	*equals = 0;
	*value = equals + 1;
	if (**value == '"')
		*value = unquote(*value);
	return word;
}

static int take_word(struct settings *s, const char *word, const char *value, struct err *e)
{
	const char *key = word + strlen(PREFIX);
	char keys[128];
	int rc;

	rc = settings_set(s, KEY_ON_COMMAND_LINE, key, value ? value : "", e);
	if (rc == -ENOENT)
		settings_fault(s, WHERE, "\"%s\" is not known (%s)", SHOWN(word),
			       settings_keys(KEY_ON_COMMAND_LINE, keys, sizeof(keys)));
	else if (rc == -EINVAL)
		settings_fault(s, WHERE, "%s: %s", SHOWN(word), e->text);
	else if (rc == 0 && strcmp(key, "mode") == 0)
		s->mode_from_command_line = true;
	return rc == -ENOMEM ? rc : 0;
}

int settings_parse_cmdline(struct settings *s, const char *cmdline, struct err *e)
{
	cleanup_free char *copy = NULL;
	char *rest, *word, *value;
	int rc;

	rc = value_copy(cmdline, &copy, e);
	rest = copy;
	while (rc == 0 && (word = next_word(&rest, &value))) {
		if (strcmp(word, "--") == 0 && !value)
			break;
		if (strncmp(word, PREFIX, strlen(PREFIX)) == 0)
			rc = take_word(s, word, value, e);
	}
	settings_write_for_undo(s);
	settings_hold_back(s);
	return rc;
}
