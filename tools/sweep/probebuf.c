/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probebuf.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "attrs.h"

#define HEAD_BYTES (72u << 10) /* where nearly all superblocks are: btrfs' ends there */
#define LOG_BYTES (256u << 10) /* an XFS log may begin there */
#define LABELS_BYTES (384u << 10) /* the first two labels of ZFS */
#define TAIL_BYTES (512u << 10) /* RAIDs of firmware, the last two labels of ZFS, GPT's backup */
#define PAGE_BYTES 4096u
#define MAX_PAGES 64

struct window {
	uint64_t at, n; /* bytes; n: 0 where there is nothing */
	unsigned char *bytes;
};

static unsigned char head_bytes[LABELS_BYTES], tail_bytes[TAIL_BYTES], page_bytes[MAX_PAGES][PAGE_BYTES];
static struct window head = { .bytes = head_bytes }, tail = { .bytes = tail_bytes }, pages[MAX_PAGES];
static unsigned n_pages;
static int device = -1;
static uint64_t device_bytes;

static uint64_t at_most(uint64_t n, uint64_t limit)
{
	return n < limit ? n : limit;
}

static void fill(struct window *w, uint64_t at, uint64_t n)
{
	w->at = at;
	w->n = pread(device, w->bytes, n, (off_t)at) == (ssize_t)n ? n : 0;
}

static void begin_reading(int64_t at, uint64_t n)
{
	if (at < 0)
		at += (int64_t)device_bytes;
	if (at >= 0)
		posix_fadvise(device, at, (off_t)n, POSIX_FADV_WILLNEED);
}

/* What else libblkid looks at on nearly every device, from its start and from its end: on the way from the disk while the
 * ends are waited for. */
static void begin_reading_places(bool with_end)
{
	static const int kib[] = { 128, 256, 512, 1024, 2048, 4096, -1544, -1024, -132, -64, -8, -4 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kib); i++)
		if (!with_end || kib[i] * -1024LL > TAIL_BYTES || kib[i] > 0)
			begin_reading(kib[i] * 1024LL, PAGE_BYTES);
}

void probebuf_fill(int fd, uint64_t bytes, bool with_end)
{
	uint64_t n = at_most(bytes, HEAD_BYTES), rest = at_most(bytes - n, TAIL_BYTES);

	device = fd;
	device_bytes = bytes;
	if (with_end)
		begin_reading((int64_t)(bytes - rest), rest);
	begin_reading_places(with_end);
	fill(&head, 0, n);
	if (with_end)
		fill(&tail, bytes - rest, rest);
}

void probebuf_empty(void)
{
	device = -1;
	head.n = tail.n = 0;
	n_pages = 0;
}

/* Reads on from where the head ends, so that it ends with byte end or behind it. */
static void lengthen_head(uint64_t end)
{
	uint64_t more = at_most(device_bytes, end < LOG_BYTES ? LOG_BYTES : end) - head.n;

	if (pread(device, head.bytes + head.n, more, (off_t)head.n) == (ssize_t)more)
		head.n += more;
}

static const unsigned char *held_in(const struct window *w, uint64_t at, uint64_t n)
{
	return at >= w->at && at - w->at < w->n && n <= w->n - (at - w->at) ? w->bytes + (at - w->at) : NULL;
}

static const unsigned char *find(uint64_t at, uint64_t n)
{
	const unsigned char *found = held_in(&head, at, n);
	unsigned i;

	if (!found)
		found = held_in(&tail, at, n);
	for (i = 0; i < n_pages && !found; i++)
		found = held_in(&pages[i], at, n);
	return found;
}

const unsigned char *blkid_probe_held_bytes(uint64_t at, uint64_t n)
{
	const unsigned char *found = device < 0 ? NULL : find(at, n);
	uint64_t page = at - at % PAGE_BYTES;

	if (found || device < 0)
		return found;
	if (head.n && at + n > head.n && at + n <= LABELS_BYTES && n > PAGE_BYTES) {
		lengthen_head(at + n);
	} else if (n <= PAGE_BYTES - at % PAGE_BYTES && n_pages < MAX_PAGES) {
		pages[n_pages].bytes = page_bytes[n_pages];
		fill(&pages[n_pages++], page, at_most(device_bytes - page, PAGE_BYTES));
	}
	return find(at, n);
}
