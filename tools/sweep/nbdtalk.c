/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "nbdtalk.h"

#include <endian.h>
#include <errno.h>
#include <linux/nbd.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "log.h"

#define MAGIC 0x4e42444d41474943u        /* "NBDMAGIC" */
#define OPTION_MAGIC 0x49484156454f5054u /* "IHAVEOPT" */
#define REPLY_MAGIC 0x0003e889045565a9u
#define HANDSHAKE_FLAGS 3 /* fixed newstyle; no zeroes behind the old reply: of both sides */

#define OPT_GO 7
#define REP_ACK 1
#define REP_INFO 3
#define REP_IS_ERROR 0x80000000u
#define INFO_EXPORT 0
#define INFO_BLOCK_SIZE 3

#define MAX_REPLIES 8
#define MAX_REFUSAL 256 /* bytes of text */
#define MAX_SECTOR 512  /* the kernel's requests are multiples of it */

struct talk {
	int fd;
	long end_ms;
	struct err *e;
};

struct greeting {
	uint64_t magic, option_magic;
	uint16_t flags;
} __attribute__((packed));

struct option_go {
	uint32_t client_flags;
	uint64_t magic;
	uint32_t option, length;
	uint32_t name_length;   /* of the default export: 0 */
	uint16_t n_infos;
} __attribute__((packed));

struct reply {
	uint64_t magic;
	uint32_t option, type, length;
} __attribute__((packed));

struct info_export {
	uint64_t bytes;
	uint16_t flags;
} __attribute__((packed));

struct info_block_size {
	uint32_t minimum, preferred, maximum;
} __attribute__((packed));

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static int breach(struct talk *t, const char *what)
{
	return err_set(t->e, EPROTO, "the NBD server breaks the protocol: %s", what);
}

static int take(struct talk *t, void *to, size_t size)
{
	char *p = to;

	while (size) {
		struct pollfd ready = { .fd = t->fd, .events = POLLIN };
		long left = t->end_ms - now_ms();
		ssize_t n;

		if (left <= 0 || poll(&ready, 1, (int)left) == 0)
			return err_set(t->e, ETIMEDOUT, "the NBD server did not answer in time");
		n = recv(t->fd, p, size, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return err_set(t->e, EPIPE, "the NBD server hung up");
		if (n > 0) {
			p += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

static int take_greeting(struct talk *t)
{
	struct greeting g;
	int rc = take(t, &g, sizeof(g));

	if (rc < 0)
		return rc;
	if (be64toh(g.magic) != MAGIC || be64toh(g.option_magic) != OPTION_MAGIC)
		return breach(t, "it greets as something else");
	if (be16toh(g.flags) != HANDSHAKE_FLAGS)
		return breach(t, "unknown handshake flags");
	return 0;
}

/* So little that it fits into the socket's buffer. */
static int ask(struct talk *t)
{
	const struct option_go go = {
		.client_flags = htobe32(HANDSHAKE_FLAGS), .magic = htobe64(OPTION_MAGIC),
		.option = htobe32(OPT_GO), .length = htobe32(sizeof(uint32_t) + sizeof(uint16_t)),
	};

	if (send(t->fd, &go, sizeof(go), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(go))
		return err_set(t->e, EPIPE, "the NBD server hung up");
	return 0;
}

static int take_export(struct talk *t, struct nbd_export *x)
{
	struct info_export info;
	unsigned flags;
	int rc = take(t, &info, sizeof(info));

	if (rc < 0)
		return rc;
	flags = be16toh(info.flags);
	if (!(flags & NBD_FLAG_HAS_FLAGS))
		return breach(t, "no transmission flags");
	x->bytes = be64toh(info.bytes);
	if (x->bytes > INT64_MAX)
		return breach(t, "no device is of that size");
	x->read_only = flags & NBD_FLAG_READ_ONLY;
	x->can_flush = flags & NBD_FLAG_SEND_FLUSH;
	x->can_fua = flags & NBD_FLAG_SEND_FUA;
	return 0;
}

static int take_block_size(struct talk *t)
{
	struct info_block_size info;
	int rc = take(t, &info, sizeof(info));

	if (rc < 0)
		return rc;
	if (be32toh(info.minimum) == 0 || be32toh(info.minimum) > MAX_SECTOR)
		return breach(t, "its blocks are larger than a sector");
	return 0;
}

static int take_info(struct talk *t, uint32_t length, struct nbd_export *x, bool *has_export)
{
	uint16_t type;
	int rc;

	if (length < sizeof(type))
		return breach(t, "a piece of information without a type");
	rc = take(t, &type, sizeof(type));
	if (rc < 0)
		return rc;
	length -= (uint32_t)sizeof(type);
	type = be16toh(type);
	if (type == INFO_EXPORT && length == sizeof(struct info_export) && !*has_export) {
		*has_export = true;
		return take_export(t, x);
	}
	if (type == INFO_BLOCK_SIZE && length == sizeof(struct info_block_size))
		return take_block_size(t);
	return breach(t, "information that it was not asked for");
}

static int take_refusal(struct talk *t, uint32_t length)
{
	char text[MAX_REFUSAL + 1] = "", escaped[MAX_REFUSAL];

	if (length > MAX_REFUSAL)
		return breach(t, "a refusal without end");
	if (take(t, text, length) < 0)
		return -t->e->code;
	escape_text(escaped, sizeof(escaped), text);
	return err_set(t->e, ENODEV, "the NBD server refuses: %s", escaped);
}

/* Returns 1 when the server has said all, 0 when there is more to come. */
static int take_reply(struct talk *t, struct nbd_export *x, bool *has_export)
{
	struct reply r;
	uint32_t type;
	int rc = take(t, &r, sizeof(r));

	if (rc < 0)
		return rc;
	type = be32toh(r.type);
	if (be64toh(r.magic) != REPLY_MAGIC || be32toh(r.option) != OPT_GO)
		return breach(t, "a reply to something else");
	if (type & REP_IS_ERROR)
		return take_refusal(t, be32toh(r.length));
	if (type == REP_INFO)
		return take_info(t, be32toh(r.length), x, has_export);
	if (type != REP_ACK || be32toh(r.length) != 0)
		return breach(t, "an unknown reply");
	return *has_export ? 1 : breach(t, "nothing is said of the export");
}

int nbdtalk_go(int fd, unsigned limit_ms, struct nbd_export *x, struct err *e)
{
	struct talk t = { .fd = fd, .end_ms = now_ms() + limit_ms, .e = e };
	bool has_export = false;
	int rc, i;

	memset(x, 0, sizeof(*x));
	rc = take_greeting(&t);
	if (rc == 0)
		rc = ask(&t);
	for (i = 0; rc == 0 && i < MAX_REPLIES; i++)
		rc = take_reply(&t, x, &has_export);
	if (rc == 0)
		rc = breach(&t, "replies without end");
	return rc < 0 ? rc : 0;
}
