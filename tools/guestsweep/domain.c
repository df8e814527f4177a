/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "attrs.h"

#define DISKS_MAX 256

/* The open elements: only <domain><name> and <domain><devices><disk><X> are looked at. */
struct reader {
	XML_Parser parser;
	struct domain *d;
	unsigned depth;
	bool in_domain, in_name, in_devices, in_disk;
	bool no_memory;
};

static const char *attribute(const char **list, const char *name)
{
	for (; list[0]; list += 2)
		if (strcmp(list[0], name) == 0)
			return list[1];
	return NULL;
}

static void copy(char *to, size_t size, const char *from)
{
	if (from)
		snprintf(to, size, "%s", from);
}

static void begin_disk(struct reader *r, const char **list)
{
	struct domain_disk *grown;

	if (r->d->n == DISKS_MAX)
		return;
	grown = realloc(r->d->disk, (r->d->n + 1) * sizeof(*grown));
	if (!grown) {
		r->no_memory = true;
		XML_StopParser(r->parser, XML_FALSE);
		return;
	}
	r->d->disk = grown;
	grown += r->d->n++;
	memset(grown, 0, sizeof(*grown));
	copy(grown->type, sizeof(grown->type), attribute(list, "type"));
	copy(grown->device, sizeof(grown->device), attribute(list, "device"));
	if (!grown->device[0])
		copy(grown->device, sizeof(grown->device), "disk");
	r->in_disk = true;
}

static void take_source(struct domain_disk *disk, const char **list)
{
	static const char *const names[] = { "file", "dev", "name", "volume", "dir" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names) && !disk->source[0]; i++)
		copy(disk->source, sizeof(disk->source), attribute(list, names[i]));
}

static void in_disk(struct reader *r, const char *element, const char **list)
{
	struct domain_disk *disk = &r->d->disk[r->d->n - 1];

	if (strcmp(element, "source") == 0)
		take_source(disk, list);
	else if (strcmp(element, "driver") == 0)
		copy(disk->format, sizeof(disk->format), attribute(list, "type"));
	else if (strcmp(element, "target") == 0)
		copy(disk->target, sizeof(disk->target), attribute(list, "dev"));
	else if (strcmp(element, "readonly") == 0)
		disk->read_only = true;
}

static void begin(void *arg, const char *element, const char **list)
{
	struct reader *r = arg;

	r->depth++;
	if (r->depth == 1)
		r->in_domain = strcmp(element, "domain") == 0;
	else if (r->depth == 2 && r->in_domain) {
		r->in_name = strcmp(element, "name") == 0;
		r->in_devices = strcmp(element, "devices") == 0;
	} else if (r->depth == 3 && r->in_devices && strcmp(element, "disk") == 0)
		begin_disk(r, list);
	else if (r->depth == 4 && r->in_disk)
		in_disk(r, element, list);
}

static void end(void *arg, const char *element)
{
	struct reader *r = arg;

	(void)element;
	if (r->depth == 2)
		r->in_name = r->in_devices = false;
	else if (r->depth == 3)
		r->in_disk = false;
	r->depth--;
}

static void text(void *arg, const char *s, int size)
{
	struct reader *r = arg;
	size_t used = strlen(r->d->name);

	if (r->in_name && r->depth == 2 && used + (size_t)size < sizeof(r->d->name)) {
		memcpy(r->d->name + used, s, (size_t)size);
		r->d->name[used + (size_t)size] = 0;
	}
}

/* libvirt writes no document type; entities are what a hostile file would bring. */
static void doctype(void *arg, const char *name, const char *sysid, const char *pubid, int internal)
{
	struct reader *r = arg;

	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	XML_StopParser(r->parser, XML_FALSE);
}

int domain_parse(struct domain *d, const char *xml, size_t size, struct err *e)
{
	struct reader r = { .d = d, .parser = XML_ParserCreate(NULL) };
	enum XML_Status status;

	memset(d, 0, sizeof(*d));
	if (!r.parser)
		return err_set(e, ENOMEM, "no memory for a guest's definition");
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, begin, end);
	XML_SetCharacterDataHandler(r.parser, text);
	XML_SetStartDoctypeDeclHandler(r.parser, doctype);
	status = XML_Parse(r.parser, xml, (int)size, 1);
	XML_ParserFree(r.parser);
	if (status == XML_STATUS_OK && d->name[0])
		return 0;
	domain_free(d);
	return r.no_memory ? err_set(e, ENOMEM, "no memory for a guest's definition")
			   : err_set(e, EINVAL, "libvirt's definition of a guest can't be read");
}

void domain_free(struct domain *d)
{
	free(d->disk);
	memset(d, 0, sizeof(*d));
}
