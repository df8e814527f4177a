/* SPDX-License-Identifier: GPL-2.0-or-later */
/* init: writes /etc/guestsweep from what it finds, and says what it could not place. keys/ stays the admin's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "draft.h"
#include "host.h"
#include "hostlvm.h"
#include "log.h"
#include "settings_value.h"

void draft_open_end(struct draft *d, FILE *f, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX], harmless[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	escape_text(harmless, sizeof(harmless), text);
	printf("to do: %s\n", harmless);
	fprintf(f, "%c to do: %s\n", f == d->sweep ? ';' : '#', harmless);
	d->open_ends++;
}

static int write_new(const char *name, const char *text, size_t size, bool force, struct err *e)
{
	char path[PATH_MAX];
	cleanup_fd int fd = open(host_path(path, CONFIG_FOLDER_PATH "/%s", name),
				 O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL), 0600);

	if (fd < 0 || write(fd, text, size) != (ssize_t)size || fsync(fd) < 0)
		return err_set(e, errno, "write %s: %s", path, strerror(errno));
	return 0;
}

static int make_folder(const char *path, struct err *e)
{
	char full[PATH_MAX];

	if (mkdir(host_path(full, "%s", path), 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "make folder %s: %s", full, strerror(errno));
	return 0;
}

static int write_all(struct draft *d, bool force, struct err *e)
{
	cleanup_free char *sweep = NULL, *crypttab = NULL;
	size_t sweep_size, crypttab_size;
	int rc;

	d->sweep = open_memstream(&sweep, &sweep_size);
	d->crypttab = open_memstream(&crypttab, &crypttab_size);
	if (!d->sweep || !d->crypttab)
		return err_set(e, ENOMEM, "no memory for the configuration");
	draft_sweep(d);
	draft_crypttab(d);
	if (fclose(d->sweep) != 0 || fclose(d->crypttab) != 0)
		return err_set(e, ENOMEM, "no memory for the configuration");
	rc = make_folder(CONFIG_FOLDER_PATH, e);
	if (rc == 0)
		rc = make_folder(CONFIG_FOLDER_PATH "/keys", e);
	if (rc == 0)
		rc = write_new("sweep.conf", sweep, sweep_size, force, e);
	if (rc == 0)
		rc = write_new("crypttab", crypttab, crypttab_size, force, e);
	return rc;
}

static int run_init(int argc, char **argv)
{
	bool force = argc == 2 && strcmp(argv[1], "--force") == 0;
	struct draft d = { 0 };
	struct err e;
	int rc;

	if (argc > 1 && !force)
		return usage_error(&command_init, "what is %s?", argv[1]);
	if (!force && (host_has(CONFIG_FOLDER_PATH "/sweep.conf") || host_has(CONFIG_FOLDER_PATH "/crypttab"))) {
		log_line("%s has a configuration already; --force writes it anew, keys/ stays", CONFIG_FOLDER_PATH);
		return CANNOT;
	}
	rc = hostlvm_list(&d.volumes, &e);
	if (rc == 0)
		rc = write_all(&d, force, &e);
	words_clear(&d.volumes);
	words_clear(&d.covered);
	if (rc < 0) {
		log_line("%s", e.text);
		return CANNOT;
	}
	printf("wrote %s/sweep.conf and crypttab; %u thing%s to do; then: guestsweep preflight\n", CONFIG_FOLDER_PATH,
	       d.open_ends, d.open_ends == 1 ? "" : "s");
	return DONE;
}

const struct command command_init = {
	"init", "[--force]", "writes /etc/guestsweep from what it finds on this host", run_init,
};
