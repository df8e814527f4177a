/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "modules.h"

#include <errno.h>
#include <libkmod.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

#define WORKERS_MAX 8
/* Most modules load in a moment, and at the same time they only hinder each
 * other. One that takes longer is waiting for its hardware: the next can go on. */
#define PATIENCE_MS 100

struct modules {
	struct kmod_ctx *kmod;
	void *seen;       /* tsearch(3) tree of the aliases already dealt with */
	unsigned workers; /* running */
};

/* The commonest mistake of all: this image with another kernel. */
static void say_if_foreign(void)
{
	char path[sizeof(struct utsname) + 64];
	struct utsname u;

	uname(&u);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep.bin", u.release);
	if (access(path, F_OK))
		log_line("this image has no modules for kernel %s: start it with the kernel it was built with",
			 u.release);
}

struct modules *modules_open(void)
{
	struct modules *m = calloc(1, sizeof(*m));
	sigset_t child;

	if (m)
		m->kmod = kmod_new(NULL, NULL); /* /lib/modules/RELEASE */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL); /* for sigtimedwait() */
	if (!m || !m->kmod) {
		log_line("no kernel modules: %s", strerror(errno));
		free(m);
		return NULL;
	}
	say_if_foreign();
	kmod_load_resources(m->kmod);
	return m;
}

/* "install" lines of a modprobe.d are shell commands: there are none here. */
static int no_commands(struct kmod_module *mod, const char *command, void *data)
{
	(void)mod;
	(void)command;
	(void)data;
	return 0;
}

static void insert_now(struct kmod_module *mod, const char *options)
{
	/* A name from the list may be on the blacklist, an alias' may not. */
	unsigned flags = options ? 0 : KMOD_PROBE_APPLY_BLACKLIST;
	int r = kmod_module_probe_insert_module(mod, flags, options, no_commands, NULL, NULL);

	/* Devices that a driver does not want after all are its own affair. */
	if (r < 0 && r != -ENODEV && r != -EEXIST)
		log_line("kernel module %s: %s", kmod_module_get_name(mod), strerror(-r));
}

static void reap(struct modules *m, int flags)
{
	while (m->workers && waitpid(-1, NULL, flags) > 0) {
		m->workers--;
		flags = WNOHANG;
	}
}

bool modules_busy(struct modules *m)
{
	reap(m, WNOHANG);
	return m->workers;
}

/* Waits for a worker to end, at most PATIENCE_MS. */
static void wait_a_little(struct modules *m)
{
	struct timespec limit = { .tv_nsec = PATIENCE_MS * 1000000L };
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigtimedwait(&child, NULL, &limit);
	reap(m, WNOHANG);
}

static void insert(struct modules *m, struct kmod_module *mod, const char *options)
{
	int state = kmod_module_get_initstate(mod);
	pid_t pid;

	if (state == KMOD_MODULE_BUILTIN || state == KMOD_MODULE_LIVE)
		return;
	if (m->workers == WORKERS_MAX)
		reap(m, 0);
	pid = fork();
	if (pid > 0) {
		m->workers++;
		wait_a_little(m);
		return;
	}
	insert_now(mod, options);
	if (!pid)
		_exit(0);
}

/* Loads all modules of a lookup's result. */
static void insert_all(struct modules *m, struct kmod_list *list, const char *options)
{
	struct kmod_list *l;

	kmod_list_foreach(l, list) {
		struct kmod_module *mod = kmod_module_get_module(l);

		insert(m, mod, options);
		kmod_module_unref(mod);
	}
	kmod_module_unref_list(list);
}

void modules_load(struct modules *m, const char *name, const char *options)
{
	struct kmod_list *list = NULL;

	if (kmod_module_new_from_lookup(m->kmod, name, &list) < 0 || !list)
		log_line("kernel module %s: there is none of this name", name);
	insert_all(m, list, options);
}

void modules_load_list(struct modules *m)
{
	cleanup_file FILE *f = fopen(MODULES_LIST, "re");
	char line[256], *name, *options;

	while (f && fgets(line, sizeof(line), f))
		if (modules_line(line, &name, &options))
			modules_load(m, name, options);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* true the first time. Without memory every time is the first: only slower. */
static bool is_new(struct modules *m, const char *alias)
{
	char *copy = strdup(alias);
	char **found = copy ? tsearch(copy, &m->seen, compare) : NULL;

	if (!found || *found == copy) {
		if (!found)
			free(copy);
		return true;
	}
	free(copy);
	return false;
}

void modules_load_alias(struct modules *m, const char *alias)
{
	struct kmod_list *list = NULL;

	if (is_new(m, alias) && kmod_module_new_from_lookup(m->kmod, alias, &list) >= 0)
		insert_all(m, list, NULL);
}
