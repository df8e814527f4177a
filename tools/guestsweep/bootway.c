/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "bootway.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "host.h"

static const struct bootway *const ways[] = { &bootway_kexec, &bootway_grub, &bootway_efi };

const struct bootway *bootway_named(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (strcmp(ways[i]->name, name) == 0)
			return ways[i];
	return NULL;
}

static bool has_key_files(void)
{
	struct configset all, without;
	struct err e;
	bool has;

	if (configset_list(&all, host_root(), true, &e) < 0)
		return false;
	if (configset_list(&without, host_root(), false, &e) < 0) {
		configset_free(&all);
		return false;
	}
	has = all.n > without.n;
	configset_free(&all);
	configset_free(&without);
	return has;
}

const struct bootway *bootway_choose(void)
{
	size_t i;

	for (i = has_key_files() ? ARRAY_SIZE(ways) : 1; i < ARRAY_SIZE(ways); i++) {
		struct preflight p = { 0 };
		bool is_free;

		ways[i]->check(&p);
		is_free = preflight_worst(&p) != ITEM_FAIL;
		preflight_free(&p);
		if (is_free)
			return ways[i];
	}
	return &bootway_kexec;
}

int bootway_undo(struct err *e)
{
	struct err why;
	size_t i;
	int rc = 0;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (ways[i]->undo(&why) < 0 && rc == 0) {
			*e = why;
			rc = -why.code;
		}
	return rc;
}

char *bootway_cmdline(char *line, size_t size)
{
	char host[4096], *word, *rest = host;
	size_t used = 0;

	host_text("/proc/cmdline", host, sizeof(host));
	line[0] = 0;
	while ((word = strsep(&rest, " ")))
		if (strncmp(word, "console=", 8) == 0 && used + strlen(word) + 64 < size)
			used += (size_t)snprintf(line + used, size - used, "%s ", word);
	snprintf(line + used, size - used, "%spanic=10 init_on_free=1", used ? "" : "console=tty0 ");
	return line;
}

int bootway_write(const struct pack *p, const char *path, struct err *e)
{
	cleanup_fd int fd = -1;
	size_t done = 0;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while (fd >= 0 && done < p->size) {
		ssize_t n = write(fd, p->bytes + done, p->size - done);

		if (n < 0)
			break;
		done += (size_t)n;
	}
	/* all of it: GRUB and the firmware replay no journal */
	if (fd < 0 || done < p->size || fsync(fd) < 0 || syncfs(fd) < 0)
		return err_set(e, errno, "write %s: %s", path, strerror(errno));
	return 0;
}
