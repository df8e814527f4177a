/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the workers share: all or nothing, never more than there is, and never a standstill. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "locks.h"

#define NAMES(...) (const char *const[]){ __VA_ARGS__ }, \
	sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)
#define MEMORY NAMES("memory")

static void one_holder_each(void **state)
{
	struct locks *l = locks_new(0);

	(void)state;
	assert_int_equal(locks_take(l, 1, NAMES("disk:sda"), 1), 0);
	assert_int_equal(locks_take(l, 2, NAMES("disk:sda"), 1), -EBUSY);
	assert_int_equal(locks_take(l, 2, NAMES("disk:sdb"), 1), 0);
	locks_release(l, 2, NAMES("disk:sda"), 1); /* not its own */
	assert_int_equal(locks_take(l, 3, NAMES("disk:sda"), 1), -EBUSY);
	locks_release(l, 1, NAMES("disk:sda"), 1);
	assert_int_equal(locks_take(l, 3, NAMES("disk:sda"), 1), 0);
	locks_free(l);
}

static void all_or_none(void **state)
{
	struct locks *l = locks_new(0);

	(void)state;
	assert_int_equal(locks_take(l, 1, NAMES("disk:sdb"), 1), 0);
	assert_int_equal(locks_take(l, 2, NAMES("disk:sda", "disk:sdb", "disk:sdc"), 1), -EBUSY);
	assert_int_equal(locks_take(l, 3, NAMES("disk:sda", "disk:sdc"), 1), 0);
	locks_release(l, 1, NAMES("disk:sdb"), 1);
	assert_int_equal(locks_take(l, 2, NAMES("disk:sda", "disk:sdb"), 1), -EBUSY);
	assert_int_equal(locks_take(l, 4, NAMES("disk:sdb"), 1), 0);
	locks_free(l);
}

static void memory_is_shared_out(void **state)
{
	struct locks *l = locks_new(1000);

	(void)state;
	assert_int_equal(locks_memory(l), 1000);
	assert_int_equal(locks_take(l, 1, MEMORY, 600), 0);
	assert_int_equal(locks_take(l, 2, MEMORY, 500), -EBUSY);
	assert_int_equal(locks_take(l, 2, MEMORY, 400), 0);
	assert_int_equal(locks_take(l, 3, MEMORY, 1), -EBUSY);
	assert_int_equal(locks_take(l, 3, MEMORY, 1001), -ENOMEM);
	assert_int_equal(locks_take(l, 3, MEMORY, UINT64_MAX), -ENOMEM);
	locks_release(l, 1, MEMORY, 500); /* it holds 600 */
	assert_int_equal(locks_take(l, 3, MEMORY, 1), -EBUSY);
	locks_release(l, 1, MEMORY, 600);
	assert_int_equal(locks_take(l, 3, MEMORY, 600), 0);
	assert_int_equal(locks_memory(l), 1000);
	locks_free(l);
}

static void more_than_one_of_a_name(void **state)
{
	struct locks *l = locks_new(1000);

	(void)state;
	assert_int_equal(locks_take(l, 1, NAMES("disk:sda"), 2), -ENOMEM);
	assert_int_equal(locks_take(l, 1, NAMES("disk:sda"), 1), 0);
	locks_free(l);
}

/* Who holds a kernel's name and meets another's must let go; who holds none waits. */
static void kernel_names(void **state)
{
	struct locks *l = locks_new(100);

	(void)state;
	assert_int_equal(locks_take(l, 1, NAMES("vg-uuid:a", "vg-name:x"), 1), 0);
	assert_int_equal(locks_take(l, 2, NAMES("vg-uuid:a", "vg-name:y"), 1), -EBUSY);
	assert_int_equal(locks_take(l, 3, NAMES("vg-uuid:b", "vg-name:z"), 1), 0);
	assert_int_equal(locks_take(l, 3, NAMES("vg-uuid:c", "vg-name:x"), 1), -EAGAIN);
	assert_int_equal(locks_take(l, 4, NAMES("vg-uuid:c"), 1), 0); /* none was taken */
	/* a disk and memory are held by all for a short time only */
	assert_int_equal(locks_take(l, 1, NAMES("disk:sda"), 1), 0);
	assert_int_equal(locks_take(l, 3, NAMES("disk:sda"), 1), -EBUSY);
	assert_int_equal(locks_take(l, 1, MEMORY, 100), 0);
	assert_int_equal(locks_take(l, 3, MEMORY, 100), -EBUSY);
	/* half of them given back, as after activation */
	locks_release(l, 1, NAMES("vg-name:x"), 1);
	assert_int_equal(locks_take(l, 3, NAMES("vg-uuid:d", "vg-name:x"), 1), 0);
	locks_free(l);
}

static void the_hosts_own(void **state)
{
	struct locks *l = locks_new(100);

	(void)state;
	assert_int_equal(locks_take(l, LOCKS_HOST, NAMES("vg-uuid:h"), 1), 0);
	assert_int_equal(locks_take(l, 1, NAMES("vg-uuid:h", "vg-name:x"), 1), -EEXIST);
	assert_int_equal(locks_take(l, 1, NAMES("vg-uuid:a", "vg-uuid:h"), 1), -EEXIST);
	assert_int_equal(locks_take(l, 2, NAMES("vg-uuid:a", "vg-name:x"), 1), 0);
	assert_int_equal(locks_take(l, 2, NAMES("vg-uuid:h"), 1), -EEXIST);
	locks_release_all(l, 1);
	locks_release_all(l, 2);
	assert_int_equal(locks_take(l, 1, NAMES("vg-uuid:h"), 1), -EEXIST);
	locks_free(l);
}

static void all_of_one_who_died(void **state)
{
	struct locks *l = locks_new(100);

	(void)state;
	assert_int_equal(locks_take(l, 1, NAMES("vg-uuid:a", "vg-name:x"), 1), 0);
	assert_int_equal(locks_take(l, 2, NAMES("vg-uuid:b", "vg-name:y"), 1), 0);
	assert_int_equal(locks_take(l, 1, NAMES("disk:sda", "disk:sdb"), 1), 0);
	assert_int_equal(locks_take(l, 1, MEMORY, 100), 0);
	locks_release_all(l, 1);
	assert_int_equal(locks_take(l, 3, MEMORY, 100), 0);
	assert_int_equal(locks_take(l, 3, NAMES("vg-uuid:a", "vg-name:x"), 1), 0);
	assert_int_equal(locks_take(l, 3, NAMES("disk:sda", "disk:sdb"), 1), 0);
	assert_int_equal(locks_take(l, 4, NAMES("vg-uuid:b"), 1), -EBUSY);
	locks_release_all(l, 2);
	locks_release_all(l, 3);
	assert_int_equal(locks_take(l, 4, NAMES("vg-uuid:b"), 1), 0);
	locks_free(l);
}

/* ---- the workers' life as a model: no series of steps ends with all of them waiting ---- */

/*
 * What a worker does: it takes the UUID and name of one VG after the other, gives the name
 * back, keeps the UUID; takes memory or a disk for a moment in between; on -EAGAIN it gives
 * everything back and begins again, alone from then on, once no other runs.
 */
struct step {
	enum { VG, DISK, MEM, GIVE_NAME, GIVE_DISK, GIVE_MEM, END } what;
	int which;
};

static const struct step plans[][12] = {
	{ { VG, 0 }, { GIVE_NAME, 0 }, { VG, 1 }, { GIVE_NAME, 1 }, { DISK, 0 }, { GIVE_DISK, 0 }, { END, 0 } },
	{ { VG, 1 }, { GIVE_NAME, 1 }, { VG, 0 }, { GIVE_NAME, 0 }, { DISK, 0 }, { GIVE_DISK, 0 }, { END, 0 } },
	{ { MEM, 70 }, { GIVE_MEM, 70 }, { VG, 0 }, { GIVE_NAME, 0 }, { MEM, 60 }, { GIVE_MEM, 60 },
	  { DISK, 0 }, { GIVE_DISK, 0 }, { END, 0 } },
	{ { VG, 2 }, { GIVE_NAME, 2 }, { MEM, 100 }, { GIVE_MEM, 100 }, { VG, 1 }, { GIVE_NAME, 1 },
	  { DISK, 1 }, { GIVE_DISK, 1 }, { END, 0 } },
};

struct worker {
	const struct step *plan;
	int at;
	bool waiting, alone, restarted, ended;
};

struct model {
	struct locks *l;
	struct worker w[3];
	int n;
};

/* VG 0 and 2 share their name, as guests installed alike do. */
static const char *const uuids[] = { "vg-uuid:0", "vg-uuid:1", "vg-uuid:2" };
static const char *const vg_names[] = { "vg-name:x", "vg-name:y", "vg-name:x" };
static const char *const disks[] = { "disk:sda", "disk:sdb" };

static int do_step(struct model *m, int id)
{
	const struct step *s = &m->w[id].plan[m->w[id].at];

	switch (s->what) {
	case VG:
		return locks_take(m->l, id, NAMES(uuids[s->which], vg_names[s->which]), 1);
	case DISK:
		return locks_take(m->l, id, &disks[s->which], 1, 1);
	case MEM:
		return locks_take(m->l, id, MEMORY, (uint64_t)s->which);
	case GIVE_NAME:
		locks_release(m->l, id, &vg_names[s->which], 1, 1);
		return 0;
	case GIVE_DISK:
		locks_release(m->l, id, &disks[s->which], 1, 1);
		return 0;
	case GIVE_MEM:
		locks_release(m->l, id, MEMORY, (uint64_t)s->which);
		return 0;
	default:
		return 0;
	}
}

static bool may_run(const struct model *m, int id)
{
	int i;

	if (m->w[id].ended || m->w[id].waiting)
		return false;
	/* one that met another's names starts once nobody runs, and then runs alone */
	for (i = 0; i < m->n; i++) {
		bool started = m->w[i].at > 0 || m->w[i].waiting;

		if (i == id || m->w[i].ended)
			continue;
		if (m->w[id].alone && m->w[id].at == 0 && started)
			return false;
		if (m->w[i].alone && started && m->w[id].at == 0)
			return false;
	}
	return true;
}

static void run(struct model *m, int id)
{
	struct worker *w = &m->w[id];
	int rc = do_step(m, id), i;

	w->waiting = rc == -EBUSY;
	if (rc == -EAGAIN) {
		assert_false(w->alone && w->restarted);
		locks_release_all(m->l, id);
		w->alone = w->restarted = true;
		w->at = 0;
	} else if (rc == 0) {
		w->ended = w->plan[w->at].what == END;
		w->at++;
		if (w->ended)
			locks_release_all(m->l, id);
	} else {
		assert_int_equal(rc, -EBUSY);
	}
	/* what waits is asked again whenever something was given back */
	for (i = 0; i < m->n; i++)
		if (i != id && m->w[i].waiting)
			m->w[i].waiting = false;
}

static unsigned long schedules;

/* Random choices of who goes next, all of them played to the end. */
static void play(const int *who, int n, unsigned seed)
{
	struct model m = { .l = locks_new(100), .n = n };
	int left = n, idle = 0, i, steps = 0;

	for (i = 0; i < n; i++)
		m.w[i].plan = plans[who[i]];
	while (left) {
		int id = (int)((seed = seed * 1103515245u + 12345u) >> 16) % n;
		int before;

		if (++steps > 10000)
			fail_msg("plans %d %d %d: no end", who[0], who[1], n > 2 ? who[2] : -1);
		if (!may_run(&m, id)) {
			if (++idle > 1000)
				fail_msg("plans %d %d %d: all wait", who[0], who[1], n > 2 ? who[2] : -1);
			continue;
		}
		before = m.w[id].at;
		run(&m, id);
		idle = m.w[id].at == before ? idle + 1 : 0;
		left -= m.w[id].ended;
	}
	locks_free(m.l);
	schedules++;
}

static void never_a_standstill(void **state)
{
	unsigned seed;
	int a, b, c;

	(void)state;
	for (a = 0; a < 4; a++)
		for (b = 0; b < 4; b++)
			for (c = -1; c < 4; c++)
				for (seed = 1; seed <= 300; seed++)
					play((const int[]){ a, b, c }, c < 0 ? 2 : 3, seed);
	assert_int_equal(schedules, 4 * 4 * 5 * 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_holder_each),
		cmocka_unit_test(all_or_none),
		cmocka_unit_test(memory_is_shared_out),
		cmocka_unit_test(more_than_one_of_a_name),
		cmocka_unit_test(kernel_names),
		cmocka_unit_test(the_hosts_own),
		cmocka_unit_test(all_of_one_who_died),
		cmocka_unit_test(never_a_standstill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
