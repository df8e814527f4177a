/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "savefile.h"

#include <byteswap.h>
#include <expat.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define MAGIC "LibvirtQemudSave"
#define MAGIC_PARTIAL "LibvirtQemudPart" /* until all of the memory is written */
#define MAGIC_BYTES 16
#define VERSION_MAX 16       /* what is larger was written in the other byte order */
#define HEADER_BYTES 92
#define MAX_SOURCES 128
#define MAX_SOURCE_BYTES 1024 /* of one name */
#define MAX_ALL_BYTES 8192    /* of all: a message of a worker holds them */

struct header {
	uint32_t version, data_len;
};

/* Where the parser is, and what it has found. */
struct reader {
	XML_Parser parser;
	json_object *sources;
	char path[256]; /* "/domain/devices/disk/source" */
	unsigned deeper; /* elements inside one whose path found no room */
	char domain[128];
	size_t bytes;
	bool is_medium; /* a CD or floppy: never written to, whatever lies on it */
	bool has_source;
	const char *problem;
};

bool savefile_is_one(const void *head, size_t n)
{
	return n >= MAGIC_BYTES && (memcmp(head, MAGIC, MAGIC_BYTES) == 0 ||
				    memcmp(head, MAGIC_PARTIAL, MAGIC_BYTES) == 0);
}

static const char *attribute(const char **attributes, const char *name)
{
	for (; *attributes; attributes += 2)
		if (strcmp(attributes[0], name) == 0)
			return attributes[1];
	return NULL;
}

static void add_source(struct reader *r, const char *pool, const char *name)
{
	char whole[2 * MAX_SOURCE_BYTES];

	snprintf(whole, sizeof(whole), "%s%s%s", pool ? pool : "", pool ? "/" : "", name);
	r->bytes += strlen(whole);
	if (strlen(name) >= MAX_SOURCE_BYTES || r->bytes > MAX_ALL_BYTES ||
	    json_object_array_length(r->sources) >= MAX_SOURCES)
		r->problem = "it names more disks than can be kept";
	else
		json_object_array_add(r->sources, json_object_new_string(whole));
}

/* Kinds of disks that are none of this host's volumes and files. */
static bool is_elsewhere(const char **attributes)
{
	return attribute(attributes, "protocol") != NULL;
}

static void take_source(struct reader *r, const char **attributes, bool own)
{
	const char *file = attribute(attributes, "file"), *dev = attribute(attributes, "dev");
	const char *pool = attribute(attributes, "pool"), *volume = attribute(attributes, "volume");

	if (file || dev)
		add_source(r, NULL, file ? file : dev);
	else if (pool && volume)
		add_source(r, pool, volume);
	else if (own && !is_elsewhere(attributes))
		r->problem = "it has a disk of a kind that is not known here";
	r->has_source |= own;
}

static bool is_at(const struct reader *r, const char *path)
{
	return strcmp(r->path, path) == 0;
}

static void begin_element(void *user, const char *name, const char **attributes)
{
	static const char disk[] = "/domain/devices/disk";
	struct reader *r = user;
	size_t used = strlen(r->path), more = strlen(name) + 1;

	if (r->deeper || used + more >= sizeof(r->path)) {
		r->deeper++;
		return;
	}
	snprintf(r->path + used, sizeof(r->path) - used, "/%s", name);
	if (is_at(r, disk)) {
		const char *device = attribute(attributes, "device");

		r->is_medium = device && (strcmp(device, "cdrom") == 0 || strcmp(device, "floppy") == 0);
		r->has_source = false;
	} else if (strncmp(r->path, disk, strlen(disk)) == 0 && strcmp(name, "source") == 0 && !r->is_medium) {
		/* backing files and mirrors of a disk have one, too */
		take_source(r, attributes, is_at(r, "/domain/devices/disk/source"));
	}
}

static void end_element(void *user, const char *name)
{
	struct reader *r = user;

	(void)name;
	if (r->deeper) {
		r->deeper--;
		return;
	}
	if (is_at(r, "/domain/devices/disk") && !r->is_medium && !r->has_source)
		r->problem = "it has a disk without a source";
	*strrchr(r->path, '/') = 0;
}

static void take_text(void *user, const char *text, int n)
{
	struct reader *r = user;
	size_t used = strlen(r->domain);

	if (!r->deeper && is_at(r, "/domain/name"))
		snprintf(r->domain + used, sizeof(r->domain) - used, "%.*s", n, text);
}

/* libvirt writes none, and entities are a way to make much out of little. */
static void refuse_doctype(void *user, const char *name, const char *system, const char *public, int subset)
{
	struct reader *r = user;

	(void)name;
	(void)system;
	(void)public;
	(void)subset;
	XML_StopParser(r->parser, XML_FALSE);
}

static void parse(struct reader *r, const char *xml, size_t n)
{
	r->parser = XML_ParserCreate(NULL);
	if (!r->parser) {
		r->problem = "there is no memory to read it";
		return;
	}
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, begin_element, end_element);
	XML_SetCharacterDataHandler(r->parser, take_text);
	XML_SetStartDoctypeDeclHandler(r->parser, refuse_doctype);
	if (XML_Parse(r->parser, xml, (int)n, 1) != XML_STATUS_OK)
		r->problem = "its XML can't be read";
	else if (!r->domain[0])
		r->problem = "its XML is not that of a libvirt domain";
	XML_ParserFree(r->parser);
}

/* The XML ends with a NUL, behind which libvirt keeps more of its own. */
static void read_xml(struct reader *r, const char *head, size_t n)
{
	struct header h;
	size_t length;

	if (!savefile_is_one(head, n) || n < HEADER_BYTES) {
		r->problem = "it does not begin like a save of libvirt";
		return;
	}
	memcpy(&h, head + MAGIC_BYTES, sizeof(h));
	if (h.version > VERSION_MAX)
		h.data_len = bswap_32(h.data_len);
	length = strnlen(head + HEADER_BYTES, n - HEADER_BYTES);
	if (h.data_len == 0 || length > h.data_len || HEADER_BYTES + length == n)
		r->problem = "its XML has no end";
	else
		parse(r, head + HEADER_BYTES, length);
}

static void add_text(json_object *o, const char *key, const char *text)
{
	char escaped[1200];

	json_object_object_add(o, key, json_object_new_string(escape_text(escaped, sizeof(escaped), text)));
}

static json_object *new_save(const char *where, const char *name, struct reader *r)
{
	json_object *o = json_object_new_object();

	if (!o || !r->sources) {
		json_object_put(o);
		json_object_put(r->sources);
		return NULL;
	}
	add_text(o, "where", where);
	add_text(o, "name", name);
	add_text(o, "domain", r->domain);
	add_text(o, "problem", r->problem ? r->problem : "");
	json_object_object_add(o, "sources", r->sources);
	return o;
}

json_object *savefile_read(const void *head, size_t n, const char *where, const char *name)
{
	struct reader r = { .sources = json_object_new_array() };

	if (r.sources)
		read_xml(&r, head, n);
	return new_save(where, name, &r);
}

json_object *savefile_unread(const char *where, const char *name, const char *problem)
{
	struct reader r = { .sources = json_object_new_array(), .problem = problem };

	return new_save(where, name, &r);
}
