/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "installed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "file.h"
#include "host.h"

#define SUMS_MAX 65536

/* Finds "SUM  NAME" as sha256sum(1) writes it. */
static bool noted_sum(const char *text, const char *name, char *sum)
{
	char line_sum[65], line_name[256];
	const char *at;

	for (at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (sscanf(at, "%64[0-9a-f]%*[ *]%255[^\n]", line_sum, line_name) == 2 &&
		    strcmp(line_name, name) == 0) {
			strcpy(sum, line_sum);
			return true;
		}
	return false;
}

int installed_load(const char *name, struct pack *p, char *hex, struct err *e)
{
	cleanup_free char *sums = NULL;
	char path[PATH_MAX], noted[65];
	int rc = file_read(host_path(path, SUMS_PATH), SUMS_MAX, &sums, NULL, e);

	*p = (struct pack){ .fd = -1 };
	if (rc < 0)
		return err_wrap(e, "guestsweep is not installed on this host");
	if (!noted_sum(sums, name, noted))
		return err_set(e, ENOENT, "%s does not name %s; run ./build.sh install again", SUMS_PATH, name);
	rc = pack_file(p, host_path(path, IMAGE_FOLDER "/%s", name), e);
	if (rc < 0)
		return rc;
	if (strcmp(sha256_hex(p->bytes, p->size, hex), noted) != 0)
		return err_set(e, EBADMSG, "%s/%s is not what was installed: damaged, or somebody changed it; look into that, then "
			       "run ./build.sh install again", IMAGE_FOLDER, name);
	return 0;
}
