/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which volumes make one guest, what it is called, and which are joined later. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypttab_parse.h"
#include "missing.h"
#include "nodejson.h"
#include "scope.h"
#include "settings_parse.h"

/* ---- a host with volumes, made by hand ---- */

static struct {
	struct walk walk;
	struct settings settings;
	struct crypttab crypttab;
	struct walk_env env;
	struct scopes scopes;
	struct node *nodes[16];
} t;

static void configure(const char *conf, const char *crypttab, const char *cmdline)
{
	struct err e;

	memset(&t, 0, sizeof(t));
	assert_int_equal(settings_defaults(&t.settings, &e), 0);
	assert_int_equal(settings_parse_file(&t.settings, conf, strlen(conf), &e), 0);
	assert_int_equal(settings_parse_cmdline(&t.settings, cmdline, &e), 0);
	assert_int_equal(crypttab_parse(&t.crypttab, "/etc/guestsweep", crypttab, strlen(crypttab),
					&t.settings, &e), 0);
	if (t.settings.n_faults)
		fail_msg("%s", t.settings.faults[0].text);
	t.env.settings = &t.settings;
	t.env.crypttab = &t.crypttab;
	t.walk.env = &t.env;
	t.walk.nodes = t.nodes;
}

static struct node *add(enum kind kind, const char *name, uint64_t bytes)
{
	struct node *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	n->kind = kind;
	n->bytes = bytes;
	n->host = n->volume = true;
	snprintf(n->name, sizeof(n->name), "%s", name);
	snprintf(n->device, sizeof(n->device), "/dev/%s", name);
	snprintf(n->stack, sizeof(n->stack), "%s", name);
	t.nodes[t.walk.n_nodes++] = n;
	return n;
}

static struct node *lv(const char *name, uint64_t bytes)
{
	return add(KIND_LV, name, bytes);
}

static struct node *partition(struct node *table, const char *name)
{
	struct node *n = add(KIND_PARTITION, name, 100);

	snprintf(n->stack, sizeof(n->stack), "%s > %s", table->parents[0]->name, name);
	n->parents[n->n_parents++] = table;
	return n;
}

static void make(void)
{
	struct err e;

	assert_int_equal(scopes_make(&t.scopes, &t.walk, &t.settings, &t.crypttab, &e), 0);
}

/* "imap[v/a v/b] v/c[v/c]" */
static const char *plan(void)
{
	static char text[1024];
	size_t i, k, used = 0;

	text[0] = 0;
	for (i = 0; i < t.scopes.n; i++) {
		const struct scope *s = t.scopes.s[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s[", i ? " " : "", s->name);
		for (k = 0; k < s->n_volumes; k++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", k ? " " : "",
						 s->volumes[k]->name);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", s->looks_only ? "]?" : "]");
	}
	return text;
}

static void end(void)
{
	size_t i;

	scopes_free(&t.scopes);
	settings_free(&t.settings);
	crypttab_free(&t.crypttab);
	for (i = 0; i < t.walk.n_nodes; i++)
		free(t.nodes[i]);
}

/* ---- the plan ---- */

static void every_volume_on_its_own(void **state)
{
	(void)state;
	configure("", "", "");
	lv("v/a", 10);
	lv("v/b", 30);
	lv("v/c", 20);
	make();
	assert_string_equal(plan(), "v/b[v/b] v/c[v/c] v/a[v/a]"); /* longest first */
	assert_int_equal(t.scopes.s[0]->mode, MODE_PREEN);
	assert_int_equal(t.scopes.s[0]->undo, UNDO_AUTO);
	assert_false(t.scopes.s[0]->done || t.scopes.s[0]->incomplete || t.scopes.s[0]->last_try ||
		     t.scopes.s[0]->alone);
	end();
}

static void sections_group_disks(void **state)
{
	(void)state;
	configure("[sweep]\nmode = repair\nundo = off\n"
		  "[guest imap]\ndisk = v/a\ndisk = v/c\nmode = check\nundo = required\n"
		  "[guest web]\ndisk = v/d\n", "", "");
	lv("v/a", 10);
	lv("v/b", 15);
	lv("v/c", 10);
	lv("v/d", 5);
	make();
	/* both disks count: 20 is more than 15 */
	assert_string_equal(plan(), "imap[v/a v/c] v/b[v/b] web[v/d]");
	assert_int_equal(t.scopes.s[0]->bytes, 20);
	assert_int_equal(t.scopes.s[0]->mode, MODE_CHECK);
	assert_int_equal(t.scopes.s[0]->undo, UNDO_REQUIRED);
	assert_int_equal(t.scopes.s[1]->mode, MODE_REPAIR);
	assert_int_equal(t.scopes.s[1]->undo, UNDO_OFF);
	assert_int_equal(t.scopes.s[2]->mode, MODE_REPAIR);
	end();
}

static void names_come_from_crypttab(void **state)
{
	struct node *table, *disk;

	(void)state;
	configure("[guest mail]\ndisk = v/b\n",
		  "imap v/a none\nother v/b none\nroot /dev/sda2 none\nhome /dev/sda3 none\n", "");
	lv("v/a", 10);
	lv("v/b", 9);
	disk = add(KIND_DISK, "sda", 8);
	disk->volume = false;
	table = add(KIND_TABLE, "gpt", 7);
	table->volume = false;
	table->parents[table->n_parents++] = disk;
	partition(table, "gpt:2")->bytes = 3;
	partition(table, "gpt:3")->bytes = 2;
	partition(table, "gpt:4")->bytes = 1;
	make();
	/* a section's name wins over the one in crypttab */
	assert_string_equal(plan(), "imap[v/a] mail[v/b] root[gpt:2] home[gpt:3] "
				    "sda > gpt:4[gpt:4]");
	end();
}

static void whole_disks_and_partitions_of_a_guest(void **state)
{
	struct node *table, *disk;

	(void)state;
	configure("[guest os]\ndisk = /dev/nvme0n1p2\ndisk = /dev/sdb\n", "", "");
	disk = add(KIND_DISK, "nvme0n1", 8);
	disk->volume = false;
	table = add(KIND_TABLE, "gpt", 7);
	table->volume = false;
	table->parents[table->n_parents++] = disk;
	partition(table, "gpt:2");
	partition(table, "gpt:3")->bytes = 1;
	add(KIND_DISK, "sdb", 50);
	make();
	assert_string_equal(plan(), "os[gpt:2 sdb] nvme0n1 > gpt:3[gpt:3]");
	end();
}

static void left_alone(void **state)
{
	struct node *swap, *b;

	(void)state;
	configure("[sweep]\nignore = v/swap /dev/sdb\n", "", "");
	swap = lv("v/swap", 10);
	lv("v/a", 10);
	b = add(KIND_DISK, "sdb", 4);
	make();
	assert_string_equal(plan(), "v/a[v/a]");
	assert_int_equal(swap->verdict, VERDICT_SKIPPED);
	assert_string_equal(swap->code, "ignored");
	assert_string_equal(b->code, "ignored");
	end();
}

/* The disk's name as the contract shows it, without "/dev/". */
static void left_alone_by_kernel_name(void **state)
{
	(void)state;
	configure("[sweep]\nignore = sdb\n", "", "");
	add(KIND_DISK, "sdb", 4);
	make();
	assert_string_equal(plan(), "");
	end();
}

/* A partition is called by its device, in the settings with or without "/dev/". */
static void a_partition(void **state)
{
	struct node *disk, *table, *one, *two, *three;

	(void)state;
	configure("[sweep]\nignore = /dev/sda2\n", "", "guestsweep.only=/dev/sda1,sda2");
	disk = add(KIND_DISK, "sda", 9);
	disk->volume = false;
	table = add(KIND_TABLE, "gpt", 9);
	table->volume = false;
	table->parents[table->n_parents++] = disk;
	one = partition(table, "gpt:1");
	two = partition(table, "gpt:2");
	three = partition(table, "gpt:3");
	make();
	assert_int_equal(one->verdict, VERDICT_NONE);
	assert_string_equal(two->code, "ignored");
	assert_string_equal(three->code, "ignored");
	end();
}

static void only_these(void **state)
{
	struct node *b;

	(void)state;
	configure("[sweep]\nignore = v/c\n[guest imap]\ndisk = v/a\ndisk = v/a2\n", "web v/w none\n",
		  "guestsweep.only=imap,web,v/x,v/c");
	lv("v/a", 9);
	lv("v/a2", 9);
	b = lv("v/b", 8);
	lv("v/c", 7);
	lv("v/w", 6);
	lv("v/x", 5);
	make();
	assert_string_equal(plan(), "imap[v/a v/a2] v/b[v/b]? web[v/w] v/x[v/x]");
	assert_int_equal(b->verdict, VERDICT_SKIPPED);
	assert_string_equal(b->code, "ignored");
	end();
}

/* The texts of all problems, a newline behind each. */
static const char *missing(void)
{
	static char text[2048];
	struct results r;
	size_t i, used = 0;

	assert_int_equal(results_init(&r), 0);
	missing_report(&t.walk, &t.scopes, &r);
	text[0] = 0;
	for (i = 0; i < json_object_array_length(r.problems); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n",
					 json_text(json_object_array_get_idx(r.problems, i), "text"));
	assert_int_equal(r.worst, used ? SWEEP_ATTENTION : SWEEP_CLEAN);
	results_free(&r);
	return text;
}

static void what_is_missing_is_told(void **state)
{
	struct node *broken;

	(void)state;
	configure("[guest imap]\ndisk = v/a\ndisk = v/gone\n[guest db]\ndisk = /dev/sdz\n"
		  "[guest web]\ndisk = v/broken\n",
		  "x v/nowhere none\ny v/nofail none nofail\nz UUID=ab none\nimap v/a none\n",
		  "guestsweep.only=imap,web,v/broken,typo");
	lv("v/a", 10);
	broken = lv("v/broken", 5); /* it is there, and says itself what is wrong */
	node_verdict(broken, VERDICT_ERROR, "io-error", "gone bad");
	make();
	assert_string_equal(plan(), "imap[v/a]"); /* what is there is swept */
	assert_string_equal(missing(),
			    "guest imap: its disk v/gone is not on this host\n"
			    "guest db: its disk /dev/sdz is not on this host\n"
			    "guestsweep.only= names typo, which is no guest and no volume here\n"
			    "crypttab:1: v/nowhere is not on this host\n");
	end();
}

static void nothing_is_missing(void **state)
{
	(void)state;
	configure("[guest imap]\ndisk = v/a\n", "imap v/a none\n", "guestsweep.only=imap");
	lv("v/a", 10);
	lv("v/b", 10);
	make();
	assert_string_equal(missing(), "");
	end();
}

/* Only what the host walk left to the guests. */
static void no_volumes_no_scopes(void **state)
{
	(void)state;
	configure("", "", "");
	lv("v/a", 10)->volume = false;
	make();
	assert_int_equal(t.scopes.n, 0);
	end();
}

/* ---- joining ---- */

static void lacks(const char *name, const char *groups)
{
	char copy[128], *save, *word;
	size_t i;

	for (i = 0; i < t.scopes.n; i++)
		if (strcmp(t.scopes.s[i]->name, name) == 0)
			break;
	assert_true(i < t.scopes.n);
	snprintf(copy, sizeof(copy), "%s", groups);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		snprintf(t.scopes.s[i]->lacks[t.scopes.s[i]->n_lacks++], LACK_SIZE, "%s", word);
	t.scopes.s[i]->incomplete = true;
}

static struct scope *scope(const char *name)
{
	size_t i;

	for (i = 0; i < t.scopes.n; i++)
		if (strcmp(t.scopes.s[i]->name, name) == 0)
			return t.scopes.s[i];
	fail();
	return NULL;
}

/* lack: "GROUP MEMBER" */
static void lacks_member(const char *name, const char *lack)
{
	struct scope *s = scope(name);

	snprintf(s->lacks[s->n_lacks++], LACK_SIZE, "%s", lack);
	s->incomplete = true;
}

static void join_all(void)
{
	struct err e;

	assert_int_equal(scopes_join(&t.scopes, &e), 0);
}

static void halves_of_one_group(void **state)
{
	(void)state;
	configure("[guest careful]\ndisk = v/b\nmode = check\n", "", "");
	lv("v/a", 30);
	lv("v/b", 20);
	lv("v/c", 10);
	make();
	lacks("v/a", "U1");
	lacks("careful", "U1");
	t.scopes.s[2]->done = true;
	join_all();
	assert_string_equal(plan(), "v/a[v/a v/b] careful[v/b] v/c[v/c]");
	assert_true(scope("v/a")->last_try && !scope("v/a")->done && !scope("v/a")->incomplete);
	assert_int_equal(scope("v/a")->mode, MODE_CHECK);
	assert_int_equal(scope("v/a")->bytes, 50);
	assert_true(scope("careful")->done && !scope("careful")->incomplete);
	assert_false(scope("v/c")->last_try);
	assert_true(scope("v/c")->done);
	end();
}

/* d joins a through b and c, whatever their order. */
static void a_chain_of_groups(void **state)
{
	static const char *const order[][4] = {
		{ "v/a", "v/b", "v/c", "v/d" }, { "v/d", "v/a", "v/c", "v/b" },
		{ "v/b", "v/d", "v/a", "v/c" }, { "v/c", "v/a", "v/d", "v/b" },
	};
	size_t r, i;

	(void)state;
	for (r = 0; r < ARRAY_SIZE(order); r++) {
		configure("", "", "");
		for (i = 0; i < 4; i++)
			lv(order[r][i], 100 - i);
		lv("v/x", 1);
		make();
		lacks("v/a", "U1");
		lacks("v/b", "U2 U1");
		lacks("v/c", "U3 U2");
		lacks("v/d", "U3");
		lacks("v/x", "U9");
		join_all();
		assert_int_equal(t.scopes.s[0]->n_volumes, 4);
		assert_int_equal(scope("v/x")->n_volumes, 1);
		assert_true(scope("v/x")->last_try && !scope("v/x")->done);
		for (i = 0; i < t.scopes.n; i++)
			assert_false(t.scopes.s[i]->incomplete);
		for (i = 1; i < 4; i++)
			assert_true(t.scopes.s[i]->done);
		end();
	}
}

static void alone_and_complete_ones_stay(void **state)
{
	(void)state;
	configure("", "", "");
	lv("v/a", 30);
	lv("v/b", 20);
	make();
	lacks("v/a", "U1");
	lacks("v/b", "U1");
	t.scopes.s[1]->incomplete = false; /* it has ended otherwise */
	t.scopes.s[1]->done = true;
	join_all();
	assert_int_equal(scope("v/a")->n_volumes, 1);
	assert_true(scope("v/a")->last_try);
	end();
}

/* The stricter policy of the two holds for what they have in common. */
static void undo_of_the_stricter(void **state)
{
	(void)state;
	configure("[sweep]\nundo = off\n[guest b]\ndisk = v/b\nundo = required\n", "", "");
	lv("v/a", 30);
	lv("v/b", 20);
	make();
	lacks("v/a", "U1");
	lacks("b", "U1");
	join_all();
	assert_int_equal(scope("v/a")->undo, UNDO_REQUIRED);
	end();
}

static void more_groups_than_there_is_room_for(void **state)
{
	char name[16];
	size_t i;

	(void)state;
	configure("", "", "");
	lv("v/a", 30);
	lv("v/b", 20);
	make();
	for (i = 0; i < MAX_LACKS; i++) {
		snprintf(name, sizeof(name), "A%zu", i);
		lacks("v/a", name);
		snprintf(name, sizeof(name), "B%zu", i);
		lacks("v/b", i == 5 ? "A5" : name);
	}
	join_all();
	assert_int_equal(scope("v/a")->n_lacks, MAX_LACKS);
	assert_int_equal(scope("v/a")->n_volumes, 2);
	end();
}

/* Two guests, one copied from the other: both have a group over two volumes. */
static void copies_go_by_their_names(void **state)
{
	(void)state;
	configure("", "", "");
	lv("v/web1_hd0", 30);
	lv("v/web2_hd0", 29);
	lv("v/web1_hd1", 28);
	lv("v/web2_hd1", 27);
	make();
	lacks_member("v/web1_hd0", "U1 P1");
	lacks_member("v/web2_hd0", "U1 P1");
	lacks_member("v/web1_hd1", "U1 P2");
	lacks_member("v/web2_hd1", "U1 P2");
	join_all();
	assert_string_equal(plan(), "v/web1_hd0[v/web1_hd0 v/web1_hd1] v/web2_hd0[v/web2_hd0 v/web2_hd1] "
				    "v/web1_hd1[v/web1_hd1] v/web2_hd1[v/web2_hd1]");
	assert_true(scope("v/web1_hd1")->done && scope("v/web2_hd1")->done);
	end();
}

/* Where names don't tell, nothing is guessed. */
static void copies_of_unlike_names_stay_apart(void **state)
{
	(void)state;
	configure("", "", "");
	lv("v/a", 30);
	lv("v/b", 29);
	lv("v/c", 28);
	lv("v/d", 27);
	make();
	lacks_member("v/a", "U1 P1");
	lacks_member("v/b", "U1 P1");
	lacks_member("v/c", "U1 P2");
	lacks_member("v/d", "U1 P2");
	join_all();
	assert_string_equal(plan(), "v/a[v/a] v/b[v/b] v/c[v/c] v/d[v/d]");
	assert_true(scope("v/a")->last_try && scope("v/d")->last_try);
	end();
}

static struct node *image(const char *name, struct scope *holder)
{
	struct node *n = scopes_find_room(&t.scopes, 1);

	assert_non_null(n);
	n->kind = KIND_IMAGE;
	n->bytes = 1;
	snprintf(n->name, sizeof(n->name), "%s", name);
	scopes_add(&t.scopes, n, holder, &t.settings, &t.crypttab);
	return n;
}

/* Image files join their guest; a guest waits for all of them. */
static void image_files(void **state)
{
	struct scope *holder;

	(void)state;
	configure("[sweep]\nmode = check\nignore = v/kvm:/old.raw\n"
		  "[guest db]\ndisk = v/kvm:/db0.raw\ndisk = v/db1\nmode = preen\n", "", "");
	lv("v/kvm", 100);
	lv("v/db1", 10);
	make();
	assert_string_equal(plan(), "v/kvm[v/kvm] db[v/db1]");
	holder = scope("v/kvm");
	assert_int_equal(holder->mode, MODE_PREEN); /* db may be written to, so it has to be mounted so */
	assert_true(is_waiting(scope("db")) && !is_waiting(holder));
	image("v/kvm:/db0.raw", holder);
	assert_false(is_waiting(scope("db")));
	assert_true(lies_on(scope("db"), holder));
	image("v/kvm:/free.raw", holder);
	assert_int_equal(scope("v/kvm:/free.raw")->mode, MODE_CHECK);
	assert_false(lies_on(holder, holder));
	assert_string_equal(image("v/kvm:/old.raw", holder)->code, "ignored");
	end();
}

static void only_some_image_files(void **state)
{
	struct scope *holder;

	(void)state;
	configure("[guest db]\ndisk = v/kvm:/db.raw\n", "", "guestsweep.only=db,v/all,v/one:/x.raw");
	lv("v/kvm", 3);
	lv("v/all", 2);
	lv("v/one", 1);
	lv("v/none", 1);
	make();
	assert_string_equal(plan(), "v/kvm[v/kvm] v/all[v/all] v/one[v/one] v/none[v/none]?");
	holder = scope("v/kvm");
	assert_int_equal(image("v/kvm:/db.raw", holder)->verdict, VERDICT_NONE);
	assert_string_equal(image("v/kvm:/other.raw", holder)->code, "ignored");
	assert_int_equal(image("v/all:/a.raw", holder)->verdict, VERDICT_NONE);
	assert_int_equal(image("v/one:/x.raw", holder)->verdict, VERDICT_NONE);
	assert_string_equal(image("v/one:/y.raw", holder)->code, "ignored");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_volume_on_its_own),
		cmocka_unit_test(sections_group_disks),
		cmocka_unit_test(names_come_from_crypttab),
		cmocka_unit_test(whole_disks_and_partitions_of_a_guest),
		cmocka_unit_test(left_alone),
		cmocka_unit_test(left_alone_by_kernel_name),
		cmocka_unit_test(a_partition),
		cmocka_unit_test(only_these),
		cmocka_unit_test(what_is_missing_is_told),
		cmocka_unit_test(nothing_is_missing),
		cmocka_unit_test(no_volumes_no_scopes),
		cmocka_unit_test(halves_of_one_group),
		cmocka_unit_test(a_chain_of_groups),
		cmocka_unit_test(alone_and_complete_ones_stay),
		cmocka_unit_test(undo_of_the_stricter),
		cmocka_unit_test(more_groups_than_there_is_room_for),
		cmocka_unit_test(copies_go_by_their_names),
		cmocka_unit_test(copies_of_unlike_names_stay_apart),
		cmocka_unit_test(image_files),
		cmocka_unit_test(only_some_image_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
