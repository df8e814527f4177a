/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "file.h"
#include "spawn.h"

#define MODPROBE "/usr/sbin/modprobe"
#define LIMIT_S 30
#define LOG_LIMIT 65536
#define STATE_MAX 32 /* "live", "coming", "going": show_initstate() of kernel/module/main.c */

static bool is_live(const char *name)
{
	cleanup_free char *state = NULL;
	struct err ignored;
	char path[96];

	snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
	return file_read(path, STATE_MAX, &state, NULL, &ignored) == 0 && strcmp(state, "live\n") == 0;
}

int driver_load(const struct walk_env *env, unsigned id, const char *const *words, struct err *e)
{
	const char *argv[DRIVER_WORDS_MAX + 2] = { MODPROBE };
	char log[256], how[300];
	struct spawn_options o = { .timeout_s = LIMIT_S, .log_path = log, .log_limit = LOG_LIMIT,
				   .cancelled = env->cancelled };
	struct spawn_result r;
	size_t i;
	int rc;

	if (is_live(words[0]))
		return 0;
	for (i = 0; words[i]; i++)
		argv[i + 1] = words[i];
	snprintf(log, sizeof(log), "%s/%03u-%s.txt", env->log_dir, id, words[0]);
	rc = spawn_run(argv, &o, &r, e);
	if (rc == 0 && (r.how != SPAWN_EXITED || r.code != 0))
		rc = err_set(e, ENODEV, "modprobe %s: %s", words[0], spawn_describe(&r, how, sizeof(how)));
	return rc;
}
