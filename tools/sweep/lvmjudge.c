/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "lvmjudge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define SECTOR 512
#define MIB (1024 * 1024)
#define METADATA_SHARE 64        /* of an ext4 as mke2fs makes it are inode tables and bitmaps */
#define NEED_AT_LEAST (2 * MIB)
#define NEED_CHUNKS 16
#define MAPPINGS_PER_BLOCK 126   /* of a thin pool's tree, half full */
#define METADATA_SLACK 64        /* blocks */

enum level { SOUND, NOTED, LOOK_ONLY, BAD };

/* What is said of one mapping. */
struct finding {
	enum level level;
	const char *code;
	char text[300];
	bool has_room;      /* what is written takes room from: */
	uint64_t room;      /* bytes */
	uint64_t blocks;    /* of metadata; UINT64_MAX: it needs none */
	uint64_t chunk;     /* bytes that are taken at a time */
};

bool is_managed(const struct volume *v)
{
	return v->is_public && !v->line;
}

static void printf_like(4, 5) say(struct finding *f, enum level level, const char *code,
				  const char *fmt, ...)
{
	va_list ap;

	if (level < f->level)
		return;
	f->level = level;
	f->code = code;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

/* ---- what each target says ---- */

static void look_at_raid(struct finding *f, const char *status)
{
	unsigned long long in_sync = 0, total = 0, mismatches = 0;
	char health[128] = "", action[32] = "";
	unsigned legs = 0, lost = 0, behind = 0, i;

	if (sscanf(status, "%*s %u %127s %llu/%llu %31s %llu", &legs, health, &in_sync, &total, action,
		   &mismatches) < 5) {
		say(f, BAD, "tool-failed", "the kernel says of its raid: %.100s", status);
		return;
	}
	for (i = 0; health[i]; i++) {
		lost += health[i] == 'D';
		behind += health[i] == 'a';
	}
	if (mismatches)
		say(f, NOTED, "mismatches", "the last check of its raid found %llu sectors that differ",
		    mismatches);
	if (in_sync < total || behind == legs)
		say(f, NOTED, "not-in-sync", "its raid is not in sync yet");
	if (strcmp(action, "reshape") == 0)
		say(f, BAD, "in-use", "its raid is being reshaped; let that end on its own system");
	else if (lost)
		say(f, LOOK_ONLY, "degraded", "its raid has lost %u of %u legs", lost, legs);
	else if (behind && behind < legs)
		say(f, LOOK_ONLY, "degraded", "its raid has not rebuilt %u of %u legs yet", behind, legs);
}

static void look_at_mirror(struct finding *f, const char *status)
{
	const char *at = status;
	unsigned legs = 0, good, i;

	sscanf(status, "%u", &legs);
	/* the number of legs, the legs, in sync, 1, the health */
	for (i = 0; at && i < legs + 3; i++)
		at = strchr(at + 1, ' ');
	if (!at) {
		say(f, BAD, "tool-failed", "the kernel says of its mirror: %.100s", status);
		return;
	}
	good = (unsigned)strspn(at + 1, "A");
	if (good < legs)
		say(f, LOOK_ONLY, "degraded", "its mirror has lost %u of %u legs", legs - good, legs);
}

static void look_at_pool(struct finding *f, const struct dm_mapping *m, const char *pool)
{
	unsigned long long used_blocks, blocks, used, total, chunk = 0;
	char mode[32] = "", check[32] = "";

	if (sscanf(m->status, "%*u %llu/%llu %llu/%llu %*s %31s %*s %*s %31s", &used_blocks, &blocks,
		   &used, &total, mode, check) < 6 ||
	    sscanf(m->table, "%*s %*s %llu", &chunk) < 1) {
		say(f, BAD, "needs-check", "its thin pool %s can't be read; lvconvert --repair may help",
		    pool);
		return;
	}
	if (strcmp(check, "needs_check") == 0)
		say(f, BAD, "needs-check",
		    "its thin pool %s failed before, and its metadata must be checked first: lvconvert "
		    "--repair; nothing of it is touched", pool);
	else if (strcmp(mode, "ro") == 0)
		say(f, BAD, "needs-check", "its thin pool %s is read-only; lvconvert --repair may help",
		    pool);
	f->has_room = true;
	f->chunk = chunk * SECTOR;
	f->room = (total - used) * f->chunk;
	f->blocks = blocks - used_blocks;
}

static void look_at_cache(struct finding *f, const char *status)
{
	const char *last = strrchr(status, ' ');

	if (strncmp(status, "Fail", 4) == 0 || strncmp(status, "Error", 5) == 0 || !last ||
	    strstr(status, "needs_check") || strstr(status, " ro "))
		say(f, BAD, "needs-check",
		    "its cache failed before, and its metadata must be checked first: lvconvert "
		    "--repair; nothing of it is touched");
}

static void look_at_snapshot(struct finding *f, const char *status)
{
	unsigned long long used, total;

	if (sscanf(status, "%llu/%llu", &used, &total) < 2) {
		say(f, BAD, "snapshot-full", "it was full or broken (%.40s), and what it held is lost",
		    status);
		return;
	}
	f->has_room = true;
	f->room = used < total ? (total - used) * SECTOR : 0;
	f->blocks = UINT64_MAX;
}

/* The name of the volume whose dm UUID m has, a suffix not counted. */
static const char *name_of(const struct group *g, const struct dm_mapping *m)
{
	char uuid[DM_LONG_UUID_SIZE];
	size_t i;

	for (i = 0; i < g->n_volumes; i++) {
		group_dm_uuid(g, &g->volume[i], uuid, sizeof(uuid));
		if (strncmp(uuid, m->uuid, strlen(uuid)) == 0)
			return g->volume[i].name;
	}
	return "";
}

static void look_at(struct finding *f, const struct group *g, const struct dm_mapping *m)
{
	if (strcmp(m->target, "raid") == 0)
		look_at_raid(f, m->status);
	else if (strcmp(m->target, "mirror") == 0)
		look_at_mirror(f, m->status);
	else if (strcmp(m->target, "thin-pool") == 0)
		look_at_pool(f, m, name_of(g, m));
	else if (strcmp(m->target, "thin") == 0 && strncmp(m->status, "Fail", 4) == 0)
		say(f, BAD, "needs-check", "its thin pool does not give it; lvconvert --repair may help");
	else if (strcmp(m->target, "cache") == 0)
		look_at_cache(f, m->status);
	else if (strcmp(m->target, "writecache") == 0 && strtol(m->status, NULL, 10) != 0)
		say(f, BAD, "io-error", "its write cache failed (error %.20s)", m->status);
	else if (strcmp(m->target, "snapshot") == 0)
		look_at_snapshot(f, m->status);
}

/* ---- what a volume consists of ---- */

static size_t find_device(const struct dm_mapping *m, size_t n, uint64_t device)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (m[i].device == device)
			break;
	return i;
}

static void mark(const struct dm_mapping *m, size_t n, size_t i, bool *part)
{
	size_t k;

	if (i == n || part[i])
		return;
	part[i] = true;
	for (k = 0; k < m[i].n_below; k++)
		mark(m, n, find_device(m, n, m[i].below[k]), part);
}

static bool is_above(const struct dm_mapping *upper, const struct dm_mapping *lower)
{
	size_t i;

	for (i = 0; i < upper->n_below; i++)
		if (upper->below[i] == lower->device)
			return true;
	return false;
}

static size_t find_volume(const struct group *g, const struct volume *v, const struct dm_mapping *m,
			  size_t n)
{
	char uuid[DM_LONG_UUID_SIZE];
	size_t i;

	group_dm_uuid(g, v, uuid, sizeof(uuid));
	for (i = 0; i < n; i++)
		if (strcmp(m[i].uuid, uuid) == 0)
			break;
	return i;
}

bool volume_parts(const struct group *g, const struct volume *v, const struct dm_mapping *m,
		  size_t n, bool *part)
{
	size_t top = find_volume(g, v, m, n), real, i;

	memset(part, 0, n * sizeof(*part));
	if (top == n)
		return false;
	mark(m, n, top, part);
	if (strcmp(m[top].target, "snapshot-origin") != 0 || m[top].n_below == 0)
		return true;
	real = find_device(m, n, m[top].below[0]);
	for (i = 0; real < n && i < n; i++)
		if (strcmp(m[i].target, "snapshot") == 0 && is_above(&m[i], &m[real]))
			mark(m, n, i, part);
	return true;
}

/* ---- judging ---- */

struct judging {
	struct group *g;
	const struct dm_mapping *m;
	size_t n;
	struct finding *f; /* one per mapping */
	bool *part;        /* n flags per volume */
};

static bool *parts_of(const struct judging *j, size_t volume)
{
	return j->part + volume * j->n;
}

static bool is_judged(const struct judging *j, size_t volume)
{
	const struct volume *v = &j->g->volume[volume];

	return is_managed(v) && v->verdict == VERDICT_NONE;
}

/* The worst of its parts is a volume's state; only a snapshot itself dies of being full. */
static void judge(struct judging *j, size_t volume)
{
	struct volume *v = &j->g->volume[volume];
	const bool *part = parts_of(j, volume);
	size_t top = find_volume(j->g, v, j->m, j->n), i;
	const struct finding *worst = NULL;

	for (i = 0; i < j->n; i++) {
		const struct finding *f = &j->f[i];

		if (!part[i] || f->level == SOUND ||
		    (i != top && strcmp(j->m[i].target, "snapshot") == 0))
			continue;
		if (!worst || f->level > worst->level)
			worst = f;
	}
	if (!worst)
		return;
	if (worst->level == BAD) {
		volume_leave(v, VERDICT_ERROR, worst->code, "%s", worst->text);
		return;
	}
	v->throwaway = worst->level == LOOK_ONLY;
	volume_note(v, worst->code, "%s%s", worst->text,
		    v->throwaway && !j->g->read_only ? "; it is only looked at, nothing is written" : "");
}

static bool share_parts(const struct judging *j, size_t a, size_t b)
{
	size_t i;

	for (i = 0; i < j->n; i++)
		if (parts_of(j, a)[i] && parts_of(j, b)[i])
			return true;
	return false;
}

/* What shares a part with a volume that stays on the copies stays there too; and what shares one with that. */
static void keep_together(struct judging *j)
{
	struct volume *v = j->g->volume;
	cleanup_free size_t *stays = calloc(j->g->n_volumes + 1, sizeof(*stays));
	size_t n = 0, i, b;

	for (b = 0; b < j->g->n_volumes; b++)
		if (v[b].throwaway && stays)
			stays[n++] = b;
	for (i = 0; i < n; i++)
		for (b = 0; b < j->g->n_volumes; b++) {
			const struct volume *a = &v[stays[i]];

			if (!is_judged(j, b) || v[b].throwaway || !share_parts(j, stays[i], b))
				continue;
			v[b].throwaway = true;
			volume_note(&v[b], a->code, "it shares a device with %s; %s", a->name, a->reason);
			stays[n++] = b;
		}
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Takes the room that a repair of v may need from its parts, or makes it read-only. Each
 * counts on its own share: they are swept at the same time. */
static void take_room(struct judging *j, size_t volume)
{
	struct volume *v = &j->g->volume[volume];
	const bool *part = parts_of(j, volume);
	uint64_t need, blocks;
	size_t i;
	int pass;

	/* first asked of all, then taken from all */
	for (pass = 0; pass < 2 && !v->read_only; pass++)
		for (i = 0; i < j->n; i++) {
			struct finding *f = &j->f[i];

			if (!part[i] || !f->has_room)
				continue;
			need = smaller(v->bytes, v->bytes / METADATA_SHARE + NEED_AT_LEAST +
							 NEED_CHUNKS * f->chunk);
			blocks = f->chunk ? 2 * (need / f->chunk) / MAPPINGS_PER_BLOCK + METADATA_SLACK : 0;
			if (pass == 1) {
				f->room -= need;
				f->blocks -= f->blocks == UINT64_MAX ? 0 : blocks;
			} else if (need > f->room || blocks > f->blocks) {
				v->read_only = true;
				volume_note(v, "no-room",
					    "%s %s has too little room for what a repair may write (%llu "
					    "MiB): it is only looked at, nothing is written",
					    f->chunk ? "its thin pool" : "the snapshot",
					    name_of(j->g, &j->m[i]),
					    (unsigned long long)((need + MIB - 1) / MIB));
				break;
			}
		}
}

void group_judge(struct group *g, const struct dm_mapping *m, size_t n)
{
	cleanup_free struct finding *f = calloc(n + 1, sizeof(*f));
	cleanup_free bool *part = calloc((n + 1) * (g->n_volumes + 1), sizeof(*part));
	struct judging j = { .g = g, .m = m, .n = n, .f = f, .part = part };
	size_t i;

	for (i = 0; i < n && f; i++)
		look_at(&f[i], g, &m[i]);
	for (i = 0; i < g->n_volumes; i++) {
		struct volume *v = &g->volume[i];

		if (!is_judged(&j, i))
			continue;
		if (!f || !part) {
			volume_leave(v, VERDICT_ERROR, "no-memory", "no memory to judge it");
		} else if (volume_parts(g, v, m, n, parts_of(&j, i))) {
			v->bytes = m[find_volume(g, v, m, n)].sectors * SECTOR;
			judge(&j, i);
		}
	}
	if (g->read_only || !f || !part)
		return;
	keep_together(&j);
	for (i = 0; i < g->n_volumes; i++)
		if (is_judged(&j, i) && !g->volume[i].throwaway && !g->volume[i].read_only)
			take_room(&j, i);
}
