/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "kernellog.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_MAX 8192 /* CONSOLE_EXT_LOG_MAX, kernel/printk/printk.c */

int kernellog_mark(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Words of fs/buffer.c and block/blk-core.c; they say nothing in another form. */
static bool tells_of_error(const char *record, const char *kernel_name)
{
	char words[64];
	const char *at;

	snprintf(words, sizeof(words), "I/O error on dev %s", kernel_name);
	at = strcasestr(record, words);
	if (!at) {
		snprintf(words, sizeof(words), "I/O error, dev %s", kernel_name);
		at = strcasestr(record, words);
	}
	return at && !isalnum((unsigned char)at[strlen(words)]);
}

/* Words of mm/oom_kill.c. */
static bool tells_of_oom_kill(const char *record, const char *ignored)
{
	(void)ignored;
	return strcasestr(record, "out of memory: Killed process") != NULL;
}

static bool has(int mark, bool (*tells)(const char *record, const char *arg), const char *arg)
{
	char record[RECORD_MAX + 1];
	bool found = false;
	ssize_t n;

	/* EPIPE: the log went round while nobody read; the rest is still worth reading */
	while ((n = read(mark, record, RECORD_MAX)) > 0 || (n < 0 && (errno == EPIPE || errno == EINTR))) {
		if (n < 0)
			continue;
		record[n] = 0;
		found |= tells(record, arg);
	}
	return found;
}

bool kernellog_has_io_error(int mark, const char *kernel_name)
{
	return has(mark, tells_of_error, kernel_name);
}

bool kernellog_has_oom_kill(int mark)
{
	return has(mark, tells_of_oom_kill, "");
}
