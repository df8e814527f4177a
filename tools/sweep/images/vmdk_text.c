/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vmdk's descriptor. Format: VMware, "Virtual Disk Format 5.0", section "The Descriptor File".
 * QEMU searches it for the first "CID", "parentCID", "createType" and "parentFileNameHint",
 * wherever they stand, and reads extent lines with sscanf(3), which runs on into the next line: an
 * empty line before one counts it twice. A descriptor that it could read in another way than we do
 * is refused.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "facts.h"

#define SECTOR 512
#define MAX_SECTORS (1ULL << 53)
#define MAX_EXTENT_NAME 511 /* QEMU cuts longer ones */
#define MAX_PARENT_NAME 1023
#define BLANKS " \t\v\f\r"

/* The value of key, from the first place in text where it stands: that must be the start of a
 * line, "=" must follow. NULL: nowhere. An error leaves *value untouched. */
static int find_value(const char *text, const char *key, const char **value, struct err *e)
{
	const char *p = strstr(text, key);

	if (p && ((p > text && p[-1] != '\n') || p[strlen(key)] != '='))
		return image_bad(e, "its descriptor has %s in a wrong place", key);
	*value = p ? p + strlen(key) + 1 : NULL;
	return 0;
}

/* The length of what stands in double quotes at value, -1 if it doesn't end in this line. */
static int quoted(const char *value)
{
	size_t n;

	if (value[0] != '"')
		return -1;
	n = strcspn(value + 1, "\"\n");
	return value[n + 1] == '"' ? (int)n : -1;
}

static int take_cid(const char *text, const char *key, uint32_t *cid, const char **end, struct err *e)
{
	const char *value;
	char *stop;
	unsigned long n;
	int rc = find_value(text, key, &value, e);

	if (rc < 0)
		return rc;
	if (!value || strspn(value, "0123456789abcdefABCDEF") == 0)
		return image_bad(e, "its descriptor has no %s", key);
	n = strtoul(value, &stop, 16);
	if (stop - value > 8)
		return image_bad(e, "its descriptor has a %s of %d digits", key, (int)(stop - value));
	*cid = (uint32_t)n;
	*end = stop;
	return 0;
}

/* When QEMU writes a new CID it drops what stands between it and parentCID. */
static int take_cids(const char *text, struct image_facts *facts, struct err *e)
{
	const char *end, *parent_end;
	int rc = take_cid(text, "CID", &facts->cid, &end, e);

	if (rc == 0)
		rc = take_cid(text, "parentCID", &facts->parent_cid, &parent_end, e);
	if (rc < 0)
		return rc;
	end += strspn(end, "\r\n");
	if (strncmp(end, "parentCID", strlen("parentCID")) != 0)
		facts->is_read_only = true;
	return 0;
}

static int take_create_type(const char *text, bool embedded, struct image_facts *facts, struct err *e)
{
	static const char *const inside[] = { "monolithicSparse", "streamOptimized" };
	static const char *const apart[] = { "monolithicFlat", "twoGbMaxExtentFlat", "vmfs",
					     "twoGbMaxExtentSparse" };
	const char *value;
	size_t i;
	int rc = find_value(text, "createType", &value, e), n;

	if (rc < 0)
		return rc;
	n = value ? quoted(value) : -1;
	if (n < 0 || (size_t)n >= sizeof(facts->create_type) ||
	    strspn(value + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") !=
		    (size_t)n)
		return image_bad(e, "its descriptor has no createType");
	memcpy(facts->create_type, value + 1, (size_t)n);
	for (i = 0; i < ARRAY_SIZE(inside); i++)
		if (embedded && strcmp(facts->create_type, inside[i]) == 0)
			return 0;
	for (i = 0; i < ARRAY_SIZE(apart); i++)
		if (!embedded && strcmp(facts->create_type, apart[i]) == 0)
			return 0;
	return err_set_word(e, ENOTSUP, "unsupported-feature",
			    "a vmdk of type %s %s a descriptor of its own is not supported",
			    facts->create_type, embedded ? "without" : "with");
}

static int take_parent(const char *text, struct image_facts *facts, struct err *e)
{
	bool has_parent = facts->parent_cid != VMDK_NO_PARENT;
	const char *value;
	int rc = find_value(text, "parentFileNameHint", &value, e), n;

	if (rc < 0)
		return rc;
	if (!value != !has_parent)
		return image_bad(e, value ? "it names a parent, but its parentCID says it has none"
					  : "its parentCID says it has a parent, but it names none");
	if (!value)
		return 0;
	n = quoted(value);
	if (n < 1 || n > MAX_PARENT_NAME)
		return image_bad(e, "its parentFileNameHint is no name");
	facts->backing_name = strndup(value + 1, (size_t)n);
	if (!facts->backing_name)
		return err_set(e, ENOMEM, "out of memory");
	strcpy(facts->backing_format, "vmdk");
	return 0;
}

static int add_extent(enum image_extent_kind kind, const char *name, uint64_t sectors,
		      uint64_t offset, struct image_facts *facts, struct err *e)
{
	struct image_extent *grown;

	if (facts->n_extents == IMAGE_MAX_EXTENTS)
		return image_bad(e, "it has more than %d extents", IMAGE_MAX_EXTENTS);
	grown = reallocarray(facts->extents, facts->n_extents + 1, sizeof(*grown));
	if (!grown)
		return err_set(e, ENOMEM, "out of memory");
	facts->extents = grown;
	grown += facts->n_extents;
	*grown = (struct image_extent){ kind, strdup(name), sectors * SECTOR, offset * SECTOR };
	if (!grown->name)
		return err_set(e, ENOMEM, "out of memory");
	facts->n_extents++;
	facts->bytes += grown->bytes;
	return 0;
}

/* Whether line is 'RW SECTORS TYPE "NAME"', with OFFSET behind it where the type is FLAT. A number
 * has at most 15 digits, so that it still fits when it is made bytes. */
static bool parse_extent(const char *line, uint64_t *sectors, char type[11], char *name,
			 uint64_t *offset)
{
	int used = 0, more = 0;

	if (line[strcspn(line, "-+")] && strcspn(line, "-+") < strcspn(line, "\""))
		return false; /* numbers have no sign */
	if (sscanf(line, "RW %15" SCNu64 " %10s \"%511[^\"\n\r]\"%n", sectors, type, name, &used) != 3 ||
	    !used)
		return false;
	*offset = 0;
	if (strcmp(type, "FLAT") == 0 &&
	    (line[used] != ' ' || line[used + 1] < '0' || line[used + 1] > '9' ||
	     sscanf(line + used, " %15" SCNu64 "%n", offset, &more) != 1))
		return false;
	used += more;
	return line[used + (int)strspn(line + used, BLANKS)] == 0 && *sectors > 0;
}

static int take_extent(const char *line, struct image_facts *facts, struct err *e)
{
	bool sparse = strcmp(facts->create_type, "twoGbMaxExtentSparse") == 0;
	char type[11], name[MAX_EXTENT_NAME + 1];
	uint64_t sectors, offset;

	if (!parse_extent(line, &sectors, type, name, &offset))
		return image_bad(e, "its descriptor has an extent that can't be read or isn't writable");
	if (strcmp(type, "SPARSE") != 0 && strcmp(type, "FLAT") != 0 && strcmp(type, "VMFS") != 0)
		return err_set_word(e, ENOTSUP, "unsupported-feature",
				    "it has an extent of a kind that is not supported");
	if (sparse != (strcmp(type, "SPARSE") == 0))
		return image_bad(e, "it has an extent that does not go with its type %s",
				 facts->create_type);
	if (facts->bytes / SECTOR + sectors > MAX_SECTORS)
		return image_bad(e, "its extents are too large");
	return add_extent(sparse ? EXTENT_SPARSE : EXTENT_FLAT, name, sectors, offset, facts, e);
}

/* The words that begin an extent's line. One that QEMU would pass over shifts all that follow. */
static bool is_extent_line(const char *line)
{
	static const char *const access[] = { "RW", "RDONLY", "NOACCESS" };
	size_t i, n = strcspn(line, BLANKS);

	for (i = 0; i < ARRAY_SIZE(access); i++)
		if (n == strlen(access[i]) && strncmp(line, access[i], n) == 0)
			return true;
	return false;
}

static int take_lines(char *text, bool embedded, struct image_facts *facts, struct err *e)
{
	bool after_blank = false;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		const char *start = line + strspn(line, BLANKS);
		int rc = 0;

		if (strncasecmp(start, "encryption", strlen("encryption")) == 0)
			facts->is_encrypted = true;
		if (strncmp(start, "changeTrackPath", strlen("changeTrackPath")) == 0)
			facts->is_read_only = true; /* what QEMU writes would not be tracked */
		if (!embedded && is_extent_line(start)) {
			if (start != line || after_blank)
				return image_bad(e, "its descriptor has an extent that QEMU would "
						    "count twice");
			rc = take_extent(line, facts, e);
		}
		if (rc < 0)
			return rc;
		after_blank = !*start;
	}
	return 0;
}

int vmdk_text(char *text, bool embedded, struct image_facts *facts, struct err *e)
{
	int rc = take_create_type(text, embedded, facts, e);

	if (rc == 0)
		rc = take_cids(text, facts, e);
	if (rc == 0)
		rc = take_parent(text, facts, e);
	if (rc == 0)
		rc = take_lines(text, embedded, facts, e);
	if (rc == 0 && !embedded && !facts->n_extents)
		return image_bad(e, "its descriptor names no extents");
	return rc;
}
