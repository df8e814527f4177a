/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "checkrun.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blockdev.h"
#include "bounds.h"
#include "cleanup.h"
#include "file.h"
#include "kernellog.h"

#define LOG_LIMIT (4u << 20)
#define RUN_TEXT_MAX (LOG_LIMIT + 65536) /* the command, and a line that the log was cut */
#define VERSIONS_MAX 65536

/* Lines of "PACKAGE VERSION", made by the build. */
static void find_version(const char *package, char *version, size_t size)
{
	cleanup_free char *text = NULL;
	size_t n = strlen(package);
	struct err e;
	char *line;

	snprintf(version, size, "unknown");
	if (file_read(TOOL_VERSIONS, VERSIONS_MAX, &text, NULL, &e) < 0)
		return;
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strncmp(line, package, n) == 0 && line[n] == ' ')
			snprintf(version, size, "%s", line + n + 1);
}

static void note_run(struct checkrun *c, const char *const *argv, const struct spawn_result *r)
{
	struct check_result *result = &c->node->check;
	size_t used = 0;

	snprintf(result->tool, sizeof(result->tool), "%s", c->tool);
	find_version(c->package, result->version, sizeof(result->version));
	snprintf(result->log, sizeof(result->log), "log/%03u-%s.txt", c->node->id, c->tool);
	for (; *argv && used < sizeof(result->argv); argv++)
		used += (size_t)snprintf(result->argv + used, sizeof(result->argv) - used, "%s\n", *argv);
	result->exit = r->how == SPAWN_EXITED ? r->code :
		       r->how == SPAWN_SIGNALLED ? 128 + r->code : -1;
}

/* Where this run's part of the log begins: at the command. */
static void head_line(struct checkrun *c, const char *const *argv)
{
	cleanup_file FILE *f = fopen(c->log, "ae");
	struct stat st;

	c->log_from = stat(c->log, &st) == 0 ? (long)st.st_size : 0;
	if (!f)
		return;
	fputs("$", f);
	for (; *argv; argv++)
		fprintf(f, " %s", *argv);
	fputc('\n', f);
}

static bool device_failed(const struct checkrun *c, int fd, int mark)
{
	char name[32];
	struct err e;

	return fsync(fd) < 0 || (mark >= 0 && blockdev_kernel_name(c->device, name, &e) == 0 &&
				 kernellog_has_io_error(mark, name));
}

char *checkrun_text(const struct checkrun *c, size_t *size)
{
	cleanup_fd int fd = open(c->log, O_RDONLY | O_CLOEXEC);
	struct stat st = { .st_size = 0 };
	size_t most = RUN_TEXT_MAX;
	ssize_t n = 1;
	char *text;

	*size = 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (st.st_size - c->log_from < RUN_TEXT_MAX)
		most = st.st_size > c->log_from ? (size_t)(st.st_size - c->log_from) : 0;
	text = malloc(most + 1);
	while (text && *size < most && n > 0) {
		n = pread(fd, text + *size, most - *size, c->log_from + (off_t)*size);
		*size += n > 0 ? (size_t)n : 0;
	}
	if (!text || n < 0) {
		free(text);
		return NULL;
	}
	text[*size] = 0;
	return text;
}

bool check_has_words(const char *said, size_t size, const char *words)
{
	return !words || memmem(said, size, words, strlen(words)) != NULL;
}

bool checkrun_said(const struct checkrun *c, const char *words)
{
	size_t size;
	cleanup_free char *text = checkrun_text(c, &size);

	return text && check_has_words(text, size, words);
}

static size_t list_devices(const struct checkrun *c, struct sandbox_path paths[MAX_PARENTS])
{
	size_t n = 0;

	if (!c->devices && c->device)
		paths[n++] = (struct sandbox_path){ c->device, c->writes };
	for (; c->devices && c->devices[n] && n < MAX_PARENTS; n++)
		paths[n] = (struct sandbox_path){ c->devices[n], c->writes };
	return n;
}

const char *checkrun_word(const struct spawn_result *r)
{
	switch (r->how) {
	case SPAWN_TIMED_OUT:
		return "timeout";
	case SPAWN_OUT_OF_MEMORY:
		return "no-memory";
	default:
		return "tool-failed";
	}
}

int checkrun(struct checkrun *c, const char *const argv[], struct spawn_result *r, struct err *e)
{
	struct spawn_options o = { .timeout_s = bounds_check_s(c->node->bytes, c->env->seconds_left()),
				   .output_max = BOUNDS_OUTPUT, .log_path = c->log, .log_limit = LOG_LIMIT,
				   .out = c->out, .out_limit = LOG_LIMIT,
				   .cancelled = c->env->cancelled };
	struct sandbox_path devices[MAX_PARENTS];
	struct sandbox box = { .profile = c->profile, .devices = devices, .files = c->files,
			       .n_files = c->n_files, .file_bytes = c->file_bytes, .seconds = o.timeout_s };
	cleanup_fd int fd = c->device ? open(c->device, O_RDONLY | O_CLOEXEC) : -1;
	cleanup_fd int mark = c->device ? kernellog_mark() : -1;
	cleanup_fd int memory_mark = kernellog_mark();
	struct err ignored;
	int rc;

	if (c->device && fd < 0)
		return err_set_word(e, errno, "io-error", "open: %s", strerror(errno));
	snprintf(c->log, sizeof(c->log), "%s/%03u-%s.txt", c->env->log_dir, c->node->id, c->tool);
	head_line(c, argv);
	box.n_devices = list_devices(c, devices);
	o.sandbox = c->profile ? &box : NULL;
	rc = spawn_run(argv, &o, r, e);
	if (rc < 0)
		return rc;
	if (r->how == SPAWN_SIGNALLED && r->code == SIGKILL && kernellog_has_oom_kill(memory_mark))
		r->how = SPAWN_OUT_OF_MEMORY;
	if (c->out && file_append(c->log, *c->out, strlen(*c->out), &ignored) < 0)
		*c->log = 0;
	if (!c->aside)
		note_run(c, argv, r);
	c->io_error = c->device && device_failed(c, fd, mark);
	return 0;
}
