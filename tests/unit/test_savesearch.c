/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folders of a mounted filesystem where libvirt may have saved guests; their files are read by the reader. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "imagefolder.h"
#include "nodejson.h"
#include "savesearch.h"
#include "settings_helpers.h"

#define HEADER 92

static void put_save(const struct folder *f, const char *path, const char *xml)
{
	unsigned char head[1024] = "LibvirtQemudSave\2";
	uint32_t length = (uint32_t)strlen(xml) + 1;

	memcpy(head + 20, &length, 4);
	memcpy(head + HEADER, xml, length);
	folder_put(f, path, 0, head, sizeof(head));
}

/* What is found, a line each: where, name, domain, sources, problem; or the folder that was looked into. */
static const char *found(const struct folder *f, const char *sweep_conf)
{
	static char text[4096];
	json_object *saves = json_object_new_array(), *sources;
	struct settings s;
	size_t i, n;

	read_good(&s, sweep_conf, "");
	savesearch_mounted(&s, f->path, "v/l", saves);
	n = json_object_array_length(saves);
	text[0] = 0;
	for (i = 0; i < n; i++) {
		json_object *o = json_object_array_get_idx(saves, i);

		if (json_number(o, "looked")) {
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", json_text(o, "where"));
			continue;
		}
		assert_true(json_object_object_get_ex(o, "sources", &sources));
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s|%s|%s|%s|%s\n", json_text(o, "where"),
			 json_text(o, "name"), json_text(o, "domain"),
			 json_object_to_json_string_ext(sources, JSON_C_TO_STRING_NOSLASHESCAPE), json_text(o, "problem"));
	}
	json_object_put(saves);
	settings_free(&s);
	return text;
}

#define DOMAIN "<domain><name>imap</name><devices><disk><source dev='/dev/v/imap'/></disk></devices></domain>"

static void where_libvirt_keeps_them(void **state)
{
	struct folder f;

	(void)state;
	if (geteuid() != 0)
		skip();
	folder_make(&f);
	folder_run(&f, "mkdir -p var/lib/libvirt/qemu/save");
	assert_string_equal(found(&f, ""), "");
	put_save(&f, "var/lib/libvirt/qemu/save/a.save", DOMAIN);
	folder_text(&f, "var/lib/libvirt/qemu/save/a.xml", "no save");
	assert_string_equal(found(&f, ""),
			    "v/l:/var/lib/libvirt/qemu/save/a.save|a|imap|[\"/dev/v/imap\"]|\n");
	folder_run(&f, "mv var/lib/libvirt/qemu/save/a.save 'var/lib/libvirt/qemu/save/\x1b[2J.save'");
	assert_string_equal(found(&f, ""), "v/l:/var/lib/libvirt/qemu/save/\\x1b[2J.save|\\x1b[2J|imap|"
					   "[\"/dev/v/imap\"]|\n");
	folder_run(&f, "rm var/lib/libvirt/qemu/save/*; echo torn > var/lib/libvirt/qemu/save/b.save");
	assert_string_equal(found(&f, ""), "v/l:/var/lib/libvirt/qemu/save/b.save|b||[]|"
					   "it does not begin like a save of libvirt\n");
	folder_run(&f, "rm var/lib/libvirt/qemu/save/*; mkfifo var/lib/libvirt/qemu/save/c.save");
	assert_string_equal(found(&f, ""), "v/l:/var/lib/libvirt/qemu/save/c.save|c||[]|it can't be read\n");
	folder_drop(&f);
}

/* Where the folder may be anybody's, only what begins like a save is one. */
static void where_they_may_be(void **state)
{
	struct folder f;

	(void)state;
	if (geteuid() != 0)
		skip();
	folder_make(&f);
	folder_text(&f, "game.save", "level 7");
	assert_string_equal(found(&f, ""), "");
	put_save(&f, "guest.save", DOMAIN);
	assert_string_equal(found(&f, ""), "v/l:/guest.save|guest|imap|[\"/dev/v/imap\"]|\n");
	folder_run(&f, "rm guest.save; mkdir sub; mv game.save sub");
	assert_string_equal(found(&f, "[sweep]\nsaves = v/l:/sub\n"),
			    "v/l:/sub/game.save|game||[]|it does not begin like a save of libvirt\nv/l:/sub\n");
	assert_string_equal(found(&f, "[sweep]\nsaves = v/l:/nowhere\n"), "");
	folder_drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_libvirt_keeps_them),
		cmocka_unit_test(where_they_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
