/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key: this host's own key, made where there is none; its public half to a file, for the image. For ./build.sh install. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "armedstate.h"
#include "cleanup.h"
#include "command.h"
#include "file.h"
#include "host.h"
#include "log.h"

static int make_key(struct err *e)
{
	cleanup_secret struct secret *key = secret_new(PLAN_KEY_SIZE, e);
	char folder[PATH_MAX], path[PATH_MAX];
	cleanup_fd int fd = -1;
	int rc = key ? plan_random(secret_bytes(key), PLAN_KEY_SIZE, e) : -e->code;

	if (rc < 0)
		return rc;
	host_path(folder, CONFIG_FOLDER_PATH);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "make folder %s: %s", folder, strerror(errno));
	fd = open(host_path(path, HOST_KEY_PATH), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, secret_bytes(key), PLAN_KEY_SIZE) != PLAN_KEY_SIZE || fsync(fd) < 0)
		return err_set(e, errno, "write %s: %s", path, strerror(errno));
	return 0;
}

static int write_public(const char *path, struct err *e)
{
	cleanup_secret struct secret *key = host_key(e);
	uint8_t public_key[PLAN_KEY_SIZE];

	if (!key)
		return -e->code;
	plan_public_key(key, public_key);
	return file_write_atomic(path, public_key, sizeof(public_key), e);
}

static int run_key(int argc, char **argv)
{
	struct err e;
	int rc = 0;

	if (argc != 2 || argv[1][0] == '-')
		return usage_error(&command_key, "it needs a file's name");
	if (!host_has(HOST_KEY_PATH))
		rc = make_key(&e);
	if (rc == 0)
		rc = write_public(argv[1], &e);
	if (rc == 0)
		return DONE;
	log_line("%s", e.text);
	return CANNOT;
}

const struct command command_key = {
	"key", "FILE", "makes this host's key where it has none, and writes its public half to FILE (for install)", run_key,
};
