/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "crypttab.h"
#include "draft.h"
#include "host.h"
#include "hostlvm.h"
#include "settings_value.h"

#define LINE_SIZE 4096

/* Options of crypttab(5) that mean something to the image, too. */
static bool is_known_option(const char *option)
{
	static const char *const known[] = { "luks", "discard", "readonly", "read-only", "nofail", "keyfile-size=",
					     "keyfile-offset=", "key-slot=", "header=", "tries=", "timeout=" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		size_t n = strlen(known[i]);

		if (known[i][n - 1] == '=' ? strncmp(option, known[i], n) == 0 : strcmp(option, known[i]) == 0)
			return true;
	}
	return false;
}

static void write_options(struct draft *d, char *options)
{
	char *option;

	fputs("luks", d->crypttab);
	while ((option = strsep(&options, ",")))
		if (strcmp(option, "luks") != 0 && is_known_option(option))
			fprintf(d->crypttab, ",%s", strcmp(option, "read-only") == 0 ? "readonly" : option);
	fputc('\n', d->crypttab);
}

static void cover(struct draft *d, const char *device)
{
	char *copy = NULL;
	struct err e;

	if (value_copy(device, &copy, &e) == 0 && words_add(&d->covered, copy, &e) < 0)
		return;
}

/* One line of the host's own crypttab. Its root and swap are the host's affair, and harmless here. */
static void take_line(struct draft *d, char *line)
{
	char *rest = line, *name = strtok_r(rest, BLANKS, &rest), *spec, *key, *options;
	char device[PATH_MAX];
	struct err e;

	if (!name || name[0] == '#')
		return;
	spec = strtok_r(NULL, BLANKS, &rest);
	key = strtok_r(NULL, BLANKS, &rest);
	options = strtok_r(NULL, BLANKS, &rest);
	if (!spec || (options && (strstr(options, "plain") || strstr(options, "swap") || strstr(options, "tcrypt")))) {
		draft_open_end(d, d->crypttab, "%s of /etc/crypttab is no LUKS volume", name);
		return;
	}
	if (host_device(spec, device, &e) < 0) {
		draft_open_end(d, d->crypttab, "%s of /etc/crypttab: %s", name, e.text);
		return;
	}
	if (options && strstr(options, "keyscript="))
		draft_open_end(d, d->crypttab, "%s has a keyscript, which the image can't run: it will ask", name);
	cover(d, device);
	fprintf(d->crypttab, "%s %s %s ", name, spec,
		!key || (options && strstr(options, "keyscript=")) ? "none" : key);
	write_options(d, options);
}

static void take_host_file(struct draft *d)
{
	char path[PATH_MAX], line[LINE_SIZE];
	cleanup_file FILE *f = fopen(host_path(path, "/etc/crypttab"), "re");

	while (f && fgets(line, sizeof(line), f))
		take_line(d, line);
}

/* An encrypted volume that no line is for: a line, once its key is where it belongs. */
static void take_volume(struct draft *d, const char *volume)
{
	char device[PATH_MAX], name[300], key[PATH_MAX];
	struct err e;
	size_t i;

	if (host_device(volume, device, &e) < 0 || !is_luks(device) || words_have(&d->covered, device))
		return;
	snprintf(name, sizeof(name), "%s", strchr(volume, '/') ? strchr(volume, '/') + 1 : volume);
	for (i = 0; name[i]; i++)
		if (name[i] == '/')
			name[i] = '-';
	snprintf(key, sizeof(key), CONFIG_FOLDER_PATH "/keys/%s", name);
	if (!host_has(key))
		draft_open_end(d, d->crypttab, "%s is encrypted: put its key into %s, or write none and type it", volume, key);
	fprintf(d->crypttab, "%s %s keys/%s luks%s\n", name, volume, name, host_has(key) ? "" : ",nofail");
}

void draft_crypttab(struct draft *d)
{
	size_t i;

	fputs("# Written by guestsweep init. The format of crypttab(5); a relative key file lies below /etc/guestsweep.\n"
	      "# name  device  key file  options\n", d->crypttab);
	take_host_file(d);
	for (i = 0; i < d->volumes.n; i++)
		take_volume(d, d->volumes.item[i]);
	printf("%zu encrypted volumes of /etc/crypttab\n", d->covered.n);
}
