/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The headers of image files, one reader per format. Inside of images/ and for its tests. */
#ifndef GS_IMAGE_FACTS_H
#define GS_IMAGE_FACTS_H

#include <string.h>

#include "images.h"

/* A file open for reading, and its length in bytes. */
struct image_file {
	int fd;
	uint64_t bytes;
};

/* Reads n bytes at offset. Returns 0; -EINVAL (bad-image) where the file ends before; -errno of
 * pread(2) (io-error). */
int image_read(const struct image_file *f, uint64_t offset, void *buf, size_t n, struct err *e)
	must_check nonnull_all;

/* Sets *e to EINVAL, bad-image and a sentence. Returns -EINVAL. */
int image_bad(struct err *e, const char *fmt, ...) printf_like(2, 3) nonnull_all;

/* What a file begins like: "qcow2", "vmdk", "vdi", "vhdx", "vpc", "qed", or NULL. The n first
 * bytes are at head. */
const char *image_content(const unsigned char *head, size_t n) nonnull_all;
/* Why a raw file of that many bytes is surely no disk, or NULL. */
const char *image_no_disk(const unsigned char *head, size_t n, uint64_t bytes) nonnull_all;
#define IMAGE_HEAD 4096 /* bytes these two want to see, if the file has them */

/* The format that a name's ending says. */
enum image_format image_format_of_path(const char *path) nonnull_all;
/* Returns 0, or -EINVAL where text is none of our formats' names. */
int image_format_parse(const char *text, enum image_format *format) must_check nonnull_all;

/*
 * Fills *facts from the header of f, read as format; says (in words) is what said so. Returns 0;
 * -EINVAL (bad-image) where the content is of another format or malformed; -ENOTSUP
 * (unsupported-feature) for a version whose header can't be read; -errno of reading; -ENOMEM.
 * Release with facts_clear(), also on failure.
 */
int facts_read(const struct image_file *f, enum image_format format, enum image_format_from from,
	       struct image_facts *facts, struct err *e) must_check nonnull_all;
void facts_clear(struct image_facts *facts) nonnull_all;

/* Looks whether f may be a raw piece of a disk: it must not begin like an image. Returns 0; -EINVAL
 * (bad-image); -errno of reading. */
int image_raw_check(const struct image_file *f, struct err *e) must_check nonnull_all;

/* The image_no_disk() whose words text is, or NULL. */
const char *image_no_disk_said(const char *text) nonnull_all;

/* facts_read(), image_raw_check() and vmdk_extent_check(), or who does the same. */
struct image_reader {
	int (*facts)(const struct image_file *f, enum image_format format, enum image_format_from from,
		     struct image_facts *facts, struct err *e);
	int (*raw_check)(const struct image_file *f, struct err *e);
	int (*extent_check)(const struct image_file *f, const struct image_extent *x, struct err *e);
};

/* Whether we work on an image with these facts. Returns 0; -ENOTSUP (unsupported-feature) or
 * -EINVAL (bad-image) with the reason. */
int facts_judge(const struct image_facts *facts, struct err *e) must_check nonnull_all;

/* The readers behind facts_read(); the magic number has been seen. Errors as there. */
int qcow2_read(const struct image_file *f, struct image_facts *facts, struct err *e)
	must_check nonnull_all;
int vmdk_read(const struct image_file *f, struct image_facts *facts, struct err *e)
	must_check nonnull_all;
int vdi_read(const struct image_file *f, struct image_facts *facts, struct err *e)
	must_check nonnull_all;
int vhdx_read(const struct image_file *f, struct image_facts *facts, struct err *e)
	must_check nonnull_all;

/* Steps of qcow2_read(): header extensions between the two offsets, the feature bits that we
 * don't know (named by the table in an extension), and the table of internal snapshots. */
int qcow2_extensions(const struct image_file *f, uint64_t at, uint64_t end, uint64_t unknown,
		     struct image_facts *facts, struct err *e) must_check nonnull_all;
int qcow2_snapshots(const struct image_file *f, uint64_t at, uint32_t n, struct image_facts *facts,
		    struct err *e) must_check nonnull_all;

/* Reads a vmdk's descriptor (a string that is changed on the way); embedded: it stands inside
 * the sparse file, whose extent lines mean nothing. Returns 0; -EINVAL (bad-image); -ENOTSUP;
 * -ENOMEM. */
int vmdk_text(char *text, bool embedded, struct image_facts *facts, struct err *e)
	must_check nonnull_all;
/* Looks whether f may be the extent x of a descriptor. Returns 0; -EINVAL (bad-image) or
 * -ENOTSUP (unsupported-feature) with the reason; -errno of reading. */
int vmdk_extent_check(const struct image_file *f, const struct image_extent *x, struct err *e)
	must_check nonnull_all;

static inline uint16_t get_le16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get_le32(const unsigned char *p)
{
	return get_le16(p) | (uint32_t)get_le16(p + 2) << 16;
}

static inline uint64_t get_le64(const unsigned char *p)
{
	return get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

static inline uint16_t get_be16(const unsigned char *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_be32(const unsigned char *p)
{
	return (uint32_t)get_be16(p) << 16 | get_be16(p + 2);
}

static inline uint64_t get_be64(const unsigned char *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

/* Whether n bytes at offset lie inside the file. */
static inline bool image_holds(const struct image_file *f, uint64_t offset, uint64_t n)
{
	return offset <= f->bytes && n <= f->bytes - offset;
}

static inline bool all_zero(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

#endif
