/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "uevent.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"

#define KERNEL_GROUP 1
/* Some thousand messages: a server's disks may all come at once. */
#define RECEIVE_BYTES (4 << 20)

/* "ACTION@PATH" comes first (lib/kobject_uevent.c). */
void uevent_ignore_mappings(int fd)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 3), /* "add@" */
		BPF_STMT(BPF_LDX | BPF_IMM, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, '@', 3, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6), /* "change@", "remove@" */
		BPF_STMT(BPF_LDX | BPF_IMM, 7),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, '@', 0, 11),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x2f646576, 0, 9), /* "/dev" */
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x69636573, 0, 7), /* "ices" */
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x2f766972, 0, 5), /* "/vir" */
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x7475616c, 0, 3), /* "tual" */
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x2f62, 0, 1), /* "/b": block, bdi */
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, ~0U),
	};
	const struct sock_fprog filter = { ARRAY_SIZE(code), code };

	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
}

int uevent_open(struct err *e)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	cleanup_fd int fd = -1;
	int bytes = RECEIVE_BYTES;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (fd < 0)
		return err_set(e, errno, "uevent socket: %s", strerror(errno));
	/* Only matters of how seldom messages get lost, and wake somebody. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	uevent_ignore_mappings(fd);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(e, errno, "uevent socket: bind: %s", strerror(errno));
	return steal_fd(&fd);
}

static void forget(struct uevent *ev)
{
	ev->action = ev->devpath = ev->subsystem = NULL;
	ev->devname = ev->devtype = ev->modalias = NULL;
}

/* Keeps the value of "NAME=VALUE" where it is one of ours; the first one counts. */
static void take_variable(struct uevent *ev, const char *s)
{
	const struct {
		const char *name;
		const char **value;
	} wanted[] = {
		{ "SUBSYSTEM=", &ev->subsystem },
		{ "DEVNAME=", &ev->devname },
		{ "DEVTYPE=", &ev->devtype },
		{ "MODALIAS=", &ev->modalias },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		size_t n = strlen(wanted[i].name);

		if (!strncmp(s, wanted[i].name, n) && !*wanted[i].value)
			*wanted[i].value = s + n;
	}
}

int uevent_parse(struct uevent *ev, size_t size)
{
	char *end = ev->text + size, *at, *s;

	forget(ev);
	if (!size || size > sizeof(ev->text) || end[-1])
		return -EINVAL;
	at = strchr(ev->text, '@');
	if (!at || at == ev->text || at[1] != '/')
		return -EINVAL;
	*at = 0;
	ev->action = ev->text;
	ev->devpath = at + 1;
	for (s = at + 1 + strlen(at + 1) + 1; s < end; s += strlen(s) + 1)
		take_variable(ev, s);
	return 0;
}

/* true when a message is in ev->text, its size in *size. Anybody may send to a
 * netlink socket; the kernel's own messages have port number 0. */
static int receive(int fd, struct uevent *ev, size_t *size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = ev->text, .iov_len = sizeof(ev->text) };
	struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof(from),
			      .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	*size = (size_t)n;
	return n > 0 && !from.nl_pid && !(msg.msg_flags & MSG_TRUNC);
}

int uevent_next(int fd, int timeout_ms, struct uevent *ev)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t size = 0;
	int r;

	forget(ev);
	r = poll(&p, 1, timeout_ms);
	if (r <= 0)
		return r == 0 || errno == EINTR ? 0 : -errno;
	r = receive(fd, ev, &size);
	if (r <= 0)
		return r;
	return uevent_parse(ev, size) ? 0 : 1;
}
