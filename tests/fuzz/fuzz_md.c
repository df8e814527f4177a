/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link: -Wl,--wrap=reader_ask */
/* Any disk as a member of an md array, with its checksums made right; and any bytes as what the reader says of five
 * members: those that are taken have places of their own, and none starts that must not. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "looks.h"
#include "mdjudge.h"
#include "memdisk.h"
#include "reader.h"
#include "seals.h"

#define MEMBERS 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_reader_ask(const char *device, reader_task task, const struct reader_question *q, void *answer, size_t size,
		      struct err *e);

static const uint8_t *said;
static size_t said_size;

int __wrap_reader_ask(const char *device, reader_task task, const struct reader_question *q, void *answer, size_t size,
		      struct err *e)
{
	size_t some = said_size < size ? said_size : size;

	(void)device;
	(void)task;
	(void)q;
	(void)e;
	memset(answer, 0, size);
	memcpy(answer, said, some);
	said += some;
	said_size -= some;
	return 0;
}

static void read_disk(const uint8_t *data, size_t size)
{
	static const char *const versions[] = { "0.90.0", "1.0", "1.1", "1.2" };
	struct mdsuper s;
	char path[64];
	size_t i;

	seal_disk(memdisk_fill(data, size, path));
	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		struct err e = { 0 };
		int rc = mdsuper_read(path, MEMDISK_BYTES, versions[i], &s, &e);

		if (rc > 0 || (rc < 0 && rc != -e.code))
			abort();
		if (rc == 0 && (strlen(s.uuid) != 36 || s.role < MD_ROLE_JOURNAL))
			abort();
	}
}

static void check_started(const struct md_members *a)
{
	const struct mdsuper *s = &a->super;

	if (s->is_reshaping || s->has_journal || a->n == 0)
		abort();
	if (a->n != s->raid_disks && (s->level <= 0 || (s->level >= 4 && s->level <= 6 && s->is_dirty)))
		abort();
}

static void judge(size_t n)
{
	static struct node array, member[MEMBERS];
	static struct mdsuper super[MEMBERS];
	const struct node *same[MEMBERS];
	struct md_members a = { .n = 0 };
	char name[64];
	struct err e;
	size_t i, k;

	memset(&array, 0, sizeof(array));
	for (i = 0; i < n; i++) {
		if (look_md("", MEMDISK_BYTES, "1.2", &super[i], &e) < 0)
			return;
		member[i].state = &super[i];
		same[i] = &member[i];
	}
	md_collect(&a, same, n);
	md_name(&a.super, name, sizeof(name));
	md_level_name(&a.super, name, sizeof(name));
	md_judge(&array, &a, same, n, true);
	for (i = 0; i < a.n; i++) {
		if ((unsigned)md_super(a.member[i])->role >= a.super.raid_disks)
			abort();
		for (k = 0; k < i; k++)
			if (md_super(a.member[i])->role == md_super(a.member[k])->role)
				abort();
	}
	if (array.verdict == VERDICT_NONE)
		check_started(&a);
	else if (!array.code[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_disk(data, size);
	said = data;
	said_size = size;
	judge(MEMBERS);
	return 0;
}
