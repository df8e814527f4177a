/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An empty folder for a group of tests, and the path of one file in it. Each test leaves it empty. */
#ifndef TEST_TEMPFOLDER_H
#define TEST_TEMPFOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/guestsweep-test.XXXXXX";
static char path[sizeof(folder) + 8];

static inline int tempfolder_make(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static inline int tempfolder_drop(void **state)
{
	(void)state;
	return rmdir(folder);
}

#endif
