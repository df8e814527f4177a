/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lvmcmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

#include "cleanup.h"
#include "sandbox_profiles.h"
#include "spawn.h"

#define LVM "/usr/sbin/lvm"
#define LVM_FOLDER "/usr/lib/guestsweep/lvm"
#define DM_CONTROL "/dev/mapper/control"
#define REPORT_LIMIT (16u << 20)
#define LOG_LIMIT (1u << 20)
#define COMMAND_LIMIT_S 120
#define VOLUME_SIZE 260 /* "VG/LV" */

static const char *const lvm_env[] = { "LVM_SYSTEM_DIR=" LVM_FOLDER, NULL };

/* Names exactly the devices that LVM may see, separated by commas. */
static char *device_list(const char *const *devices, size_t n)
{
	size_t size = 1, i;
	char *list;

	for (i = 0; i < n; i++)
		size += strlen(devices[i]) + 1;
	list = calloc(1, size);
	for (i = 0; list && i < n; i++) {
		strcat(list, i ? "," : "");
		strcat(list, devices[i]);
	}
	return list;
}

/* The nodes of the sandbox's own /dev: the physical volumes, which LVM only reads, and device-mapper's
 * where it is to activate. */
static size_t list_nodes(const char *const *devices, size_t n, bool activates,
			 struct sandbox_path paths[MAX_PARENTS + 1])
{
	size_t used = 0, i;

	for (i = 0; i < n && used < MAX_PARENTS; i++)
		paths[used++] = (struct sandbox_path){ devices[i], false };
	if (activates)
		paths[used++] = (struct sandbox_path){ DM_CONTROL, true };
	return used;
}

/* out: a report as a string; NULL: it activates. */
static int lvm(const struct walk_env *env, unsigned id, const char *const argv[],
	       const char *const *devices, size_t n, char **out, struct err *e)
{
	static const struct sandbox_path conf = { LVM_FOLDER "/lvm.conf", false };
	struct sandbox_path nodes[MAX_PARENTS + 1];
	struct sandbox box = { .profile = out ? &sandbox_lvm_report : &sandbox_lvm, .devices = nodes,
			       .n_devices = list_nodes(devices, n, !out, nodes), .files = &conf,
			       .n_files = 1, .seconds = COMMAND_LIMIT_S };
	char log[256], how[300];
	struct spawn_options o = { .timeout_s = COMMAND_LIMIT_S, .log_path = log,
				   .log_limit = LOG_LIMIT, .out = out, .out_limit = REPORT_LIMIT,
				   .env = lvm_env, .cancelled = env->cancelled, .sandbox = &box };
	struct spawn_result r;
	int rc;

	snprintf(log, sizeof(log), "%s/%03u-lvm.txt", env->log_dir, id);
	rc = spawn_run(argv, &o, &r, e);
	if (rc < 0)
		return rc;
	if (r.how != SPAWN_EXITED || r.code != 0) {
		if (out) {
			free(*out);
			*out = NULL;
		}
		return err_set_word(e, EIO, r.how == SPAWN_TIMED_OUT ? "timeout" : "tool-failed",
				    "lvm %s: %s", argv[1], spawn_describe(&r, how, sizeof(how)));
	}
	return 0;
}

int lvmcmd_report(const struct walk_env *env, unsigned id, const char *const *devices, size_t n,
		  json_object **root, json_object **report, struct err *e)
{
	cleanup_free char *list = device_list(devices, n);
	cleanup_free char *out = NULL;
	const char *argv[] = { LVM, "fullreport", "--reportformat", "json_std", "--binary", "--units", "b",
			       "--nosuffix", "--all", "--foreign", "--shared", "--nolocking",
			       "--driverloaded", "n", "--devices", list, NULL };
	int rc;

	if (!list)
		return err_set(e, ENOMEM, "no memory to ask LVM");
	rc = lvm(env, id, argv, devices, n, &out, e);
	if (rc < 0)
		return rc;
	*root = json_tokener_parse(out);
	if (!*root || !json_object_object_get_ex(*root, "report", report) ||
	    !json_object_is_type(*report, json_type_array)) {
		json_object_put(*root);
		return err_set_word(e, EPROTO, "tool-failed", "lvm fullreport gave no report");
	}
	return 0;
}

/* Words of the command before the volumes' names. */
#define ACTIVATE LVM, "lvchange", "--yes", "--activate", "y", "--activationmode", "complete", \
		 "--ignoreactivationskip", "--monitor", "n", "--poll", "n", "--nolocking", "--devices"
#define ACTIVATE_WORDS 16 /* these, the list of devices, and "--" */

int lvmcmd_activate(const struct walk_env *env, unsigned id, const char *vg,
		    const char *const *names, size_t n_names, const char *const *devices, size_t n,
		    struct err *e)
{
	cleanup_free char *list = device_list(devices, n);
	cleanup_free char *volumes = calloc(n_names + 1, VOLUME_SIZE);
	cleanup_free const char **argv = calloc(ACTIVATE_WORDS + n_names + 1, sizeof(*argv));
	size_t i;

	if (!list || !volumes || !argv)
		return err_set(e, ENOMEM, "no memory to call LVM");
	memcpy(argv, (const char *[ACTIVATE_WORDS]){ ACTIVATE, list, "--" },
	       ACTIVATE_WORDS * sizeof(*argv));
	for (i = 0; i < n_names; i++) {
		char *volume = volumes + i * VOLUME_SIZE;

		snprintf(volume, VOLUME_SIZE, "%s/%s", vg, names[i]);
		argv[ACTIVATE_WORDS + i] = volume;
	}
	return lvm(env, id, argv, devices, n, NULL, e);
}
