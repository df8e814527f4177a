/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a file begins like. It never decides how an image is opened, only that it isn't. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "facts.h"

struct magic {
	const char *name;
	size_t offset; /* bytes into the file */
	const char *bytes;
	size_t n;
};

static const struct magic contents[] = {
	{ "qcow2", 0, "QFI\xfb", 4 },
	{ "vmdk", 0, "KDMV", 4 }, /* a sparse extent */
	{ "vmdk", 0, "COWD", 4 }, /* the same of ESX */
	{ "vmdk", 0, "# Disk DescriptorFile", 21 },
	{ "vdi", 64, "\x7f\x10\xda\xbe", 4 },
	{ "vhdx", 0, "vhdxfile", 8 },
	{ "vpc", 0, "conectix", 8 },
	{ "qed", 0, "QED", 4 },
};

static const struct magic archives[] = {
	{ "a cpio archive", 0, "070701", 6 },
	{ "a cpio archive", 0, "070702", 6 },
	{ "compressed with gzip", 0, "\x1f\x8b\x08", 3 },
	{ "compressed with xz", 0, "\xfd" "7zXZ", 6 },
	{ "compressed with zstd", 0, "\x28\xb5\x2f\xfd", 4 },
	{ "compressed with lz4", 0, "\x04\x22\x4d\x18", 4 },
	{ "compressed with lz4", 0, "\x02\x21\x4c\x18", 4 },
	{ "compressed with bzip2", 0, "BZh", 3 },
	{ "compressed with lzma", 0, "\x5d\0\0", 3 },
};

static const char too_small[] = "smaller than 1 MiB";

static const char *find(const struct magic *m, size_t count, const unsigned char *head, size_t n)
{
	for (; count; m++, count--)
		if (m->offset + m->n <= n && memcmp(head + m->offset, m->bytes, m->n) == 0)
			return m->name;
	return NULL;
}

const char *image_content(const unsigned char *head, size_t n)
{
	return find(contents, ARRAY_SIZE(contents), head, n);
}

const char *image_no_disk(const unsigned char *head, size_t n, uint64_t bytes)
{
	if (bytes < IMAGES_SMALLEST_DISK)
		return too_small;
	if (n >= 512 && head[510] == 0x55 && head[511] == 0xaa)
		return NULL; /* a boot sector, whatever its first bytes are */
	return find(archives, ARRAY_SIZE(archives), head, n);
}

const char *image_no_disk_said(const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(archives); i++)
		if (strcmp(text, archives[i].name) == 0)
			return archives[i].name;
	return strcmp(text, too_small) == 0 ? too_small : NULL;
}

static const char *const names[] = { "raw", "qcow2", "vmdk", "vdi", "vhdx" };

const char *image_format_name(enum image_format format)
{
	return names[format];
}

int image_format_parse(const char *text, enum image_format *format)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*format = (enum image_format)i;
			return 0;
		}
	return -EINVAL;
}

enum image_format image_format_of_path(const char *path)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	size_t i;

	for (i = IMAGE_QCOW2; dot && i < ARRAY_SIZE(names); i++)
		if (strcasecmp(dot + 1, names[i]) == 0)
			return (enum image_format)i;
	return IMAGE_RAW;
}

bool image_may_be_disk(const char *name, uint64_t bytes)
{
	return bytes >= IMAGES_SMALLEST_DISK || image_format_of_path(name) != IMAGE_RAW;
}
