/* SPDX-License-Identifier: GPL-2.0-or-later */
/* preflight: every volume placed: what sweep.conf and crypttab name is there, and no guest's disk is forgotten. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diskplace.h"
#include "guests.h"
#include "host.h"
#include "hostlvm.h"
#include "preflight.h"
#include "settings_value.h"

/* Volumes that something is wrong with; the others are only counted. */
static unsigned check_named(struct preflight *p)
{
	char device[PATH_MAX];
	unsigned good = 0;
	struct err e;
	size_t i, k;

	for (i = 0; i < p->settings.n_guests; i++)
		for (k = 0; k < p->settings.guests[i].n_disks; k++) {
			const char *volume = p->settings.guests[i].disks[k].volume;

			if (host_device(volume, device, &e) < 0)
				preflight_add(p, p->settings.guests[i].name, ITEM_FAIL, "sweep.conf: %s", e.text);
			else
				good++;
		}
	for (i = 0; i < p->crypttab.n; i++) {
		const struct crypttab_entry *entry = &p->crypttab.entry[i];

		if (host_device(entry->device, device, &e) < 0)
			preflight_add(p, entry->name, entry->nofail ? ITEM_WARN : ITEM_FAIL, "crypttab: %s", e.text);
		else
			good++;
	}
	return good;
}

/* A volume's LUKS header, and no line of crypttab by its name or by its UUID. */
static bool has_line(const struct preflight *p, const char *device)
{
	char other[PATH_MAX];
	struct err e;
	size_t i;

	for (i = 0; i < p->crypttab.n; i++)
		if (host_device(p->crypttab.entry[i].device, other, &e) == 0 && strcmp(other, device) == 0)
			return true;
	return false;
}

static void check_locked(struct preflight *p, const struct words *volumes)
{
	char device[PATH_MAX];
	struct err e;
	size_t i;

	for (i = 0; i < volumes->n; i++)
		if (host_device(volumes->item[i], device, &e) == 0 && is_luks(device) &&
		    !words_have(&p->settings.ignore, volumes->item[i]) && !has_line(p, device))
			preflight_add(p, volumes->item[i], ITEM_WARN,
				      "it is encrypted and crypttab has no key for it: what it holds is not swept");
}

static bool check_disk(struct preflight *p, const char *guest, const struct domain_disk *disk,
		       const struct words *volumes)
{
	char line[1024];
	struct err e;

	if (strcmp(disk->device, "disk") != 0 || !disk->source[0] || disk->read_only)
		return true;
	if (diskplace(disk, volumes, line, sizeof(line), &e) == 0)
		return true;
	preflight_add(p, guest, ITEM_WARN, "its disk %s: %s", disk->target, e.text);
	return false;
}

static unsigned check_guest(struct preflight *p, const char *name, const struct words *volumes)
{
	cleanup_free char *xml = NULL;
	unsigned good = 0;
	struct domain d;
	struct err e;
	size_t i;

	if (guests_xml(name, &xml, &e) < 0 || domain_parse(&d, xml, strlen(xml), &e) < 0) {
		preflight_add(p, name, ITEM_WARN, "%s", e.text);
		return 0;
	}
	for (i = 0; i < d.n; i++)
		good += check_disk(p, name, &d.disk[i], volumes);
	domain_free(&d);
	return good;
}

void pre_volumes(struct preflight *p)
{
	struct words volumes, guests = { 0 };
	unsigned good = check_named(p);
	struct err e;
	size_t i;

	if (hostlvm_list(&volumes, &e) < 0)
		preflight_add(p, "volumes", ITEM_WARN, "%s", e.text);
	check_locked(p, &volumes);
	if (guests_list("--all", &guests, &e) < 0)
		preflight_add(p, "guests", ITEM_WARN, "libvirt: %s", e.text);
	for (i = 0; i < guests.n; i++)
		good += check_guest(p, guests.item[i], &volumes);
	preflight_add(p, "volumes", ITEM_OK, "%u disks and volumes are in their place", good);
	words_clear(&volumes);
	words_clear(&guests);
}

void pre_guests(struct preflight *p)
{
	const struct guest *g;
	struct words on, saved;
	struct err e;
	size_t i;

	if (!guests_have_libvirt()) {
		preflight_add(p, "guests", ITEM_WARN, "there is no virsh here: shut the guests down yourself");
		return;
	}
	if (guests_list(NULL, &on, &e) < 0) {
		preflight_add(p, "guests", ITEM_FAIL, "libvirt: %s", e.text);
		return;
	}
	preflight_add(p, "guests", ITEM_OK, on.n ? "%zu are on, and will be asked to shut down" : "all are off", on.n);
	words_clear(&on);
	if (guests_list("--with-managed-save", &saved, &e) < 0)
		preflight_add(p, "managed saves", ITEM_FAIL, "libvirt: %s", e.text);
	for (i = 0; i < saved.n; i++)
		if ((g = settings_guest(&p->settings, saved.item[i])) && g->is_saved)
			preflight_add(p, saved.item[i], ITEM_WARN, "its memory is saved, and sweep.conf says so: it is not swept");
		else
			preflight_add(p, saved.item[i], ITEM_FAIL,
				      "its memory is saved and refers to its disks; start it and shut it down, or leave it so "
				      "and say it: saved = yes in its section of sweep.conf");
	words_clear(&saved);
}
