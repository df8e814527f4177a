/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probebuf.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include "attrs.h"

#define HEAD_BYTES (72u << 10) /* where nearly all superblocks are: btrfs' ends there */
#define TAIL_BYTES (512u << 10) /* RAIDs of firmware, the last two labels of ZFS, GPT's backup */
#define PLACE_BYTES 4096

struct window {
	uint64_t at, n; /* bytes; n: 0 where there is nothing */
	unsigned char bytes[TAIL_BYTES];
};

static struct window head, tail;

static void fill(struct window *w, int fd, uint64_t at, uint64_t n)
{
	w->at = at;
	w->n = pread(fd, w->bytes, n, (off_t)at) == (ssize_t)n ? n : 0;
}

static void begin_reading(int fd, uint64_t bytes, int64_t at, uint64_t n)
{
	if (at < 0)
		at += (int64_t)bytes;
	if (at >= 0)
		posix_fadvise(fd, at, (off_t)n, POSIX_FADV_WILLNEED);
}

/* What else libblkid looks at on nearly every device, from its start and from its end: on the way from the disk while the
 * ends are waited for. */
static void begin_reading_places(int fd, uint64_t bytes)
{
	static const int kib[] = { 128, 256, 512, 1024, 2048, 4096, -1544, -1024, -132, -64, -8, -4 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kib); i++)
		begin_reading(fd, bytes, kib[i] * 1024LL, PLACE_BYTES);
}

void probebuf_fill(int fd, uint64_t bytes, bool with_end)
{
	uint64_t n = bytes < HEAD_BYTES ? bytes : HEAD_BYTES;
	uint64_t rest = bytes - n < TAIL_BYTES ? bytes - n : TAIL_BYTES;

	if (with_end)
		begin_reading(fd, bytes, (int64_t)(bytes - rest), rest);
	begin_reading_places(fd, bytes);
	fill(&head, fd, 0, n);
	if (with_end)
		fill(&tail, fd, bytes - rest, rest);
}

void probebuf_empty(void)
{
	head.n = tail.n = 0;
}

static bool holds(const struct window *w, uint64_t at, uint64_t n)
{
	return at >= w->at && at - w->at < w->n && n <= w->n - (at - w->at);
}

/* In the place of libblkid's own: n bytes from byte offset on of what pr is to probe, which may be a part of the device.
 * Returns NULL, and errno where it is not just outside. */
const unsigned char *__real_blkid_probe_get_buffer(blkid_probe pr, uint64_t offset, uint64_t n) __attribute__((weak));
const unsigned char *__wrap_blkid_probe_get_buffer(blkid_probe pr, uint64_t offset, uint64_t n);

const unsigned char *__wrap_blkid_probe_get_buffer(blkid_probe pr, uint64_t offset, uint64_t n)
{
	uint64_t start = (uint64_t)blkid_probe_get_offset(pr), size = (uint64_t)blkid_probe_get_size(pr);
	const struct window *w;

	if (n == 0 || n > size || offset > size - n)
		return __real_blkid_probe_get_buffer(pr, offset, n);
	w = holds(&head, start + offset, n) ? &head : &tail;
	if (!holds(w, start + offset, n))
		return __real_blkid_probe_get_buffer(pr, offset, n);
	errno = 0;
	return w->bytes + (start + offset - w->at);
}
