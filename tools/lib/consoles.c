/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "consoles.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>

#include "cleanup.h"
#include "file.h"

#define ACTIVE "/sys/class/tty/console/active"
#define ACTIVE_MAX 4096
#define CMDLINE "/proc/cmdline"
#define CMDLINE_MAX 65536
#define WORD "console="

static bool name_is_plain(const char *s, size_t n)
{
	return n > 0 && n < CONSOLE_NAME_MAX && s[0] != '.' && !memchr(s, '/', n);
}

/* Adds one, unless it is there already. Returns how many there are then. */
static unsigned add(char names[][CONSOLE_NAME_MAX], unsigned n, const char *name, size_t size)
{
	unsigned i;

	if (!name_is_plain(name, size))
		return n;
	memcpy(names[n], name, size);
	names[n][size] = 0;
	for (i = 0; strcmp(names[i], names[n]); i++)
		;
	return n + (i == n);
}

unsigned console_names(const char *text, char names[][CONSOLE_NAME_MAX], unsigned max)
{
	unsigned n = 0;

	for (; n < max && *(text += strspn(text, " \t\n")); text += strcspn(text, " \t\n"))
		n = add(names, n, text, strcspn(text, " \t\n"));
	return n;
}

/* The next "console=" of a command line: what stands behind it; NULL: there is no more. */
static const char *next_word(const char *text)
{
	for (; *(text += strspn(text, " \n")); text += strcspn(text, " \n"))
		if (strncmp(text, WORD, strlen(WORD)) == 0)
			return text + strlen(WORD);
	return NULL;
}

unsigned console_words(const char *cmdline, char names[][CONSOLE_NAME_MAX], unsigned n, unsigned max)
{
	const char *name = cmdline;

	while (n < max && (name = next_word(name))) {
		size_t size = strcspn(name, ", \n");

		if (size != 4 || strncmp(name, "null", size) != 0)
			n = add(names, n, name, size);
		name += size;
	}
	return n;
}

unsigned console_speed(const char *cmdline, const char *name)
{
	const char *word = cmdline;
	size_t size = strlen(name);

	while ((word = next_word(word)))
		if (strncmp(word, name, size) == 0 && word[size] == ',')
			return (unsigned)strtoul(word + size + 1, NULL, 10);
	return 0;
}

unsigned consoles_active(char names[][CONSOLE_NAME_MAX], unsigned max)
{
	cleanup_free char *active = NULL, *cmdline = NULL;
	unsigned n = 0;
	struct err e;

	if (file_read(ACTIVE, ACTIVE_MAX, &active, NULL, &e) == 0)
		n = console_names(active, names, max);
	if (file_read(CMDLINE, CMDLINE_MAX, &cmdline, NULL, &e) == 0)
		n = console_words(cmdline, names, n, max);
	return n;
}

void console_set_speed(int fd, const char *name)
{
	static const struct {
		unsigned bits;
		speed_t speed;
	} known[] = {
		{ 9600, B9600 }, { 19200, B19200 }, { 38400, B38400 }, { 57600, B57600 }, { 115200, B115200 },
	};
	cleanup_free char *cmdline = NULL;
	struct termios mode;
	struct err e;
	unsigned bits;
	size_t i;

	if (file_read(CMDLINE, CMDLINE_MAX, &cmdline, NULL, &e) < 0 || tcgetattr(fd, &mode) < 0)
		return;
	bits = console_speed(cmdline, name);
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].bits == bits && cfsetspeed(&mode, known[i].speed) == 0)
			tcsetattr(fd, TCSANOW, &mode);
}
