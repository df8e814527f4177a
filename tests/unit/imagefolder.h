/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A temporary folder that stands for a host filesystem with images on it. */
#ifndef TEST_IMAGEFOLDER_H
#define TEST_IMAGEFOLDER_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images.h"

#define MIB (1024 * 1024ULL)

static char *usual_patterns[] = { (char *)"*.qcow2", (char *)"*.raw", (char *)"*.img",
				  (char *)"*.vmdk",  (char *)"*.vdi", (char *)"*.vhdx" };

struct folder {
	char path[64];
	struct imageset set;
	struct err e;
	char *graph[16]; /* to be freed in the end */
	size_t n_graphs;
};

static inline void folder_make(struct folder *f)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "/tmp/images.XXXXXX");
	if (!mkdtemp(f->path))
		abort();
}

/* Runs a shell command in the folder, with its output away. Returns whether it exited with 0. */
static inline bool __attribute__((format(printf, 2, 3)))
folder_try(const struct folder *f, const char *fmt, ...)
{
	static char line[70000];
	int n = snprintf(line, sizeof(line), "cd %s && { ", f->path);
	va_list ap;

	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	snprintf(line + n, sizeof(line) - (size_t)n, "; } >%s.out 2>&1", f->path);
	return system(line) == 0;
}

/* The same for one that must not fail. */
#define folder_run(f, ...)                                                                         \
	do {                                                                                       \
		if (!folder_try(f, __VA_ARGS__)) {                                                 \
			char cat_[128];                                                            \
			snprintf(cat_, sizeof(cat_), "cat %s.out >&2", (f)->path);                 \
			if (system(cat_))                                                          \
				abort();                                                           \
			fail_msg(__VA_ARGS__);                                                     \
		}                                                                                  \
	} while (0)

static inline void folder_drop(struct folder *f)
{
	imageset_free(&f->set);
	while (f->n_graphs)
		free(f->graph[--f->n_graphs]);
	if (!folder_try(f, "cd / && chmod -R u+rwx %s && rm -rf %s", f->path, f->path))
		abort();
	strcat(f->path, ".out");
	unlink(f->path);
}

/* Writes n bytes at offset into a file, which is made longer where need be. */
static inline void folder_put(const struct folder *f, const char *name, uint64_t offset,
			      const void *data, size_t n)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	if (fd < 0 || pwrite(fd, data, n, (off_t)offset) != (ssize_t)n)
		abort();
	close(fd);
}

static inline void folder_text(const struct folder *f, const char *name, const char *text)
{
	folder_put(f, name, 0, text, strlen(text));
}

static inline void folder_raw(const struct folder *f, const char *name, uint64_t bytes)
{
	folder_put(f, name, bytes - 1, "", 1);
}

static inline int folder_find_as(struct folder *f, const struct image_wish *wishes, size_t n,
				 const char *mounted_at)
{
	const struct words patterns = { usual_patterns,
					sizeof(usual_patterns) / sizeof(*usual_patterns) };

	imageset_free(&f->set);
	memset(&f->e, 0, sizeof(f->e));
	return imageset_find(&f->set, f->path, &patterns, wishes, n, mounted_at,
			     &image_reader_bare, &f->e);
}

static inline void folder_find(struct folder *f)
{
	if (folder_find_as(f, NULL, 0, "") < 0) {
		fprintf(stderr, "%s\n", f->e.text);
		abort();
	}
}

static inline struct image *folder_get(const struct folder *f, const char *path)
{
	struct image *image = imageset_get(&f->set, path);

	if (!image) {
		fprintf(stderr, "%s was not found\n", path);
		abort();
	}
	return image;
}

/* The graph of an image that must have one. */
static inline const char *folder_graph(struct folder *f, const char *path, bool read_only)
{
	char *graph = image_graph(folder_get(f, path), f->path, read_only, &f->e);

	if (!graph || f->n_graphs == sizeof(f->graph) / sizeof(*f->graph)) {
		fprintf(stderr, "%s: %s\n", path, f->e.text);
		abort();
	}
	f->graph[f->n_graphs++] = graph;
	return graph;
}

static inline bool have_qemu(void)
{
	return access("/usr/bin/qemu-img", X_OK) == 0 && access("/usr/bin/qemu-io", X_OK) == 0;
}

#define NEED_QEMU                                                                                  \
	if (!have_qemu())                                                                          \
	skip()

#endif
