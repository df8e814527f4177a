/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "layer.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *kind_name(enum kind k)
{
	static const char *const names[] = {
		[KIND_DISK] = "disk", [KIND_MD] = "md", [KIND_PV] = "pv", [KIND_VG] = "vg",
		[KIND_LV] = "lv", [KIND_LUKS] = "luks", [KIND_TABLE] = "table",
		[KIND_PARTITION] = "partition", [KIND_HOSTFS] = "hostfs", [KIND_IMAGE] = "image",
		[KIND_FILESYSTEM] = "filesystem", [KIND_SWAP] = "swap",
		[KIND_UNKNOWN] = "unknown",
	};

	return names[k];
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = {
		[VERDICT_NONE] = "", [VERDICT_OK] = "ok", [VERDICT_CLEAN] = "clean",
		[VERDICT_REPAIRED] = "repaired", [VERDICT_UNCORRECTED] = "uncorrected",
		[VERDICT_SKIPPED] = "skipped", [VERDICT_ERROR] = "error",
	};

	return names[v];
}

void node_fail(struct node *n, const struct err *e, const char *word)
{
	node_verdict(n, VERDICT_ERROR, e->word[0] ? e->word : word, "%s", e->text);
}

void node_verdict(struct node *n, enum verdict v, const char *code, const char *fmt, ...)
{
	va_list ap;

	n->verdict = v;
	snprintf(n->code, sizeof(n->code), "%s", code);
	va_start(ap, fmt);
	vsnprintf(n->reason, sizeof(n->reason), fmt, ap);
	va_end(ap);
}

void node_forbid(struct node *n, const char *code, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	if (n->forbids.code)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set_word(&n->forbids, EBUSY, code, "%s", text);
}

void node_note(struct node *n, const char *code, const char *fmt, ...)
{
	char more[sizeof(n->reason)];
	size_t used = strlen(n->reason);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(more, sizeof(more), fmt, ap);
	va_end(ap);
	snprintf(n->reason + used, sizeof(n->reason) - used, "%s%s", used ? "; " : "", more);
	if (!n->code[0])
		snprintf(n->code, sizeof(n->code), "%s", code);
}

void node_path(const struct node *n, char path[NODE_PATH_SIZE])
{
	const struct node *disk;
	size_t length;

	if (n->kind == KIND_LV || n->kind == KIND_IMAGE) {
		snprintf(path, NODE_PATH_SIZE, "%s", n->name);
	} else if (n->kind == KIND_PARTITION && n->n_parents) {
		disk = n->parents[0]->parents[0];
		length = strlen(disk->name);
		snprintf(path, NODE_PATH_SIZE, "/dev/%s%s%s", disk->name,
			 length && isdigit((unsigned char)disk->name[length - 1]) ? "p" : "",
			 n->name + strcspn(n->name, ":") + 1);
	} else {
		snprintf(path, NODE_PATH_SIZE, "/dev/%s", n->name);
	}
}

void node_volume_path(const struct node *n, char path[NODE_PATH_SIZE])
{
	const struct node *device = n->parents[0];

	while (!device->volume)
		device = device->parents[0];
	node_path(device, path);
}

uint64_t node_room(const struct node *n)
{
	uint64_t least = n->ops && n->ops->room ? n->ops->room(n) : UINT64_MAX;
	size_t i;

	for (i = 0; i < n->n_parents; i++) {
		uint64_t room = node_room(n->parents[i]);

		if (room < least)
			least = room;
	}
	return least;
}

void stack_push(char *dst, size_t size, const char *word)
{
	size_t used = strlen(dst);

	snprintf(dst + used, size - used, "%s%s", used ? " > " : "", word);
}
