/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostlvm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json_tokener.h>

#include "cleanup.h"
#include "host.h"
#include "jsonget.h"
#include "settings_value.h"

#define LVM_TIMEOUT_S 120
#define LUKS_MAGIC "LUKS\xba\xbe" /* LUKS2 on-disk format, section 2.1; the same in LUKS1 */
#define LUKS_MAGIC_SIZE 6

static int add_volume(json_object *lv, struct words *volumes, struct err *e)
{
	const char *attr = json_text(lv, "lv_attr");
	char name[300], *item = NULL;
	int rc;

	/* lvs(8): thin pools, cache pools, and what lies below others is no guest's disk */
	if (attr[0] && strchr("tTiIldDep", attr[0]))
		return 0;
	snprintf(name, sizeof(name), "%.140s/%.140s", json_text(lv, "vg_name"), json_text(lv, "lv_name"));
	rc = value_volume(name, &item, e);
	return rc < 0 ? rc : words_add(volumes, item, e);
}

int hostlvm_parse(const char *text, struct words *volumes, struct err *e)
{
	/* warnings may stand in front of the JSON */
	const char *begin = strchr(text, '{');
	json_object *all = begin ? json_tokener_parse(begin) : NULL;
	json_object *reports = json_array(all, "report");
	size_t i, k;
	int rc = 0;

	if (!reports)
		rc = err_set(e, EINVAL, "lvm's list of volumes can't be read");
	for (i = 0; rc == 0 && i < json_length(reports); i++) {
		json_object *lvs = json_array(json_object_array_get_idx(reports, i), "lv");

		for (k = 0; rc == 0 && k < json_length(lvs); k++)
			rc = add_volume(json_object_array_get_idx(lvs, k), volumes, e);
	}
	json_object_put(all);
	return rc;
}

int hostlvm_list(struct words *volumes, struct err *e)
{
	const char *argv[] = { "lvm", "lvs", "--reportformat", "json", "-o", "vg_name,lv_name,lv_attr", NULL };
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	struct err none;
	int rc;

	memset(volumes, 0, sizeof(*volumes));
	if (host_program("lvm", path, &none) < 0)
		return 0;
	rc = host_run(argv, LVM_TIMEOUT_S, &text, e);
	if (rc)
		return rc < 0 ? rc : -EIO;
	rc = hostlvm_parse(text, volumes, e);
	if (rc < 0)
		words_clear(volumes);
	return rc;
}

bool is_luks(const char *device)
{
	cleanup_fd int fd = open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char magic[LUKS_MAGIC_SIZE];

	return fd >= 0 && pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       memcmp(magic, LUKS_MAGIC, sizeof(magic)) == 0;
}
