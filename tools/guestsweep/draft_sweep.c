/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <ctype.h>

#include "cleanup.h"
#include "diskplace.h"
#include "draft.h"
#include "guests.h"
#include "host.h"
#include "settings_value.h"

#define REPORT_LABEL "/dev/disk/by-label/GSREPORT"

static void write_head(struct draft *d)
{
	fputs("; Written by guestsweep init. What each key means: guestsweep(8). What is not said has its default.\n\n"
	      "[sweep]\n"
	      "mode      = preen            ; list | check | preen | repair\n"
	      "after     = reboot           ; reboot | poweroff | kexec | shell\n"
	      "deadline  = 4h               ; for the whole sweep\n", d->sweep);
	if (!host_has(REPORT_LABEL))
		draft_open_end(d, d->sweep, "no filesystem has the label GSREPORT: name the one for the reports (LABEL=, UUID=, a "
			       "volume), or give it that label (tune2fs -L GSREPORT)");
	fputs("report    = LABEL=GSREPORT:/ ; filesystem and folder for the reports\n"
	      "undo      = auto             ; off | auto | required\n", d->sweep);
}

/* A name that sweep.conf takes. */
static const char *section_name(const char *name)
{
	const char *c;

	for (c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			return NULL;
	return name;
}

static bool counts(const struct domain_disk *disk)
{
	return (strcmp(disk->device, "disk") == 0 || strcmp(disk->device, "lun") == 0) && disk->source[0] &&
	       !disk->read_only;
}

/* A section with the disks that have a place; a comment for the others, and no section where there is none. */
static void write_section(struct draft *d, const struct domain *domain, bool autostart)
{
	char line[1024];
	bool headed = false;
	struct err e;
	size_t i;

	for (i = 0; i < domain->n; i++)
		if (counts(&domain->disk[i]) && diskplace(&domain->disk[i], &d->volumes, line, sizeof(line), &e) < 0)
			draft_open_end(d, d->sweep, "guest %s, disk %s: %s", domain->name, domain->disk[i].target, e.text);
	for (i = 0; i < domain->n; i++) {
		if (!counts(&domain->disk[i]) || diskplace(&domain->disk[i], &d->volumes, line, sizeof(line), &e) < 0)
			continue;
		if (!headed)
			fprintf(d->sweep, "\n[guest %s]%s\n", domain->name,
				autostart ? "" : " ; not started with the host");
		headed = true;
		fprintf(d->sweep, "disk      = %s\n", line);
	}
}

static void write_guest(struct draft *d, const char *name, bool autostart)
{
	cleanup_free char *xml = NULL;
	struct domain domain;
	struct err e;

	if (guests_xml(name, &xml, &e) < 0 || domain_parse(&domain, xml, strlen(xml), &e) < 0) {
		draft_open_end(d, d->sweep, "guest %s: %s", name, e.text);
		return;
	}
	if (!section_name(name))
		draft_open_end(d, d->sweep, "guest %s: its name can't be a section's; its disks are swept without one", name);
	else
		write_section(d, &domain, autostart);
	domain_free(&domain);
}

void draft_sweep(struct draft *d)
{
	struct words all = { 0 }, autostart = { 0 };
	struct err e;
	size_t i;
	int rc;

	write_head(d);
	if (!guests_have_libvirt()) {
		fputs("\n; There is no virsh on this host, so no guests are named: everything on its disks is swept.\n", d->sweep);
		puts("there is no virsh on this host: no guests are named, everything on its disks is swept");
		return;
	}
	rc = guests_list("--all", &all, &e);
	if (rc == 0)
		rc = guests_list("--autostart", &autostart, &e);
	if (rc < 0)
		draft_open_end(d, d->sweep, "libvirt's guests can't be listed: %s", e.text);
	for (i = 0; rc == 0 && i < all.n; i++)
		write_guest(d, all.item[i], words_have(&autostart, all.item[i]));
	printf("%zu guests of libvirt's\n", all.n);
	words_clear(&all);
	words_clear(&autostart);
}
