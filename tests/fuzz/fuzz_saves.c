/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link: -Wl,--wrap=reader_ask_fd */
/* Any bytes as what the reader says of a guest that libvirt has saved: one save comes of it, which is called what its
 * file is called, can be shown, and has room in a message of a worker; and that the folder was looked into. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel.h"
#include "log.h"
#include "nodejson.h"
#include "reader.h"
#include "savesearch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_reader_ask_fd(int fd, reader_task task, const struct reader_question *q, void *answer, size_t size,
			 struct err *e);

static const uint8_t *said;
static size_t said_size;
static char root[] = "/tmp/fuzz_saves.XXXXXX", file[64];

int __wrap_reader_ask_fd(int fd, reader_task task, const struct reader_question *q, void *answer, size_t size,
			 struct err *e)
{
	(void)fd;
	(void)task;
	(void)q;
	(void)e;
	memset(answer, 0, size);
	memcpy(answer, said, said_size < size ? said_size : size);
	return 0;
}

static void drop_folder(void)
{
	unlink(file);
	rmdir(root);
}

/* A filesystem with one file, in a folder that the settings name. */
static void make_folder(void)
{
	int fd;

	if (file[0])
		return;
	if (!mkdtemp(root))
		abort();
	snprintf(file, sizeof(file), "%s/x.save", root);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		abort();
	close(fd);
	atexit(drop_folder);
}

static void check_shown(const char *text)
{
	char shown[2048];

	if (strcmp(escape_text(shown, sizeof(shown), text), text) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *folder[] = { (char *)"v/l:/" };
	static struct settings settings = { .saves = { folder, 1 } };
	json_object *saves = json_object_new_array(), *save, *sources;
	size_t i;

	make_folder();
	said = data;
	said_size = size;
	savesearch_mounted(&settings, root, "v/l", saves);
	save = json_object_array_get_idx(saves, 0);
	if (json_object_array_length(saves) != 2 || json_number(save, "looked") != 0 ||
	    json_number(json_object_array_get_idx(saves, 1), "looked") != 1 || !json_object_object_get_ex(save, "sources", &sources) ||
	    strlen(json_object_to_json_string(save)) + 100 > CHANNEL_MESSAGE_MAX)
		abort();
	if (strcmp(json_text(save, "where"), "v/l:/x.save") != 0 || strcmp(json_text(save, "name"), "x") != 0)
		abort();
	check_shown(json_text(save, "domain"));
	check_shown(json_text(save, "problem"));
	for (i = 0; i < json_object_array_length(sources); i++)
		check_shown(json_object_get_string(json_object_array_get_idx(sources, i)));
	json_object_put(saves);
	return 0;
}
