/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scope: one guest with all its disks, swept by one worker process. Nothing of
 * another scope is in its sight, so guests that were installed alike, or cloned,
 * never meet.
 */
#ifndef GS_SCOPE_H
#define GS_SCOPE_H

#include <json-c/json_object.h>

#include "walk.h"

#define MAX_LACKS 64
#define LACK_SIZE 128

struct scope {
	char name[128];
	const struct guest *guest; /* its section, NULL: none names its volumes */
	struct node **volumes;
	size_t n_volumes;
	struct scope **holders; /* those that keep the host filesystems open it lies on */
	size_t n_holders;
	enum mode mode;
	enum undo undo;
	bool last_try;      /* what is incomplete now stays so */
	bool alone;         /* runs while no other does: it met another's names */
	bool started;       /* takes no more volumes */
	bool looks_only;    /* nobody asked to sweep it: it is only searched for saved guests */
	bool looked;        /* its volumes have been searched for saved guests (saves.h) */
	struct words opened_as; /* names in crypttab by which volumes of it were opened */
	bool done;
	uint64_t bytes;     /* of all volumes: the longest goes first */
	/* "GROUP MEMBER", UUIDs: of a volume group or array it lacks parts of, one it has */
	char lacks[MAX_LACKS][LACK_SIZE];
	size_t n_lacks;
	bool incomplete;
};

struct scopes {
	struct scope **s;
	size_t n;
	struct node **found; /* volumes that turned up later */
	size_t n_found;
	struct words references; /* backing files that refused images name */
	json_object *saves; /* of guests with their memory, or NULL (saves.h) */
	struct words looked_into; /* those of the folders in saves = that were */
	bool hold;          /* nothing at all may be written to */
};

/*
 * Groups the volumes of the host walk: those that a [guest] section names go
 * together, every other one is a scope named after its crypttab entry or itself.
 * Volumes that are ignored or not asked for get their verdict instead; of the latter those that may be
 * the host's own become scopes that only look for saved guests. Longest
 * first. Returns 0 or -ENOMEM.
 */
int scopes_make(struct scopes *list, struct walk *host, const struct settings *settings,
		const struct crypttab *crypttab, struct err *e) must_check nonnull_all;

/* How many scopes there are, those left out that only look for saved guests. */
size_t scopes_to_sweep(const struct scopes *list) nonnull_all;

/* n empty nodes in a row, for what turns up later; they last as long as list. NULL: no memory. */
struct node *scopes_find_room(struct scopes *list, size_t n) nonnull_all;

/* Places one more volume, found on a host filesystem that scope holder keeps open. Returns
 * the scope; NULL and a verdict: the configuration leaves it alone; NULL and none: no memory. */
struct scope *scopes_add(struct scopes *list, struct node *volume, struct scope *holder,
			 const struct settings *settings, const struct crypttab *crypttab);

/* Takes the image files out of s that some refused image may lie on: they get their verdict
 * (skipped, backing-file). Returns how many. */
size_t scopes_spare_backing(const struct scopes *list, struct scope *s) nonnull_all;

/* Whether the host, or an image that lies on it, may mean image by name: the same path on the running
 * host, or the same file name where one of both is not known by its whole path. */
bool image_may_be(const struct node *image, const char *name) nonnull_all;

/* true where the file names of both are the same. */
bool image_has_name(const struct node *image, const char *name) nonnull_all;
/* true where guestsweep.only= names this volume itself, the scope called name it belongs to, or the
 * volume it lies on. */
bool scope_is_asked_for(const struct settings *settings, const struct node *volume, const char *name)
	nonnull_all;

/* true where disks of s that are image files have not been found yet. */
bool is_waiting(const struct scope *s) nonnull_all;

/* true where a volume of s lies on a host filesystem that holder keeps open. */
bool lies_on(const struct scope *s, const struct scope *holder) nonnull_all;

/* Joins the incomplete scopes that lack parts of the same groups (scopejoin.c); each result
 * is tried once more, for the last time. Of copies of one member, those go together whose
 * volumes are named most alike. Returns 0 or -ENOMEM. */
int scopes_join(struct scopes *list, struct err *e) must_check nonnull_all;

/* Adds volume to s, or holder to those it lies on. Returns 0 or -ENOMEM. */
int scope_add_volume(struct scope *s, struct node *volume, struct err *e) must_check nonnull_all;
int scope_add_holder(struct scope *s, struct scope *holder, struct err *e) must_check nonnull_all;

void scopes_free(struct scopes *list) nonnull_all;

#endif
