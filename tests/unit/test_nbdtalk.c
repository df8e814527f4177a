/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NBD handshake with servers good and bad: they say all they have to say at once, and hang up or don't. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "nbdtalk.h"

#define GREETING "NBDMAGICIHAVEOPT" "\0\3"
#define REPLY(type, length) "\0\3\xe8\x89\x04\x55\x65\xa9" "\0\0\0\7" type "\0\0\0" length
#define ACK REPLY("\0\0\0\1", "\0")
#define EXPORT(flags) REPLY("\0\0\0\3", "\x0c") "\0\0" "\0\0\0\0\0\x10\0\0" "\0" flags
#define BLOCK_SIZE(least) REPLY("\0\0\0\3", "\x0e") "\0\3" least "\0\0\x10\0" "\2\0\0\0"
#define ASKED "\0\0\0\3" "IHAVEOPT" "\0\0\0\7" "\0\0\0\6" "\0\0\0\0" "\0\0"

static struct nbd_export found;
static struct err why;

static int talk_to(const char *said, size_t size, bool hangs_up)
{
	int ends[2], rc;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(send(ends[0], said, size, 0), size);
	if (hangs_up)
		shutdown(ends[0], SHUT_WR);
	rc = nbdtalk_go(ends[1], 100, &found, &why);
	if (rc == 0) {
		char asked[sizeof(ASKED) - 1];

		assert_int_equal(recv(ends[0], asked, sizeof(asked), MSG_WAITALL), sizeof(asked));
		assert_memory_equal(asked, ASKED, sizeof(asked));
		assert_int_equal(recv(ends[0], asked, 1, MSG_DONTWAIT), -1);
	}
	close(ends[0]);
	close(ends[1]);
	return rc;
}

#define TALK(text) talk_to((text), sizeof(text) - 1, true)

static void a_good_one(void **state)
{
	(void)state;
	/* qemu-nbd --read-only, and without */
	assert_int_equal(TALK(GREETING EXPORT("\3") BLOCK_SIZE("\0\0\0\1") ACK), 0);
	assert_int_equal(found.bytes, 1 << 20);
	assert_true(found.read_only);
	assert_false(found.can_flush);
	assert_int_equal(TALK(GREETING BLOCK_SIZE("\0\0\2\0") EXPORT("\x0d") ACK), 0);
	assert_false(found.read_only);
	assert_true(found.can_flush);
	assert_true(found.can_fua);
}

static void a_refusal(void **state)
{
	(void)state;
	assert_int_equal(TALK(GREETING REPLY("\x80\0\0\6", "\4") "no\x1b!"), -ENODEV);
	assert_string_equal(why.text, "the NBD server refuses: no\\x1b!");
	assert_int_equal(TALK(GREETING REPLY("\x80\0\0\6", "\0")), -ENODEV);
	assert_int_equal(TALK(GREETING "\0\3\xe8\x89\x04\x55\x65\xa9" "\0\0\0\7" "\x80\0\0\1" "\xff\0\0\0"),
			 -EPROTO);
}

static void bad_ones(void **state)
{
	(void)state;
	assert_int_equal(TALK("NBDMAGIC" "\0\0\x42\2\x81\x86\x12\x53" "\0\3"), -EPROTO);
	assert_int_equal(TALK("HTTP/1.1 200 OK\r\n\r\n"), -EPROTO);
	assert_int_equal(TALK("NBDMAGICIHAVEOPT" "\0\1"), -EPROTO);
	assert_int_equal(TALK("NBDMAGICIHAVEOPT" "\x80\3"), -EPROTO);
	/* nothing, twice, or too little of the export */
	assert_int_equal(TALK(GREETING ACK), -EPROTO);
	assert_int_equal(TALK(GREETING EXPORT("\3") EXPORT("\1") ACK), -EPROTO);
	assert_int_equal(TALK(GREETING EXPORT("\2") ACK), -EPROTO);
	assert_int_equal(TALK(GREETING REPLY("\0\0\0\3", "\1") "\0"), -EPROTO);
	assert_int_equal(TALK(GREETING REPLY("\0\0\0\3", "\x0d") "\0\0" "\0\0\0\0\0\0\0\0\0\0\0"), -EPROTO);
	assert_int_equal(TALK(GREETING REPLY("\0\0\0\3", "\x0c") "\0\0" "\x80\0\0\0\0\0\0\0" "\0\1"), -EPROTO);
	/* sectors that the kernel can't keep to */
	assert_int_equal(TALK(GREETING BLOCK_SIZE("\0\0\x10\0")), -EPROTO);
	assert_int_equal(TALK(GREETING BLOCK_SIZE("\0\0\0\0")), -EPROTO);
	/* a name nobody asked for; the reply to another option; an ACK with something in it */
	assert_int_equal(TALK(GREETING REPLY("\0\0\0\3", "\3") "\0\1a"), -EPROTO);
	assert_int_equal(TALK(GREETING "\0\3\xe8\x89\x04\x55\x65\xa9" "\0\0\0\6" "\0\0\0\1" "\0\0\0\0"), -EPROTO);
	assert_int_equal(TALK(GREETING EXPORT("\3") REPLY("\0\0\0\1", "\1") "x"), -EPROTO);
}

static void one_without_end(void **state)
{
	char said[2048] = GREETING;
	size_t size = sizeof(GREETING) - 1;
	int i;

	(void)state;
	for (i = 0; i < 20; i++, size += sizeof(BLOCK_SIZE("\0\0\0\1")) - 1)
		memcpy(said + size, BLOCK_SIZE("\0\0\0\1"), sizeof(BLOCK_SIZE("\0\0\0\1")) - 1);
	assert_int_equal(talk_to(said, size, true), -EPROTO);
}

static void one_cut_off_anywhere(void **state)
{
	static const char said[] = GREETING EXPORT("\3") BLOCK_SIZE("\0\0\0\1") ACK;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(said) - 1; i++)
		assert_int_equal(talk_to(said, i, true), -EPIPE);
	assert_int_equal(talk_to(said, i, true), 0);
}

static void one_that_is_silent(void **state)
{
	(void)state;
	assert_int_equal(talk_to(GREETING, sizeof(GREETING) - 1, false), -ETIMEDOUT);
	assert_int_equal(talk_to("", 0, false), -ETIMEDOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_one),
		cmocka_unit_test(a_refusal),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(one_without_end),
		cmocka_unit_test(one_cut_off_anywhere),
		cmocka_unit_test(one_that_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
