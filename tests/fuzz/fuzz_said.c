/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link: -Wl,--wrap=spawn_run */
/* Any text as what a tool has said (the first byte is its exit status): qemu-img's JSON, what the
 * checkers print; and as a line of the list of modules, and as a name to be shown. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "e2fsck.h"
#include "fstools.h"
#include "log.h"
#include "modules.h"
#include "qemuimg.h"
#include "spawn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_spawn_run(const char *const argv[], const struct spawn_options *o, struct spawn_result *r,
		     struct err *e);

static const char *said;
static int status;

int __wrap_spawn_run(const char *const argv[], const struct spawn_options *o, struct spawn_result *r,
		     struct err *e)
{
	(void)argv;
	memset(r, 0, sizeof(*r));
	r->how = SPAWN_EXITED;
	r->code = status;
	escape_text(r->tail, sizeof(r->tail), said);
	*o->out = strdup(said);
	return *o->out ? 0 : err_set(e, ENOMEM, "no memory");
}

static bool never(void)
{
	return false;
}

static unsigned hour(void)
{
	return 3600;
}

static void check_qemu_img(void)
{
	static const struct walk_env env = { .log_dir = "/nonexistent", .cancelled = never,
					     .seconds_left = hour };
	static struct node n;
	struct image_health health;
	json_object *source = json_object_new_object();
	struct err e = { 0 };
	int rc = qemuimg_check(&env, &n, "json:{}", source, status & 1, &health, &e);

	json_object_put(source);
	if (rc != -e.code || (rc == 0 && status == 2 && !health.corruptions))
		abort();
}

static void check_checkers(size_t size)
{
	static const struct fs_tool *const tools[] = { &fat_tool, &exfat_tool, &f2fs_tool, &btrfs_tool,
						       &ntfs_tool, &xfs_tool };
	struct err why = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tools); i++) {
		if (!fscheck_decode(tools[i]->look_table, status, said, size))
			abort();
		if (tools[i]->write_table && !fscheck_decode(tools[i]->write_table, status, said, size))
			abort();
	}
	e2fsck_decode(status, said, size, true, &why);
	e2fsck_leaves_some(said, size);
}

/* Whatever is shown is short enough, and nothing that a terminal would obey. */
static void check_escaped(void)
{
	unsigned char shown[40];
	size_t size;

	for (size = 1; size <= sizeof(shown); size++) {
		const unsigned char *p = shown;

		escape_text((char *)shown, size, said);
		if (!memchr(shown, 0, size))
			abort();
		for (; *p; p++)
			if (*p < ' ' || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
				abort();
	}
}

static void check_modules_line(const char *text)
{
	char *line = strdup(text), *name, *options;

	if (!line)
		abort();
	if (modules_line(line, &name, &options) &&
	    (!*name || strpbrk(name, " \t#\r\n") || name < line || options < name ||
	     options > line + strlen(text)))
		abort();
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	if (!text)
		abort();
	said = text;
	status = data[0];
	check_qemu_img();
	check_checkers(strlen(text));
	check_escaped();
	check_modules_line(text);
	free(text);
	return 0;
}
