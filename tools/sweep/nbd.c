/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "nbd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "imagebox.h"
#include "log.h"
#include "nbdtalk.h"
#include "nodejson.h"
#include "sandbox_profiles.h"

#define QEMU_NBD "/usr/bin/qemu-nbd"
#define OPEN_LIMIT_MS 120000 /* for qemu-nbd to open the image */
#define GRACE_S 60           /* for qemu-nbd to write what it holds */
#define PAUSE_MS 10
#define SECTOR 512

static int fail(struct err *e)
{
	return err_set(e, errno, "socket: %s", strerror(errno));
}

/* A listening socket without a name in any folder, and one that is connected to it already: the
 * first and only one that its owner will accept. */
static int make_sockets(int *listening, int *connected, struct err *e)
{
	cleanup_fd int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cleanup_fd int c = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(address);

	/* unix(7): autobind */
	if (l < 0 || c < 0 || bind(l, (struct sockaddr *)&address, sizeof(address.sun_family)) < 0 ||
	    listen(l, 1) < 0 || getsockname(l, (struct sockaddr *)&address, &size) < 0 ||
	    connect(c, (struct sockaddr *)&address, size) < 0)
		return fail(e);
	*listening = steal_fd(&l);
	*connected = steal_fd(&c);
	return 0;
}

static int start_boxed(struct nbd *n, const struct imagebox *box, const char *graph, bool read_only,
		       int *connected, struct err *e)
{
	/* without --fork or --connect: it stays in the foreground, a child of ours */
	const char *argv[] = { QEMU_NBD, "--discard=ignore", "--detect-zeroes=off", graph,
			       read_only ? "--read-only" : NULL, NULL };
	const struct sandbox sandbox = {
		.profile = &sandbox_qemu_nbd, .files = box->files, .n_files = box->n_files,
		.file_bytes = box->file_bytes,
	};
	cleanup_fd int listening = -1;
	struct spawn_options o = { .sandbox = &sandbox };
	int rc = make_sockets(&listening, connected, e);

	o.socket = listening;
	return rc < 0 ? rc : spawn_start(argv, &o, &n->server, e);
}

static int start_server(struct nbd *n, json_object *source, uint64_t bytes, bool read_only,
			int *connected, struct err *e)
{
	const char *graph = json_text(source, read_only ? "read_graph" : "write_graph");
	struct imagebox box;
	int rc = imagebox_make(&box, source, bytes, !read_only, e);

	if (rc == 0)
		rc = start_boxed(n, &box, graph, read_only, connected, e);
	imagebox_free(&box);
	return rc;
}

/* QEMU counts in sectors, and rounds either way. */
static bool is_size(uint64_t bytes, uint64_t expected)
{
	return bytes % SECTOR == 0 && bytes > 0 &&
	       (expected == 0 || (bytes < expected + SECTOR && expected < bytes + SECTOR));
}

static int judge(const struct nbd_export *x, uint64_t expected, bool read_only, struct err *e)
{
	if (!is_size(x->bytes, expected))
		return err_set_word(e, EINVAL, "bad-image",
				    "its header says %llu bytes, qemu-nbd offers %llu",
				    (unsigned long long)expected, (unsigned long long)x->bytes);
	if (!read_only && (x->read_only || !x->can_flush))
		return err_set_word(e, EROFS, "tool-failed", "qemu-nbd does not offer it for writing");
	return 0;
}

static bool has_ended_by_itself(const struct nbd *n)
{
	int waited;

	for (waited = 0; waited < GRACE_S * 1000; waited += PAUSE_MS) {
		if (spawn_has_ended(&n->server))
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
	}
	return false;
}

/* What went wrong while it was opened: its own last words say it best. */
static void explain(struct nbd *n, struct err *e)
{
	struct spawn_result r;
	struct err ignored;
	char how[300];

	if (!n->server.pid)
		return;
	if (spawn_stop(&n->server, GRACE_S, n->log, &r, &ignored) < 0)
		log_line("%s", ignored.text);
	else if (r.how == SPAWN_SIGNALLED)
		err_set_word(e, EIO, "tool-failed", "qemu-nbd: %s", spawn_describe(&r, how, sizeof(how)));
	else if (e->code == EPIPE && r.tail[0])
		err_set_word(e, EINVAL, "bad-image", "%s", r.tail);
}

int nbd_connect(struct nbd *n, const struct walk_env *env, unsigned id, json_object *source,
		uint64_t bytes, bool read_only, struct err *e)
{
	/* a log that is not replayed yet may have the last word on it */
	uint64_t expected = json_number(source, "log_dirty") ? 0 : bytes;
	cleanup_fd int connected = -1;
	struct nbd_export x;
	int rc;

	*n = (struct nbd){ .device.lock = -1, .server.output = -1 };
	snprintf(n->log, sizeof(n->log), "%s/%03u-qemu-nbd.txt", env->log_dir, id);
	rc = start_server(n, source, bytes, read_only, &connected, e);
	if (rc == 0)
		rc = nbdtalk_go(connected, OPEN_LIMIT_MS, &x, e);
	if (rc == 0)
		rc = judge(&x, expected, read_only, e);
	if (rc == 0)
		rc = nbddev_attach(&n->device, env, id, connected, &x, read_only, e);
	if (rc < 0) {
		close(steal_fd(&connected));
		explain(n, e);
	}
	return rc;
}

/* Its exit status is the last word on whether all was written. */
static int end_server(struct nbd *n, struct err *e)
{
	struct spawn_result r;
	char how[300];
	int rc;

	nbddev_finish(&n->device, &n->lost);
	/* hung up upon, it writes what it holds and goes */
	if (!has_ended_by_itself(n))
		log_line("%s: qemu-nbd does not end", n->device.path);
	rc = spawn_stop(&n->server, 0, n->log, &r, e);
	if (rc == 0 && (r.how != SPAWN_EXITED || r.code != 0))
		err_set_word(&n->lost, EIO, "io-error", "qemu-nbd: %s", spawn_describe(&r, how, sizeof(how)));
	return rc;
}

int nbd_disconnect(struct nbd *n, struct err *e)
{
	int rc = 0;

	if (!n->device.path[0])
		return 0;
	if (n->server.pid)
		rc = end_server(n, e);
	if (rc == 0)
		rc = nbddev_detach(&n->device, e);
	if (rc == 0 && n->lost.code)
		*e = n->lost;
	return rc < 0 ? rc : -n->lost.code;
}
