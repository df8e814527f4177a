/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's part of the NBD handshake: what a server has to offer, before the kernel takes
 * the connection over. Protocol: NBD, doc/proto.md, "fixed newstyle negotiation". */
#ifndef GS_NBDTALK_H
#define GS_NBDTALK_H

#include <stdbool.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

struct nbd_export {
	uint64_t bytes;
	bool read_only;
	bool can_flush;
	bool can_fua;
};

/*
 * Asks the server at the other end of the connected stream socket fd for its only export, within
 * limit_ms in all. The server may be anybody's by now: what it says is bounded, and a word out
 * of turn is an error. Returns 0, the next bytes on fd are then requests and their replies;
 * -EPROTO: it said what it must not; -ENODEV: it refused, e has what it said; -EPIPE: it hung up;
 * -ETIMEDOUT.
 */
int nbdtalk_go(int fd, unsigned limit_ms, struct nbd_export *x, struct err *e)
	must_check nonnull_all;

#endif
