/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel uevents as they come, and what is none. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "uevent.h"

static struct uevent ev;

static int parse(const char *bytes, size_t size)
{
	memset(ev.text, 'x', sizeof(ev.text));
	memcpy(ev.text, bytes, size);
	return uevent_parse(&ev, size);
}

#define PARSE(s) parse(s, sizeof(s)) /* with the final NUL */

static void a_disk(void **state)
{
	(void)state;
	assert_int_equal(PARSE("add@/devices/pci0000:00/virtio1/block/vda\0ACTION=add\0"
			       "DEVPATH=/devices/pci0000:00/virtio1/block/vda\0SUBSYSTEM=block\0"
			       "MAJOR=252\0MINOR=0\0DEVNAME=vda\0DEVTYPE=disk\0DISKSEQ=9\0SEQNUM=1163"),
			 0);
	assert_string_equal(ev.action, "add");
	assert_string_equal(ev.devpath, "/devices/pci0000:00/virtio1/block/vda");
	assert_string_equal(ev.subsystem, "block");
	assert_string_equal(ev.devname, "vda");
	assert_string_equal(ev.devtype, "disk");
	assert_null(ev.modalias);
}

static void a_device_with_a_driver(void **state)
{
	(void)state;
	assert_int_equal(PARSE("add@/devices/pci0000:00/0000:00:05.0/virtio1\0ACTION=add\0"
			       "SUBSYSTEM=virtio\0MODALIAS=virtio:d00000002v00001AF4\0SEQNUM=9"),
			 0);
	assert_string_equal(ev.subsystem, "virtio");
	assert_string_equal(ev.modalias, "virtio:d00000002v00001AF4");
	assert_null(ev.devname);
}

static void nothing_but_a_header(void **state)
{
	(void)state;
	assert_int_equal(PARSE("remove@/module/loop"), 0);
	assert_string_equal(ev.action, "remove");
	assert_string_equal(ev.devpath, "/module/loop");
	assert_null(ev.subsystem);
}

static void the_first_value_counts(void **state)
{
	(void)state;
	assert_int_equal(PARSE("add@/d\0DEVNAME=a\0DEVNAME=b\0\0MODALIAS="), 0);
	assert_string_equal(ev.devname, "a");
	assert_string_equal(ev.modalias, "");
}

static void not_a_message(void **state)
{
	(void)state;
	assert_int_equal(parse("", 0), -EINVAL);
	assert_int_equal(PARSE(""), -EINVAL);
	assert_int_equal(PARSE("libudev\0\xfe\xed\xca\xfe"), -EINVAL);
	assert_int_equal(PARSE("@/devices/x"), -EINVAL);
	assert_int_equal(PARSE("add@"), -EINVAL);
	assert_int_equal(PARSE("add@devices"), -EINVAL);
	assert_int_equal(parse("add@/devices/x", 14), -EINVAL); /* no final NUL */
	assert_null(ev.action);
	assert_null(ev.devpath);
	assert_int_equal(uevent_parse(&ev, UEVENT_MAX + 1), -EINVAL);
}

static void assert_heard(int ends[2], const char *text, size_t size, bool heard)
{
	char got[300];

	assert_int_equal(send(ends[0], text, size, 0), size);
	assert_int_equal(recv(ends[1], got, sizeof(got), MSG_DONTWAIT), heard ? (ssize_t)size : -1);
}

#define HEARD(s) assert_heard(ends, s, sizeof(s), true)
#define UNHEARD(s) assert_heard(ends, s, sizeof(s), false)

/* On a socket of another kind: whose messages they are makes no difference. */
static void mappings_wake_nobody(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	uevent_ignore_mappings(ends[1]);
	UNHEARD("add@/devices/virtual/block/dm-3\0ACTION=add\0SUBSYSTEM=block");
	UNHEARD("change@/devices/virtual/block/dm-3\0ACTION=change");
	UNHEARD("remove@/devices/virtual/bdi/254:3\0ACTION=remove");
	HEARD("add@/devices/pci0000:00/virtio1/block/vda\0ACTION=add");
	HEARD("remove@/devices/pci0000:00/usb1/1-1/host2/block/sdb\0ACTION=remove");
	HEARD("add@/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1\0ACTION=add");
	HEARD("bind@/devices/virtual/block/dm-3\0ACTION=bind");
	HEARD("add@/module/dm_crypt\0ACTION=add");
	HEARD("change@/devices/virtual/net/lo\0ACTION=change");
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk),
		cmocka_unit_test(a_device_with_a_driver),
		cmocka_unit_test(nothing_but_a_header),
		cmocka_unit_test(the_first_value_counts),
		cmocka_unit_test(not_a_message),
		cmocka_unit_test(mappings_wake_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
