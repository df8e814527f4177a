/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/nbd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"

#define QEMU_NBD "/usr/bin/qemu-nbd"
#define MODPROBE "/usr/sbin/modprobe"
#define MAX_DEVICES 64 /* nbds_max, and as many images at once */
#define CONNECT_LIMIT_MS 30000
#define FREE_LIMIT_MS 60000
#define PAUSE_MS 10
#define GRACE_S 60 /* for qemu-nbd to write what it holds */

static void rest(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
}

/* Partitions are mapped by us, the kernel must not look for any. */
static int load_driver(const struct walk_env *env, unsigned id, struct err *e)
{
	char log[256], number[32], how[300];
	const char *argv[] = { MODPROBE, "nbd", "max_part=0", number, NULL };
	struct spawn_options o = { .timeout_s = CONNECT_LIMIT_MS / 1000, .log_path = log,
				   .log_limit = 65536, .cancelled = env->cancelled };
	struct spawn_result r;
	int rc;

	if (access("/sys/module/nbd", F_OK) == 0)
		return 0;
	snprintf(log, sizeof(log), "%s/%03u-nbd.txt", env->log_dir, id);
	snprintf(number, sizeof(number), "nbds_max=%d", MAX_DEVICES);
	rc = spawn_run(argv, &o, &r, e);
	if (rc == 0 && (r.how != SPAWN_EXITED || r.code != 0))
		rc = err_set(e, ENODEV, "modprobe nbd: %s", spawn_describe(&r, how, sizeof(how)));
	return rc;
}

/* The kernel has a process behind a connected device (drivers/block/nbd.c, pid_show()). */
static bool is_connected(int number)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/block/nbd%d/pid", number);
	return access(path, F_OK) == 0;
}

static bool has_size(int number)
{
	char path[64];
	uint64_t sectors;

	snprintf(path, sizeof(path), "/sys/block/nbd%d/size", number);
	return is_connected(number) && file_read_u64(path, &sectors) == 0 && sectors > 0;
}

static int number_of(const struct nbd *n)
{
	int number = -1;

	sscanf(n->device, "/dev/nbd%d", &number);
	return number;
}

static bool take(struct nbd *n, const char *work_dir, int number)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/nbd%d.lock", work_dir, number);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || is_connected(number)) {
		close(fd);
		return false;
	}
	n->lock = fd;
	snprintf(n->device, sizeof(n->device), "/dev/nbd%d", number);
	return true;
}

/* The lock is gone with the process that has it. */
static int take_free_device(struct nbd *n, const struct walk_env *env, struct err *e)
{
	int i, waited;

	for (waited = 0; waited < FREE_LIMIT_MS && !env->cancelled(); waited += PAUSE_MS) {
		for (i = 0; i < MAX_DEVICES; i++)
			if (take(n, env->work_dir, i))
				return 0;
		rest();
	}
	return err_set(e, EBUSY, "all %d nbd devices are in use", MAX_DEVICES);
}

static int wait_for_size(struct nbd *n, struct err *e)
{
	int number = number_of(n), waited;

	for (waited = 0; waited < CONNECT_LIMIT_MS; waited += PAUSE_MS) {
		if (has_size(number))
			return 0;
		if (spawn_has_ended(&n->server))
			return err_set(e, EIO, "qemu-nbd could not open it");
		rest();
	}
	return err_set(e, ETIMEDOUT, "qemu-nbd did not connect %s in time", n->device);
}

static int wait_until_free(struct nbd *n, struct err *e)
{
	int number = number_of(n), waited;

	for (waited = 0; is_connected(number); waited += PAUSE_MS) {
		if (waited >= CONNECT_LIMIT_MS)
			return err_set(e, EBUSY, "%s is still connected", n->device);
		rest();
	}
	return 0;
}

/* Ends the server and frees the device; also where it never was connected. */
static int let_go(struct nbd *n, struct spawn_result *r, struct err *e)
{
	int rc = spawn_stop(&n->server, GRACE_S, n->log, r, e);

	if (rc == 0)
		rc = wait_until_free(n, e);
	if (rc < 0)
		return rc;
	unlink(n->socket);
	close(n->lock);
	n->lock = -1;
	n->device[0] = 0;
	return 0;
}

int nbd_connect(struct nbd *n, const struct walk_env *env, unsigned id, const char *graph,
		bool read_only, struct err *e)
{
	/* verbose: it stays in the foreground, a child of ours */
	const char *argv[] = { QEMU_NBD, "--verbose", "--connect", n->device, "--socket", n->socket, "--discard=ignore",
			       "--detect-zeroes=off", graph, read_only ? "--read-only" : NULL, NULL };
	struct spawn_result r;
	struct err ignored;
	int rc;

	*n = (struct nbd){ .lock = -1, .server = { .output = -1 } };
	snprintf(n->log, sizeof(n->log), "%s/%03u-qemu-nbd.txt", env->log_dir, id);
	snprintf(n->socket, sizeof(n->socket), "%s/nbd-%u.sock", env->work_dir, id);
	rc = load_driver(env, id, e);
	if (rc == 0)
		rc = take_free_device(n, env, e);
	if (rc < 0)
		return rc;
	rc = spawn_start(argv, &(struct spawn_options){ .timeout_s = 0 }, &n->server, e);
	if (rc == 0)
		rc = wait_for_size(n, e);
	if (rc == 0)
		return 0;
	if (let_go(n, &r, &ignored) < 0)
		log_line("%s", ignored.text);
	else if (r.tail[0])
		err_set_word(e, EINVAL, "bad-image", "%s", r.tail);
	return rc;
}

int nbd_disconnect(struct nbd *n, struct err *e)
{
	cleanup_fd int fd = n->device[0] ? open(n->device, O_RDONLY | O_CLOEXEC) : -1;
	struct spawn_result r;
	char how[300];
	int rc;

	if (!n->device[0])
		return 0;
	if (fd >= 0 && (fsync(fd) < 0 || ioctl(fd, NBD_DISCONNECT) < 0))
		return err_set(e, errno, "%s: %s", n->device, strerror(errno));
	if (fd >= 0)
		close(steal_fd(&fd));
	rc = let_go(n, &r, e);
	if (rc == 0 && (r.how != SPAWN_EXITED || r.code != 0))
		rc = err_set_word(e, EIO, "io-error", "qemu-nbd: %s", spawn_describe(&r, how, sizeof(how)));
	return rc;
}

unsigned nbd_disconnect_all(void)
{
	unsigned left = 0;
	char path[32];
	int i;

	for (i = 0; i < MAX_DEVICES; i++) {
		cleanup_fd int fd = -1;

		if (!is_connected(i))
			continue;
		snprintf(path, sizeof(path), "/dev/nbd%d", i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || ioctl(fd, NBD_CLEAR_SOCK) < 0 || ioctl(fd, NBD_DISCONNECT) < 0)
			log_line("%s: %s", path, strerror(errno));
		left += is_connected(i);
	}
	return left;
}
