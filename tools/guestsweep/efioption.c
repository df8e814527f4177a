/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "efioption.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ACTIVE 1
#define TEXT_MAX 1024
#define HARD_DRIVE_SIZE 42
#define FORMAT_GPT 2
#define SIGNATURE_GUID 2

struct out {
	uint8_t *at;
	size_t used;
};

static void number(struct out *o, uint64_t value, unsigned bytes)
{
	while (bytes--) {
		o->at[o->used++] = (uint8_t)value;
		value >>= 8;
	}
}

static void text(struct out *o, const char *s, bool with_end)
{
	for (; *s; s++)
		number(o, (uint8_t)*s, 2);
	if (with_end)
		number(o, 0, 2);
}

static void node(struct out *o, unsigned type, unsigned subtype, size_t size)
{
	number(o, type, 1);
	number(o, subtype, 1);
	number(o, size, 2);
}

/* A GUID's first three parts are stored with their least significant byte first. */
static bool guid(struct out *o, const char *s)
{
	unsigned a, b, c, d[8];
	size_t i;

	if (strlen(s) != 36 ||
	    sscanf(s, "%8x-%4x-%4x-%2x%2x-%2x%2x%2x%2x%2x%2x", &a, &b, &c, &d[0], &d[1], &d[2], &d[3],
		   &d[4], &d[5], &d[6], &d[7]) != 11)
		return false;
	number(o, a, 4);
	number(o, b, 2);
	number(o, c, 2);
	for (i = 0; i < 8; i++)
		number(o, d[i], 1);
	return true;
}

int efioption_make(const char *description, const struct efi_place *at, const char *arguments,
		   uint8_t *buf, size_t *size, struct err *e)
{
	size_t file = 4 + 2 * (strlen(at->file) + 1);
	struct out o = { .at = buf };

	if (strlen(arguments) > TEXT_MAX || strlen(description) > TEXT_MAX / 8)
		return err_set(e, EINVAL, "the command line is too long for a boot option");
	number(&o, ACTIVE, 4);
	number(&o, HARD_DRIVE_SIZE + file + 4, 2);
	text(&o, description, true);
	node(&o, 4, 1, HARD_DRIVE_SIZE);
	number(&o, at->partition, 4);
	number(&o, at->start, 8);
	number(&o, at->size, 8);
	if (!guid(&o, at->guid))
		return err_set(e, EINVAL, "the EFI system partition has no GUID");
	number(&o, FORMAT_GPT, 1);
	number(&o, SIGNATURE_GUID, 1);
	node(&o, 4, 4, file);
	text(&o, at->file, true);
	node(&o, 0x7f, 0xff, 4);
	text(&o, arguments, true);
	*size = o.used;
	return 0;
}

bool efioption_is(const uint8_t *option, size_t size, const char *description)
{
	size_t at = 6, i;

	for (i = 0; i <= strlen(description); i++, at += 2)
		if (at + 2 > size || option[at] != (uint8_t)description[i] || option[at + 1])
			return false;
	return true;
}
