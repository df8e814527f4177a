/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any disk as an ext filesystem: the superblock, and the search for its backups. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "extsuper.h"
#include "memdisk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
	if (!memchr(text, 0, size))
		abort();
}

static void check(const struct extsuper *s)
{
	check_text(s->unsupported, sizeof(s->unsupported));
	check_text(s->journal_uuid, sizeof(s->journal_uuid));
	if (strcmp(s->type, "ext2") != 0 && strcmp(s->type, "ext3") != 0 && strcmp(s->type, "ext4") != 0)
		abort();
	if (s->block_size && (s->block_size < 1024 || s->block_size > 65536 || s->bytes < s->block_size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct extsuper_backup b;
	struct extsuper s;
	struct err e = { 0 };
	uint64_t bytes;
	char path[64];

	memdisk_fill(data, size, path);
	if (extsuper_read(path, &s, &e) < 0)
		abort();
	check(&s);
	/* also as if the device were longer than what can be read of it */
	for (bytes = MEMDISK_BYTES; bytes; bytes = bytes == MEMDISK_BYTES ? UINT64_MAX : 0) {
		if (!extsuper_find_backup(path, bytes, &b, &s))
			continue;
		if (s.bytes > bytes || b.block * b.block_size >= bytes || strlen(b.uuid) != 36)
			abort();
		check(&s);
	}
	return 0;
}
