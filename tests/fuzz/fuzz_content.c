/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any disk: what it is taken for. A file stands for the device, its sectors are of 512 bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "memdisk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing that a terminal would obey. */
static void check_text(const char *text, size_t size)
{
	if (!memchr(text, 0, size))
		abort();
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct node n;
	const struct content *c = &n.content;
	char path[64];
	struct err e = { 0 };

	memset(&n, 0, sizeof(n));
	memdisk_fill(data, size, path);
	snprintf(n.device, sizeof(n.device), "%s", path);
	n.bytes = MEMDISK_BYTES;
	if (content_read(&n, &e) < 0)
		return 0;
	check_text(c->type, sizeof(c->type));
	check_text(c->label, sizeof(c->label));
	check_text(c->uuid, sizeof(c->uuid));
	check_text(c->table, sizeof(c->table));
	/* a superblock and a table at once are ambivalent, and nothing but zeros is neither */
	if (c->type[0] && c->table[0] && !c->ambivalent)
		abort();
	if (c->all_zero && (c->type[0] || c->table[0] || c->ambivalent))
		abort();
	return 0;
}
