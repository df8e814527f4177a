/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

/* Lies at the start of its own mapping. A forked child reads it, but mlock(2)
 * doesn't follow there: the image has no swap. */
struct secret {
	size_t mapped; /* bytes of the mapping */
	size_t size;
	_Alignas(max_align_t) char bytes[];
};

/* All there are. */
static struct secret **all;
static size_t n_all;

static struct secret *make(size_t size, int how, struct err *e)
{
	struct secret **grown = realloc(all, (n_all + 1) * sizeof(*all));
	size_t mapped = sizeof(struct secret) + size;
	struct secret *s;

	if (grown)
		all = grown;
	if (!grown || mapped < size) {
		err_set(e, ENOMEM, "no memory for a key of %zu bytes", size);
		return NULL;
	}
	s = mmap(NULL, mapped, PROT_READ | PROT_WRITE, how | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED) {
		err_set(e, ENOMEM, "no memory for a key of %zu bytes", size);
		return NULL;
	}
	/* not mlock(2): under the tests' sanitizers that does nothing */
	if (mlock2(s, mapped, 0) < 0 || madvise(s, mapped, MADV_DONTDUMP) < 0) {
		err_set(e, ENOMEM, "no locked memory for a key of %zu bytes: %s", size,
			strerror(errno));
		munmap(s, mapped);
		return NULL;
	}
	s->mapped = mapped;
	s->size = size;
	all[n_all++] = s;
	return s;
}

struct secret *secret_new(size_t size, struct err *e)
{
	return make(size, MAP_PRIVATE, e);
}

struct secret *secret_new_shared(size_t size, struct err *e)
{
	return make(size, MAP_SHARED, e);
}

char *secret_bytes(struct secret *s)
{
	return s->bytes;
}

size_t secret_size(const struct secret *s)
{
	return s->size;
}

/* false: it was left behind. */
static bool take_from_all(struct secret *s)
{
	size_t i = 0;

	while (i < n_all && all[i] != s)
		i++;
	if (i == n_all)
		return false;
	all[i] = all[--n_all];
	return true;
}

void secret_free(struct secret *s)
{
	size_t mapped;

	if (!s || !take_from_all(s))
		return;
	mapped = s->mapped;
	explicit_bzero(s, mapped);
	munmap(s, mapped);
}

static int by_address(const void *a, const void *b)
{
	const struct secret *const *x = a, *const *y = b;

	return (*x > *y) - (*x < *y);
}

/* Those that lie side by side, as most do, go at once. */
static void unmap(struct secret **s, size_t n)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = 0, end = 0;
	size_t i;

	if (n)
		qsort(s, n, sizeof(*s), by_address);
	for (i = 0; i < n; i++) {
		uintptr_t at = (uintptr_t)s[i], behind = at + (s[i]->mapped + page - 1) / page * page;

		if (at != end) {
			if (end)
				munmap((void *)start, end - start);
			start = at;
		}
		end = behind;
	}
	if (end)
		munmap((void *)start, end - start);
}

void secret_leave(struct secret **s, size_t n)
{
	size_t left = 0, i;

	for (i = 0; i < n; i++)
		if (s[i] && take_from_all(s[i]))
			s[left++] = s[i];
	unmap(s, left);
}

void secret_leave_behind(void)
{
	unmap(all, n_all);
	n_all = 0;
}

/* Opens a regular file or block device, and says how many bytes it has. */
static int open_key(const char *path, uint64_t *bytes, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	off_t end;

	if (fd < 0)
		return err_set(e, errno, "open %s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "stat %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(e, EINVAL, "%s is neither a file nor a block device", path);
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return err_set(e, errno, "seek in %s: %s", path, strerror(errno));
	*bytes = (uint64_t)end;
	return steal_fd(&fd);
}

/* Reads the whole of s; there are no buffers in between to be wiped. */
static int fill(struct secret *s, int fd, const char *path, uint64_t offset, struct err *e)
{
	size_t done = 0;

	while (done < s->size) {
		ssize_t n = pread(fd, s->bytes + done, s->size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, "read %s: %s", path, strerror(errno));
		if (n == 0)
			return err_set(e, ERANGE, "%s became shorter while it was read", path);
		done += (size_t)n;
	}
	return 0;
}

struct secret *secret_from_file(const char *path, uint64_t offset, size_t size, struct err *e)
{
	cleanup_secret struct secret *s = NULL;
	uint64_t bytes = 0, there;
	cleanup_fd int fd = open_key(path, &bytes, e);

	if (fd < 0)
		return NULL;
	there = offset < bytes ? bytes - offset : 0;
	if (bytes == 0) {
		err_set(e, EINVAL, "%s is empty", path);
		return NULL;
	}
	if (there == 0 || size > there) {
		err_set(e, ERANGE, "%s has %llu bytes, too few for its offset and size", path,
			(unsigned long long)bytes);
		return NULL;
	}
	if (size == 0 && there <= SECRET_FILE_MAX)
		size = (size_t)there;
	if (size == 0 || size > SECRET_FILE_MAX) {
		err_set(e, ERANGE, "%s is longer than %u bytes, the most a key may have", path,
			SECRET_FILE_MAX);
		return NULL;
	}
	s = secret_new(size, e);
	if (!s || fill(s, fd, path, offset, e) < 0)
		return NULL;
	return steal_ptr(&s);
}
