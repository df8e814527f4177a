/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int image_bad(struct err *e, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set_word(e, EINVAL, "bad-image", "%s", text);
}

int image_read(const struct image_file *f, uint64_t offset, void *buf, size_t n, struct err *e)
{
	size_t done = 0;

	if (!image_holds(f, offset, n))
		return image_bad(e, "it ends before what its header points to");
	while (done < n) {
		ssize_t got = pread(f->fd, (char *)buf + done, n - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set_word(e, errno, "io-error", "reading it failed: %s",
					    strerror(errno));
		if (got == 0)
			return image_bad(e, "it ends before what its header points to");
		done += (size_t)got;
	}
	return 0;
}

static int read_head(const struct image_file *f, unsigned char head[IMAGE_HEAD], size_t *n, struct err *e)
{
	*n = f->bytes < IMAGE_HEAD ? (size_t)f->bytes : IMAGE_HEAD;
	return image_read(f, 0, head, *n, e);
}

int image_raw_check(const struct image_file *f, struct err *e)
{
	unsigned char head[IMAGE_HEAD];
	size_t n;
	int rc = read_head(f, head, &n, e);

	if (rc == 0 && image_content(head, n))
		return image_bad(e, "its content is %s, not a piece of a raw disk", image_content(head, n));
	return rc;
}

static const char *said_by(enum image_format_from from)
{
	switch (from) {
	case FORMAT_FROM_WISH:
		return "sweep.conf";
	case FORMAT_FROM_IMAGE_ABOVE:
		return "the image that lies on it";
	case FORMAT_FROM_NAME:
		break;
	}
	return "its name";
}

/* The content must be what was said; a raw disk must be nothing that we know. */
static int check_content(const char *content, enum image_format format, enum image_format_from from,
			 struct err *e)
{
	const char *said = image_format_name(format);

	if (format == IMAGE_RAW ? !content : content && strcmp(content, said) == 0)
		return 0;
	if (content)
		return image_bad(e, "its content is %s but %s says %s; name its format in sweep.conf "
				 "if that is right", content, said_by(from), said);
	if (format == IMAGE_VMDK)
		return image_bad(e, "its content is not vmdk, as %s says; if it is an extent, no "
				 "descriptor names it", said_by(from));
	return image_bad(e, "its content is not %s, as %s says", said, said_by(from));
}

int facts_read(const struct image_file *f, enum image_format format, enum image_format_from from,
	       struct image_facts *facts, struct err *e)
{
	unsigned char head[IMAGE_HEAD];
	size_t n;
	int rc = read_head(f, head, &n, e);

	memset(facts, 0, sizeof(*facts));
	if (rc < 0)
		return rc;
	if (format == IMAGE_RAW)
		facts->no_disk = image_no_disk(head, n, f->bytes);
	if (!f->bytes)
		return image_bad(e, "it is empty");
	rc = check_content(image_content(head, n), format, from, e);
	if (rc < 0)
		return rc;
	switch (format) {
	case IMAGE_RAW:
		facts->bytes = f->bytes;
		return 0;
	case IMAGE_QCOW2:
		return qcow2_read(f, facts, e);
	case IMAGE_VMDK:
		return vmdk_read(f, facts, e);
	case IMAGE_VDI:
		return vdi_read(f, facts, e);
	case IMAGE_VHDX:
		return vhdx_read(f, facts, e);
	}
	return image_bad(e, "its format is not known");
}

const struct image_reader image_reader_bare = { facts_read, image_raw_check, vmdk_extent_check };

void facts_clear(struct image_facts *facts)
{
	size_t i;

	for (i = 0; i < facts->n_extents; i++)
		free(facts->extents[i].name);
	free(facts->extents);
	free(facts->backing_name);
	free(facts->data_name);
	memset(facts, 0, sizeof(*facts));
}

static int unsupported(struct err *e, const char *text)
{
	return err_set_word(e, ENOTSUP, "unsupported-feature", "%s", text);
}

int facts_judge(const struct image_facts *facts, struct err *e)
{
	if (facts->unsupported[0])
		return err_set_word(e, ENOTSUP, "unsupported-feature",
				    "it needs features that this version doesn't know: %s",
				    facts->unsupported);
	if (facts->is_encrypted)
		return unsupported(e, "the image itself is encrypted");
	if (facts->is_differencing)
		return unsupported(e, "it is the difference to a parent image, which QEMU can't follow "
				      "in this format");
	if (facts->is_extent)
		return image_bad(e, "it is an extent that no descriptor names");
	if (facts->has_data_file && !facts->data_name)
		return image_bad(e, "it has its data in another file and doesn't say in which");
	if (facts->has_data_file && facts->backing_name && facts->data_is_raw)
		return image_bad(e, "it has a raw data file and a backing file, which exclude each other");
	return 0;
}
