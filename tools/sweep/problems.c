/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "problems.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"

#define LINES_MAX 200000
#define UNCONNECTED_DIR 0x030003
#define LOOPED_DIR 0x03001d
#define UNATTACHED_INODE 0x040002
#define CLEAR_V2_JOURNAL 0x00002a /* done without being asked for, and so never noted as fixed */

/* What a correction takes away. The codes are those of e2fsck/problem.h whose answer is clear, clear inode,
 * delete, truncate, salvage or unlink, but for what holds no data of a guest's. */
static const struct {
	const char *one, *many;
	unsigned codes[48];
} losses[] = {
	{ "the root directory was made anew", "the root directory was made anew", { 0x010001, 0x030001 } },
	{ "changes in the journal were given up", "changes in the journal were given up",
	  { 0x00000f, 0x000017, 0x000019, 0x00003a, 0x060001 } },
	{ "a file or directory was cleared", "files or directories were cleared",
	  { 0x010006, 0x010011, 0x010056, 0x010057, 0x010067, 0x01007a, 0x010081, 0x01008b, 0x010070, 0x01005a,
	    0x01005d, 0x010076, 0x013007, 0x020012, 0x020018, 0x020019, 0x020023, 0x020025, 0x020026, 0x020031,
	    0x030017, 0x030018, 0x03001b } },
	{ "a piece of a file was cleared", "pieces of files were cleared",
	  { 0x01000e, 0x01000f, 0x010010, 0x010058, 0x010059, 0x01005e, 0x01005f, 0x010066, 0x01006e, 0x01007d,
	    0x010087 } },
	{ "a file was cut off", "files were cut off",
	  { 0x010043, 0x010044, 0x010045, 0x010046, 0x010075, 0x02004f } },
	{ "a block was claimed by several files, of which one at most has its right content",
	  "blocks were claimed by several files, of which one at most has its right content",
	  { 0x011002, 0x011008, 0x013006 } },
	{ "a directory was damaged and lost entries", "directories were damaged and lost entries",
	  { 0x020013, 0x020014, 0x020015, 0x020020 } },
	{ "a name was removed or changed", "names were removed or changed",
	  { 0x020002, 0x020003, 0x020004, 0x020005, 0x020006, 0x020007, 0x020008, 0x020030, 0x020041, 0x020042,
	    0x020050, 0x020051, 0x020052, 0x020053, 0x020054, 0x020055 } },
	{ "an extended attribute was cleared", "extended attributes were cleared",
	  { 0x010039, 0x01003a, 0x01003e, 0x010040, 0x010041, 0x010042, 0x010050, 0x010051, 0x010052, 0x010053,
	    0x010054, 0x010069, 0x010083, 0x010085, 0x020032 } },
};

/* e2fsck's pass, the upper half of a code. */
static const char *const parts[] = { "the superblock or journal", "inodes", "directories", "the tree of folders",
				     "link counts", "the counts and maps of free space", "the journal or quotas" };

static struct problem_count *kind_of(struct problems *p, unsigned code)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->kinds[i].code == code)
			return &p->kinds[i];
	if (p->n == PROBLEMS_MAX)
		return NULL;
	p->kinds[p->n] = (struct problem_count){ .code = code };
	return &p->kinds[p->n++];
}

static void add(struct problems *p, unsigned code, unsigned count, unsigned fixed)
{
	struct problem_count *k = kind_of(p, code);

	if (!k)
		return;
	k->count += count;
	k->fixed += fixed;
}

static void take_connected(struct problems *p, unsigned code, const char *line)
{
	const char *ino = strstr(line, " ino=\"");
	unsigned number;

	if ((code != UNCONNECTED_DIR && code != LOOPED_DIR && code != UNATTACHED_INODE) || !ino ||
	    !strstr(line, " fixed=\"1\"") || sscanf(ino, " ino=\"%9u\"", &number) != 1)
		return;
	if (p->n_lost_found < LOST_FOUND_MAX)
		p->lost_found[p->n_lost_found] = number;
	p->n_lost_found++;
}

void problems_read(struct problems *p, const char *path)
{
	cleanup_file FILE *f = fopen(path, "re");
	struct problems lines = { .n = 0 };
	unsigned code, count, fixed, left = LINES_MAX;
	bool has_totals = false;
	char line[512];
	size_t i;

	while (f && left-- && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "<total code=\"0x%6x\" count=\"%9u\" fixed=\"%9u\"/>", &code, &count, &fixed) == 3) {
			add(p, code, count, fixed);
			has_totals = true;
		} else if (sscanf(line, "<problem code=\"0x%6x\"", &code) == 1) {
			add(&lines, code, 1, strstr(line, " fixed=\"1\"") != NULL);
			take_connected(p, code, line);
		}
	}
	/* a run that gave up has not summed up */
	for (i = 0; i < lines.n && !has_totals; i++)
		add(p, lines.kinds[i].code, lines.kinds[i].count, lines.kinds[i].fixed);
}

static unsigned fixed_of(const struct problems *p, const unsigned *codes)
{
	unsigned fixed = 0;
	size_t i;

	for (; *codes; codes++)
		for (i = 0; i < p->n; i++)
			if (p->kinds[i].code == *codes)
				/* of blocks that several files claim e2fsck only tells, and asks later */
				fixed += *codes >> 12 == 0x11 ? p->kinds[i].count : p->kinds[i].fixed;
	return fixed;
}

bool problems_corrected(const struct problems *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->kinds[i].fixed || p->kinds[i].code == CLEAR_V2_JOURNAL)
			return true;
	return false;
}

bool problems_lose_data(const struct problems *p)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(losses); i++)
		if (fixed_of(p, losses[i].codes))
			return true;
	return false;
}

/* ", 3 in inodes": of all that was not just told. */
static unsigned add_parts(const struct problems *p, char *buf, size_t size)
{
	unsigned all = 0, n;
	size_t part, i, used = 0;

	buf[0] = 0;
	for (part = 0; part < ARRAY_SIZE(parts); part++) {
		for (n = 0, i = 0; i < p->n; i++)
			n += p->kinds[i].code >> 16 == part ? p->kinds[i].fixed : 0;
		if (n && used < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%u in %s", used ? ", " : "", n,
						 parts[part]);
		all += n;
	}
	return all;
}

static void add_losses(const struct problems *p, char *buf, size_t size)
{
	size_t i, used = (size_t)snprintf(buf, size, "; data may be lost: ");
	const char *between = "";

	for (i = 0; i < ARRAY_SIZE(losses) && used < size; i++) {
		unsigned n = fixed_of(p, losses[i].codes);

		if (!n)
			continue;
		if (n == 1 || losses[i].one == losses[i].many)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", between, losses[i].one);
		else
			used += (size_t)snprintf(buf + used, size - used, "%s%u %s", between, n, losses[i].many);
		between = ", ";
	}
}

const char *problems_text(const struct problems *p, bool would, char *buf, size_t size)
{
	char where[256];
	unsigned all = add_parts(p, where, sizeof(where));
	size_t used;

	buf[0] = 0;
	if (!all)
		return buf;
	used = (size_t)snprintf(buf, size, "%u %s (%s)", all,
				would ? "corrections would be needed" : all == 1 ? "correction" : "corrections", where);
	if (used < size && problems_lose_data(p))
		add_losses(p, buf + used, size - used);
	else if (used < size)
		snprintf(buf + used, size - used, "; none of them takes data away");
	used = strlen(buf);
	if (p->n_lost_found)
		snprintf(buf + used, size - used, "; %u %s %s to lost+found", p->n_lost_found,
			 p->n_lost_found == 1 ? "file" : "files", would ? "would go" : "went");
	return buf;
}
