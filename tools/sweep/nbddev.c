/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "nbddev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nbd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "driver.h"
#include "file.h"
#include "log.h"

#define MAX_DEVICES 64 /* nbds_max, and as many images at once */
#define SECTOR 512
#define REQUEST_LIMIT_S 900 /* a flush may have gigabytes to write */
#define CONNECT_LIMIT_MS 30000
#define FREE_LIMIT_MS 60000
#define END_LIMIT_MS 10000
#define PAUSE_MS 10

static void rest(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
}

/* Partitions are mapped by us, the kernel must not look for any. */
static int load_driver(const struct walk_env *env, unsigned id, struct err *e)
{
	char number[32];
	const char *words[] = { "nbd", "max_part=0", number, NULL };

	snprintf(number, sizeof(number), "nbds_max=%d", MAX_DEVICES);
	return driver_load(env, id, words, e);
}

/* The kernel has a process behind a connected device (pid_show()). */
static bool is_connected(int number)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/block/nbd%d/pid", number);
	return access(path, F_OK) == 0;
}

static int number_of(const struct nbddev *d)
{
	int number = -1;

	sscanf(d->path, "/dev/nbd%d", &number);
	return number;
}

static bool has_size(const struct nbddev *d, uint64_t bytes)
{
	int number = number_of(d);
	uint64_t sectors;
	char path[64];

	snprintf(path, sizeof(path), "/sys/block/nbd%d/size", number);
	return is_connected(number) && file_read_u64(path, &sectors) == 0 && sectors == bytes / SECTOR;
}

static bool take(struct nbddev *d, const char *work_dir, int number)
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
	d->lock = fd;
	snprintf(d->path, sizeof(d->path), "/dev/nbd%d", number);
	return true;
}

/* The lock is gone with the process that has it. */
static int take_free_device(struct nbddev *d, const struct walk_env *env, struct err *e)
{
	int i, waited;

	for (waited = 0; waited < FREE_LIMIT_MS && !env->cancelled(); waited += PAUSE_MS) {
		for (i = 0; i < MAX_DEVICES; i++)
			if (take(d, env->work_dir, i))
				return 0;
		rest();
	}
	return err_set(e, EBUSY, "all %d nbd devices are in use", MAX_DEVICES);
}

/* Discards and zeroes by command are not asked for: what is written is written as data. */
static unsigned long flags_of(const struct nbd_export *x, bool read_only)
{
	return NBD_FLAG_HAS_FLAGS | (read_only ? NBD_FLAG_READ_ONLY : 0) |
	       (x->can_flush ? NBD_FLAG_SEND_FLUSH : 0) | (x->can_fua ? NBD_FLAG_SEND_FUA : 0);
}

static int set_up(int device, int socket, const struct nbd_export *x, bool read_only)
{
	int rc = ioctl(device, NBD_SET_BLKSIZE, (unsigned long)SECTOR);

	if (rc == 0)
		rc = ioctl(device, NBD_SET_SIZE_BLOCKS, (unsigned long)(x->bytes / SECTOR));
	if (rc == 0)
		rc = ioctl(device, NBD_SET_FLAGS, flags_of(x, read_only));
	if (rc == 0)
		rc = ioctl(device, NBD_SET_TIMEOUT, (unsigned long)REQUEST_LIMIT_S);
	if (rc == 0)
		rc = ioctl(device, NBD_SET_SOCK, (unsigned long)socket);
	return rc;
}

/*
 * The carrier. The kernel serves the device for as long as it is inside the call; it comes back
 * when the server hangs up, whatever the reason, and then lets what is on its way fail at once.
 * (A device connected by netlink would hang until the requests' time is over.) Its own death
 * ends the connection as well.
 */
static void carry(const char *path, int socket, const struct nbd_export *x, bool read_only,
		  int failed, pid_t parent)
{
	sigset_t all;
	int device;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	device = open(path, O_RDWR | O_CLOEXEC);
	if (device < 0 || set_up(device, socket, x, read_only) < 0) {
		if (write(failed, &errno, sizeof(errno)) < 0) {
			/* its exit status says that it failed */
		}
		_exit(EXIT_FAILURE);
	}
	/* nothing of its parent's stays open because of it, the last is device */
	dup2(device, STDERR_FILENO + 1);
	syscall(SYS_close_range, STDERR_FILENO + 2, ~0U, 0);
	device = STDERR_FILENO + 1;
	if (ioctl(device, NBD_DO_IT) < 0)
		log_line("%s: %s", path, strerror(errno));
	ioctl(device, NBD_CLEAR_SOCK);
	_exit(EXIT_SUCCESS);
}

static int start_carrier(struct nbddev *d, int socket, const struct nbd_export *x, bool read_only,
			 struct err *e)
{
	cleanup_fd int failed_r = -1, failed_w = -1;
	pid_t parent = getpid();
	int p[2], code;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set(e, errno, "pipe: %s", strerror(errno));
	failed_r = p[0];
	failed_w = p[1];
	d->carrier = fork();
	if (d->carrier == 0)
		carry(d->path, socket, x, read_only, failed_w, parent);
	if (d->carrier < 0) {
		d->carrier = 0;
		return err_set(e, errno, "fork: %s", strerror(errno));
	}
	close(steal_fd(&failed_w));
	if (read(failed_r, &code, sizeof(code)) == sizeof(code))
		return err_set(e, code, "%s can't be connected: %s", d->path, strerror(code));
	return 0;
}

static bool carrier_is_over(const struct nbddev *d, int wait_ms)
{
	cleanup_fd int fd = (int)syscall(SYS_pidfd_open, d->carrier, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd < 0 || poll(&p, 1, wait_ms) > 0;
}

static int wait_for_size(const struct nbddev *d, uint64_t bytes, struct err *e)
{
	int waited;

	for (waited = 0; waited < CONNECT_LIMIT_MS; waited += PAUSE_MS) {
		if (has_size(d, bytes))
			return 0;
		if (carrier_is_over(d, PAUSE_MS))
			return err_set(e, EIO, "%s was given up while it was connected", d->path);
	}
	return err_set(e, ETIMEDOUT, "%s was not connected in time", d->path);
}

int nbddev_attach(struct nbddev *d, const struct walk_env *env, unsigned id, int socket,
		  const struct nbd_export *x, bool read_only, struct err *e)
{
	struct err ignored;
	int rc;

	*d = (struct nbddev){ .lock = -1 };
	rc = load_driver(env, id, e);
	if (rc == 0)
		rc = take_free_device(d, env, e);
	if (rc < 0)
		return rc;
	rc = start_carrier(d, socket, x, read_only, e);
	if (rc == 0)
		rc = wait_for_size(d, x->bytes, e);
	if (rc < 0 && nbddev_detach(d, &ignored) < 0)
		log_line("%s", ignored.text);
	return rc;
}

int nbddev_finish(struct nbddev *d, struct err *e)
{
	cleanup_fd int fd = open(d->path, O_RDONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0 || fsync(fd) < 0)
		rc = err_set_word(e, EIO, "io-error", "%s: what was written last may be lost: %s", d->path,
				  strerror(errno));
	if (fd >= 0 && ioctl(fd, NBD_DISCONNECT) < 0 && rc == 0)
		rc = err_set_word(e, EIO, "io-error", "%s was not connected any more: %s", d->path,
				  strerror(errno));
	return rc;
}

int nbddev_detach(struct nbddev *d, struct err *e)
{
	int number = number_of(d), waited;

	if (d->carrier && !carrier_is_over(d, END_LIMIT_MS)) {
		kill(d->carrier, SIGKILL);
		if (!carrier_is_over(d, END_LIMIT_MS))
			return err_set(e, EBUSY, "%s is still connected", d->path);
	}
	if (d->carrier)
		waitpid(d->carrier, NULL, 0);
	d->carrier = 0;
	for (waited = 0; is_connected(number); waited += PAUSE_MS) {
		if (waited >= END_LIMIT_MS)
			return err_set(e, EBUSY, "%s is still in use", d->path);
		rest();
	}
	close(d->lock);
	d->lock = -1;
	d->path[0] = 0;
	return 0;
}

unsigned nbddev_detach_all(void)
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
