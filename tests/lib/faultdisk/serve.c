/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NBD server (fixed newstyle handshake, simple replies), as much of it as QEMU asks for. One
 * process serves all disks, so that the log has the writes to all of them in their one order.
 */
#define _GNU_SOURCE
#include "faultdisk.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NBD_MAGIC 0x4e42444d41474943ull
#define OPTION_MAGIC 0x49484156454f5054ull
#define OPTION_REPLY_MAGIC 0x3e889045565a9ull
#define REQUEST_MAGIC 0x25609513u
#define REPLY_MAGIC 0x67446698u

#define OPT_ABORT 2
#define OPT_GO 7
#define REP_ACK 1
#define REP_INFO 3
#define REP_ERR_UNSUP 0x80000001u
#define REP_ERR_UNKNOWN 0x80000006u

#define FLAGS (1 | 4 | 8 | 32 | 64) /* flags, flush, FUA, trim, write zeroes */
#define CMD_READ 0
#define CMD_WRITE 1
#define CMD_DISC 2
#define CMD_FLUSH 3
#define CMD_TRIM 4
#define CMD_ZEROES 6
#define CMD_FLAG_FUA 1

#define MAX_DATA (64u << 20)
#define MAX_HUNG 1024

struct request {
	uint32_t magic;
	uint16_t flags, type;
	uint64_t handle, offset;
	uint32_t length;
} __attribute__((packed));

struct reply {
	uint32_t magic, error;
	uint64_t handle;
} __attribute__((packed));

struct client {
	int fd;
	struct disk *disk;
};

static struct hung {
	int fd;
	uint64_t handle;
	time_t until;
} hung[MAX_HUNG];
static size_t n_hung;

static struct disk *all;
static size_t n_all;
static int log_fd = -1;
static char data[MAX_DATA];

static bool get(int fd, void *to, size_t size)
{
	return recv(fd, to, size, MSG_WAITALL) == (ssize_t)size;
}

static bool put(int fd, const void *from, size_t size)
{
	return send(fd, from, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool put_option(int fd, uint32_t option, uint32_t type, const void *more, uint32_t size)
{
	struct {
		uint64_t magic;
		uint32_t option, type, size;
	} __attribute__((packed)) r = { htobe64(OPTION_REPLY_MAGIC), option, htonl(type), htonl(size) };

	return put(fd, &r, sizeof(r)) && (!size || put(fd, more, size));
}

static struct disk *find(const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < n_all; i++)
		if (strlen(all[i].name) == length && memcmp(all[i].name, name, length) == 0)
			return &all[i];
	return NULL;
}

/* Answers an option. Returns the disk once one is chosen. */
static struct disk *answer_option(int fd, uint32_t option, uint32_t size, bool *good)
{
	struct {
		uint16_t type;
		uint64_t bytes;
		uint16_t flags;
	} __attribute__((packed)) info = { 0 };
	struct disk *d;
	uint32_t length;

	if (ntohl(option) != OPT_GO || size < 6) {
		*good = put_option(fd, option, REP_ERR_UNSUP, NULL, 0) && ntohl(option) != OPT_ABORT;
		return NULL;
	}
	memcpy(&length, data, sizeof(length));
	length = ntohl(length);
	d = length <= size - 6 ? find(data + 4, length) : NULL;
	if (!d) {
		*good = put_option(fd, option, REP_ERR_UNKNOWN, NULL, 0);
		return NULL;
	}
	info.bytes = htobe64(d->bytes);
	info.flags = htons(FLAGS);
	*good = put_option(fd, option, REP_INFO, &info, sizeof(info)) &&
		put_option(fd, option, REP_ACK, NULL, 0);
	return d;
}

static struct disk *shake_hands(int fd)
{
	struct {
		uint64_t magic, option_magic;
		uint16_t flags;
	} __attribute__((packed)) hello = { htobe64(NBD_MAGIC), htobe64(OPTION_MAGIC), htons(1 | 2) };
	struct {
		uint64_t magic;
		uint32_t option, size;
	} __attribute__((packed)) o;
	struct disk *d = NULL;
	uint32_t flags;
	bool good = put(fd, &hello, sizeof(hello)) && get(fd, &flags, sizeof(flags));

	while (good && !d) {
		good = get(fd, &o, sizeof(o)) && ntohl(o.size) < MAX_DATA &&
		       (!o.size || get(fd, data, ntohl(o.size)));
		if (good)
			d = answer_option(fd, o.option, ntohl(o.size), &good);
	}
	return good ? d : NULL;
}

static void note(const struct disk *d, enum kind kind, bool fua, uint64_t offset, uint64_t length)
{
	struct record r = { .disk = (uint32_t)(d - all), .kind = (uint16_t)kind, .fua = fua,
			    .offset = offset, .length = length };

	if (log_fd < 0)
		return;
	if (write(log_fd, &r, sizeof(r)) != sizeof(r) ||
	    (kind == KIND_WRITE && write(log_fd, data, length) != (ssize_t)length))
		die("write the log");
}

static void zero(const struct disk *d, uint64_t offset, uint64_t length)
{
	if (fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length) < 0)
		die("zeroes");
}

/* A byte of each of the request's sectors that the rule means. */
static void corrupt(const struct request *q, const struct rule *rule)
{
	uint64_t at, sector = q->offset / SECTOR;

	for (at = 0; at + SECTOR <= q->length; at += SECTOR, sector++)
		if (sector >= rule->first && sector <= rule->last)
			data[at + random_number(SECTOR)] ^= 0x5a;
}

static void change(struct disk *d, const struct request *q, const struct rule *rule)
{
	bool fua = q->flags & CMD_FLAG_FUA;

	if (rule && rule->what == WHAT_DROP)
		return;
	if (q->type != CMD_WRITE) {
		zero(d, q->offset, q->length);
		note(d, KIND_ZERO, fua, q->offset, q->length);
		return;
	}
	if (rule && rule->what == WHAT_CORRUPT)
		corrupt(q, rule);
	write_all(d->fd, data, q->length, q->offset);
	note(d, KIND_WRITE, fua, q->offset, q->length);
}

/* Told to whoever started this, once for each disk. */
static void note_discard(struct disk *d)
{
	if (!d->was_discarded)
		printf("disk %s was sent a discard\n", d->name);
	fflush(stdout);
	d->was_discarded = true;
}

static uint32_t do_request(struct disk *d, const struct request *q, const struct rule *rule)
{
	if (q->type == CMD_TRIM)
		note_discard(d);
	if (rule && rule->what == WHAT_ERROR)
		return EIO;
	switch (q->type) {
	case CMD_READ:
		if (pread(d->fd, data, q->length, (off_t)q->offset) != (ssize_t)q->length)
			return EIO;
		if (rule && rule->what == WHAT_CORRUPT)
			corrupt(q, rule);
		return 0;
	case CMD_WRITE:
	case CMD_ZEROES:
	case CMD_TRIM:
		change(d, q, rule);
		return 0;
	case CMD_FLUSH:
		note(d, KIND_FLUSH, false, 0, 0);
		return 0;
	default:
		return EINVAL;
	}
}

static bool answer(int fd, uint64_t handle, uint32_t error, uint32_t size)
{
	struct reply r = { htonl(REPLY_MAGIC), htonl(error), handle };

	return put(fd, &r, sizeof(r)) && (error || !size || put(fd, data, size));
}

static void host_order(struct request *q)
{
	q->flags = ntohs(q->flags);
	q->type = ntohs(q->type);
	q->offset = be64toh(q->offset);
	q->length = ntohl(q->length);
}

/* Returns false when the client is gone. */
static bool serve_request(struct client *c)
{
	struct request q;
	const struct rule *rule;
	uint32_t error;

	if (!get(c->fd, &q, sizeof(q)) || ntohl(q.magic) != REQUEST_MAGIC)
		return false;
	host_order(&q);
	if (q.type == CMD_DISC || q.length > MAX_DATA ||
	    (q.type == CMD_WRITE && !get(c->fd, data, q.length)))
		return false;
	rule = rules_ask(c->disk, q.type == CMD_READ ? OP_READ : q.type == CMD_FLUSH ? OP_FLUSH : OP_WRITE,
			 q.offset, q.length);
	if (rule && rule->what == WHAT_HANG && n_hung < MAX_HUNG) {
		hung[n_hung++] = (struct hung){ c->fd, q.handle, time(NULL) + (time_t)rule->hang_s };
		return true;
	}
	if (q.offset + q.length > c->disk->bytes)
		error = EINVAL;
	else
		error = do_request(c->disk, &q, rule);
	return answer(c->fd, q.handle, error, q.type == CMD_READ ? q.length : 0);
}

static void end_hangs(void)
{
	size_t i, n = 0;

	for (i = 0; i < n_hung; i++)
		if (time(NULL) >= hung[i].until)
			answer(hung[i].fd, hung[i].handle, EIO, 0);
		else
			hung[n++] = hung[i];
	n_hung = n;
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, MAX_DISKS) < 0)
		die(path);
	return fd;
}

int serve(const char *socket_path, const char *log, struct disk *disks, size_t n)
{
	struct pollfd p[MAX_DISKS + 1];
	struct client clients[MAX_DISKS];
	size_t n_clients = 0, i, kept;
	bool had_any = false;

	all = disks;
	n_all = n;
	if (strcmp(log, "-") != 0) {
		log_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (log_fd < 0)
			die(log);
	}
	p[0] = (struct pollfd){ .fd = listen_at(socket_path), .events = POLLIN };
	while (n_clients || !had_any) {
		for (i = 0; i < n_clients; i++)
			p[i + 1] = (struct pollfd){ .fd = clients[i].fd, .events = POLLIN };
		poll(p, n_clients + 1, n_hung ? 200 : -1);
		end_hangs();
		for (i = kept = 0; i < n_clients; i++)
			if (!p[i + 1].revents || serve_request(&clients[i]))
				clients[kept++] = clients[i];
			else
				close(clients[i].fd);
		n_clients = kept;
		if ((p[0].revents & POLLIN) && n_clients < MAX_DISKS) {
			struct client c = { .fd = accept4(p[0].fd, NULL, NULL, SOCK_CLOEXEC) };

			c.disk = shake_hands(c.fd);
			if (c.disk)
				clients[n_clients++] = c;
			else
				close(c.fd);
			had_any |= !!c.disk;
		}
	}
	unlink(socket_path);
	return EXIT_SUCCESS;
}
