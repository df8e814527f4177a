/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk over the layers: the only caller of the drivers. */
#ifndef GS_WALK_H
#define GS_WALK_H

#include "layer.h"

struct keys;
struct undoplan;

/* How a walk reaches what it shares with others. A unit test gives its own. */
struct walk_env {
	const struct settings *settings;
	const struct crypttab *crypttab;
	enum mode mode;
	enum undo undo;
	const char *guest;      /* the scope's name; "" for the host's own layers */
	bool last_try;          /* what a group lacks now will not turn up in another scope */
	const char *log_dir;    /* in RAM; files are named NNN-TOOL.txt */
	const char *work_dir;   /* in RAM, for what is thrown away */
	const char *undo_dir;   /* on the report filesystem; "" when there is none */
	const struct undoplan *plan; /* repairs to take back instead of checking; NULL: check */
	unsigned *next_id;      /* shared by all processes of the sweep, counted up atomically */
	bool (*cancelled)(void);
	/* Called again and again while a person or a stick is waited for, and with false after it. */
	void (*idle)(bool is_idle);
	unsigned (*seconds_left)(void); /* of the sweep's deadline */
	/* Waits until amount of each named resource is this walk's. Returns 0; -EAGAIN:
	 * not while this walk holds others, close all and try again alone; -EEXIST: the
	 * host has it for good; -ENOMEM: more than there is. */
	int (*acquire)(const char *const *names, size_t n, uint64_t amount, struct err *e);
	void (*release)(const char *const *names, size_t n, uint64_t amount);
	/* n nodes, with their verdicts where they have one */
	void (*publish)(struct node *const *nodes, size_t n);
	void (*opening)(const struct node *n); /* a layer is about to be opened; NULL: nobody asks */
	/* A checker is about to run on n. Returns 0; -EPERM: it is not to be checked, e says why.
	 * NULL: it always may. */
	int (*may_check)(const struct node *n, struct err *e);
	int (*read_content)(struct node *n, struct err *e); /* fills n->content */
	/* Finds a device of the host by "LABEL=", "UUID=", "PARTUUID=", "VG/LV" or path.
	 * Returns 0 and its path; -ENODEV. */
	int (*find_device)(const char *spec, char *device, size_t size, struct err *e);
	struct keys *keys;
	const struct layer_ops *const *registry; /* in order of precedence, NULL at the end */
};

struct walk {
	const struct walk_env *env;
	struct node **nodes;
	size_t n_nodes;
	struct node **opened; /* in the order of opening */
	size_t n_opened;
	bool host; /* opens only the layers below the guests' volumes */
};

void walk_init(struct walk *w, const struct walk_env *env) nonnull_all;

/* Adds a node of its kind below parent (NULL: a root). Its stack is the one of
 * base (NULL: empty) with word (NULL: none) behind it; guest and host come from
 * parent. Returns NULL and sets e (ENOMEM). */
struct node *walk_add(struct walk *w, enum kind kind, struct node *parent, const struct node *base,
		      const char *word, struct err *e) must_check nonnull_at(1, 6);

/* The driver of a kind that no device is probed for; NULL: there is none. */
const struct layer_ops *walk_driver(const struct walk *w, enum kind kind) nonnull_all;

/* Makes room for one more behind the n nodes of *list. Returns 0 or -ENOMEM. */
int nodes_grow(struct node ***list, size_t n) must_check nonnull_all;

/* Adds one more parent to n, up to MAX_PARENTS; more are left out. */
void node_add_parent(struct node *n, struct node *parent) nonnull_all;

/* Adds a copy of a volume that the host walk found, as a root of this walk, with
 * the same id. Returns NULL and sets e (ENOMEM). */
struct node *walk_adopt(struct walk *w, const struct node *volume, struct err *e)
	must_check nonnull_all;

/* Probes and opens until nothing new turns up. A layer that fails becomes a node
 * with a verdict and the others go on. Unless final, members of a group that is
 * not whole stay without a verdict, for a later call. Returns 0; -EAGAIN: another
 * walk holds a group's name, close and try again alone; -ETIMEDOUT: cancelled;
 * -ENOMEM. */
int walk_open(struct walk *w, bool final, struct err *e) must_check nonnull_all;

/* Probes the volumes and opens their own encryption, nothing else: what lies on a host's volume
 * itself is a node then. Returns 0 or like walk_open(). */
int walk_open_volumes(struct walk *w, struct err *e) must_check nonnull_all;

/* true for a filesystem on a volume of the host, with nothing but encryption between: one inside a
 * guest's disk is none. */
bool is_on_volume(const struct node *n) nonnull_all;

/* Checks filesystem n before all others without writing, unless the mode is to list. Returns whether
 * it may be mounted; what else the check found is forgotten where a later one may correct it. */
bool walk_check_early(struct walk *w, struct node *n) must_check nonnull_all;

/* Checks every filesystem found, in the order of the nodes, those first that are only looked
 * at. All nodes are published before, so that a check that takes this process down leaves their story. */
void walk_check(struct walk *w) nonnull_all;

/* Publishes n as it is now, unless another node or another walk stands for it in the report. */
void walk_tell(const struct walk *w, struct node *n) nonnull_all;

/* The same of all nodes at once. */
void walk_tell_all(const struct walk *w) nonnull_all;

/* After the checks: opens the filesystems of the host that lie on its volumes themselves and
 * have something in them to sweep. A failure is told in the node. */
void walk_enter(struct walk *w) nonnull_all;

/* Names what is on the host filesystem n, which its caller has mounted at n->folder and keeps so.
 * Returns 0 or -errno. */
int walk_look_into(struct walk *w, struct node *n, struct err *e) must_check nonnull_all;

/* Closes what is open, newest first, nodes marked kept only where kept_too; each is
 * retried for a while and, where it stays busy, named in its node. Returns how many
 * could not be closed. */
unsigned walk_close(struct walk *w, bool kept_too) nonnull_all;

/* Gives every node still without one its verdict (devices: ok) and publishes all. */
void walk_settle(struct walk *w) nonnull_all;

void walk_free(struct walk *w) nonnull_all;

/* true where n's device is a guest's volume or a filesystem of the host: the host
 * walk has found it, and did not go on into it. */
bool is_volume(const struct node *n) nonnull_all;

#endif
