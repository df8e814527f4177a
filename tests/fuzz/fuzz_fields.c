/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link: -Wl,--wrap=look_fields */
/* Any numbers as what the reader says that stands in superblocks, of four devices of a guest's: each filesystem gets a
 * verdict or is left to its checker, and a device belongs to one of them. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fstools.h"
#include "looks.h"
#include "registry.h"

#define DEVICES 4
#define BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_look_fields(const char *device, const struct field *f, size_t n, bool past_cache, uint64_t *value,
		       struct err *e);

static const uint8_t *said;
static size_t said_size;

/* Two bytes a number: the second is where the first stands in it. */
int __wrap_look_fields(const char *device, const struct field *f, size_t n, bool past_cache, uint64_t *value,
		       struct err *e)
{
	size_t i;

	(void)device;
	(void)f;
	(void)past_cache;
	for (i = 0; i < n; i++, said += 2, said_size -= 2) {
		if (said_size < 2)
			return err_set_word(e, EIO, "io-error", "it says no more");
		value[i] = (uint64_t)said[0] << said[1] % 64;
	}
	return 0;
}

static void check_refusal(const struct fs_tool *t, const struct node *n)
{
	struct err e = { 0 };
	int rc = t->refuse(n, &e);

	if (rc > 0 || (rc < 0 && (rc != -e.code || !e.word[0])))
		abort();
}

static void check_members(struct node *const *fs, const struct node *device)
{
	size_t owners[DEVICES] = { 0 }, i, k;

	for (i = 0; i < DEVICES; i++) {
		if (fs[i]->hidden)
			continue;
		if (fs[i]->verdict != VERDICT_NONE && !fs[i]->code[0])
			abort();
		for (k = 0; k < fs[i]->n_parents; k++)
			owners[fs[i]->parents[k] - device]++;
	}
	for (i = 0; i < DEVICES; i++)
		if (owners[i] != 1)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct node device[DEVICES], fs[DEVICES];
	struct node *list[DEVICES];
	struct walk w = { 0 };
	struct err e = { 0 };
	size_t i;

	memset(device, 0, sizeof(device));
	memset(fs, 0, sizeof(fs));
	for (i = 0; i < DEVICES; i++) {
		list[i] = &fs[i];
		fs[i].parents[0] = &device[i];
		fs[i].n_parents = 1;
		fs[i].bytes = device[i].bytes = BYTES;
		snprintf(fs[i].uuid, sizeof(fs[i].uuid), "%s", i < DEVICES - 1 ? "a" : "b");
	}
	said = data;
	said_size = size;
	if (btrfs_ops.gather(&w, list, DEVICES, true, &e) < 0)
		abort();
	check_members(list, device);
	check_refusal(&xfs_tool, &fs[0]);
	check_refusal(&f2fs_tool, &fs[0]);
	exfat_tool.is_pending("");
	return 0;
}
