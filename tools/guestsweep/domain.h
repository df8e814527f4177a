/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's definition, from libvirt's domain XML (https://libvirt.org/formatdomain.html), read with expat. */
#ifndef GS_DOMAIN_H
#define GS_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"
#include "err.h"

struct domain_disk {
	char type[16];     /* "file", "block", "network", "volume", ... */
	char device[16];   /* "disk", "cdrom", "floppy", "lun" */
	char source[512];  /* file, device, or a name for people where it is neither; "": empty */
	char format[16];   /* of the driver: "raw", "qcow2", ...; "" */
	char target[32];   /* "vda" */
	bool read_only;
};

struct domain {
	char name[256];
	struct domain_disk *disk;
	size_t n;
};

/* Reads size bytes of XML. What libvirt adds of a running guest (backing chains, mirrors) counts nothing. Returns 0; -EINVAL: no
 * such XML; -ENOMEM. Release with domain_free(). */
int domain_parse(struct domain *d, const char *xml, size_t size, struct err *e) must_check nonnull_all;
void domain_free(struct domain *d) nonnull_all;

#endif
