/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose a saved guest is: by what its disks lie on, by its name, or nobody knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json_tokener.h>

#include "saves.h"
#include "settings_helpers.h"
#include "settings_value.h"

static struct {
	struct settings settings;
	struct scopes scopes;
	struct results results;
	struct node nodes[8];
} t;

static void begin(const char *sweep_conf)
{
	memset(&t, 0, sizeof(t));
	read_good(&t.settings, sweep_conf, "");
	assert_int_equal(results_init(&t.results), 0);
	t.scopes.s = calloc(8, sizeof(*t.scopes.s));
}

/* A scope of one volume, opened by that name of crypttab (NULL: not encrypted). */
static void scope(const char *name, enum kind kind, const char *volume, const char *opened_as)
{
	struct scope *s = t.scopes.s[t.scopes.n] = calloc(1, sizeof(*s));
	struct node *n = &t.nodes[t.scopes.n++];
	struct err e;

	snprintf(s->name, sizeof(s->name), "%s", name);
	n->kind = kind;
	snprintf(n->name, sizeof(n->name), "%s", volume);
	s->volumes = calloc(1, sizeof(*s->volumes));
	s->volumes[s->n_volumes++] = n;
	if (opened_as)
		assert_int_equal(words_add(&s->opened_as, strdup(opened_as), &e), 0);
}

/* Judges a save of guest G with these sources ("\"/a\", \"/b\""), and returns the scopes it is placed
 * at, a space between; "hold" where nothing may be written. */
static const char *judge(const char *sources, const char *problem)
{
	static char text[256];
	char json[512];
	size_t i;

	snprintf(json, sizeof(json), "{\"where\": \"w\", \"name\": \"G\", \"domain\": \"\", \"problem\": \"%s\", \"sources\": [%s]}",
		 problem, sources);
	saves_add(&t.scopes, json_tokener_parse(json));
	saves_judge(&t.scopes, &t.settings, &t.results);
	text[0] = 0;
	for (i = 0; i < t.scopes.n; i++)
		if (t.scopes.s[i]->volumes[0]->forbids.code)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", text[0] ? " " : "",
				 t.scopes.s[i]->name);
	if (t.scopes.hold)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%shold", text[0] ? " " : "");
	assert_int_equal(json_object_array_length(t.results.problems), t.scopes.hold);
	return text;
}

static void end(void)
{
	settings_free(&t.settings);
	scopes_free(&t.scopes);
	results_free(&t.results);
}

static void by_what_its_disks_lie_on(void **state)
{
	static const struct {
		const char *sources, *placed;
	} cases[] = {
		{ "\"/dev/v/a\"", "a" },
		{ "\"/dev/mapper/v-a\"", "a" },
		{ "\"/dev/disk/by-id/dm-name-v-a\"", "a" },
		{ "\"/dev/mapper/crypt-b\"", "b" },
		{ "\"/dev/disk/by-id/dm-name-crypt-b\"", "b" },
		{ "\"v/a\"", "a" },                            /* pool and volume */
		{ "\"/somewhere/else/c.raw\"", "c" },
		{ "\"images/c.raw\"", "c" },
		{ "\"/dev/v/a\", \"/x/c.raw\"", "a c" },
		{ "\"/dev/sdb\"", "d" },
		{ "\"/dev/v/aa\", \"/dev/w/a\", \"/x/cc.raw\", \"/dev/mapper/crypt-x\"", "" }, /* not here */
		{ "\"/dev/sdc\"", "hold" },                    /* may be sdb here */
		{ "\"/dev/v/a\", \"/dev/disk/by-id/wwn-1\"", "a hold" },
		{ "", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		begin("");
		scope("a", KIND_LV, "v/a", NULL);
		scope("b", KIND_LV, "v/b", "crypt-b");
		scope("c", KIND_IMAGE, "v/kvm:/images/c.raw", NULL);
		scope("d", KIND_DISK, "sdb", NULL);
		assert_string_equal(judge(cases[i].sources, ""), cases[i].placed);
		end();
	}
}

static void by_its_name(void **state)
{
	(void)state;
	begin("[guest G]\ndisk = v/a\n");
	scope("G", KIND_LV, "v/a", NULL);
	scope("b", KIND_LV, "v/b", NULL);
	assert_string_equal(judge("\"/dev/sdx\"", "its XML can't be read"), "G");
	end();

	/* crypttab's name is none that says which disks the guest has */
	begin("");
	scope("G", KIND_LV, "v/a", NULL);
	assert_string_equal(judge("\"/dev/sdx\"", ""), "G hold");
	end();

	begin("");
	scope("b", KIND_LV, "v/b", NULL);
	assert_string_equal(judge("", "its XML can't be read"), "hold");
	end();
}

/* Each folder that is named has to be looked into. */
static void named_folders(void **state)
{
	static const struct {
		const char *looked[3];
		bool hold;
	} cases[] = {
		{ { "v/root:/saves", "v/more:/" }, false },
		{ { "v/more:/", "v/root:/saves", "v/root:/saves" }, false },
		{ { "v/root:/saves" }, true },
		{ { "v/root:/saves", "v/more:/x" }, true },
		{ { NULL }, true },
	};
	char json[128];
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		begin("[sweep]\nsaves = v/root:/saves v/more:/\n");
		scope("a", KIND_LV, "v/a", NULL);
		for (k = 0; k < 3 && cases[i].looked[k]; k++) {
			snprintf(json, sizeof(json), "{\"where\": \"%s\", \"looked\": 1}", cases[i].looked[k]);
			saves_add(&t.scopes, json_tokener_parse(json));
		}
		saves_judge(&t.scopes, &t.settings, &t.results);
		assert_int_equal(t.scopes.hold, cases[i].hold);
		assert_int_equal(json_object_array_length(t.results.problems) > 0, cases[i].hold);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_what_its_disks_lie_on),
		cmocka_unit_test(by_its_name),
		cmocka_unit_test(named_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
