/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "host.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "plan.h"
#include "spawn.h"

#define OUTPUT_MAX (16u << 20)
#define TEXT_MAX 65536

const char *host_root(void)
{
	const char *root = getenv("GUESTSWEEP_ROOT");

	return root ? root : "";
}

char *host_path(char *buf, const char *fmt, ...)
{
	size_t n = strlen(host_root());
	va_list ap;

	snprintf(buf, PATH_MAX, "%s", host_root());
	va_start(ap, fmt);
	if (n < PATH_MAX)
		vsnprintf(buf + n, PATH_MAX - n, fmt, ap);
	va_end(ap);
	return buf;
}

bool host_has(const char *path)
{
	char full[PATH_MAX];

	return access(host_path(full, "%s", path), F_OK) == 0;
}

int host_program(const char *name, char *path, struct err *e)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/bin", "/usr/local/sbin",
					       "/usr/local/bin", "/sbin", "/bin", "/usr/lib" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(folders); i++)
		if (access(host_path(path, "%s/%s", folders[i], name), X_OK) == 0)
			return 0;
	return err_set(e, ENOENT, "there is no %s on this host", name);
}

static int run(const char *const argv[], struct spawn_options *o, struct err *e)
{
	char path[PATH_MAX], how[300];
	const char *words[32] = { path };
	struct spawn_result r;
	size_t i;
	int rc = host_program(argv[0], path, e);

	for (i = 1; argv[i] && i + 1 < ARRAY_SIZE(words); i++)
		words[i] = argv[i];
	if (rc == 0)
		rc = spawn_run(words, o, &r, e);
	if (rc < 0)
		return rc;
	if (r.how != SPAWN_EXITED)
		return err_set(e, EINTR, "%s: %s", argv[0], spawn_describe(&r, how, sizeof(how)));
	if (r.code)
		err_set(e, EIO, "%s: %s", argv[0], spawn_describe(&r, how, sizeof(how)));
	return r.code;
}

int host_run(const char *const argv[], unsigned timeout_s, char **out, struct err *e)
{
	struct spawn_options o = { .timeout_s = timeout_s, .out = out, .out_limit = OUTPUT_MAX };

	return run(argv, &o, e);
}

int host_run_with_input(const char *const argv[], const char *in_path, unsigned timeout_s,
			struct err *e)
{
	struct spawn_options o = { .timeout_s = timeout_s, .in_path = in_path };

	return run(argv, &o, e);
}

char *host_text(const char *path, char *buf, size_t size)
{
	cleanup_free char *text = NULL;
	char full[PATH_MAX];
	struct err e;

	buf[0] = 0;
	if (file_read(host_path(full, "%s", path), TEXT_MAX, &text, NULL, &e) == 0)
		snprintf(buf, size, "%s", text);
	buf[strcspn(buf, "\n")] = 0;
	return buf;
}

int host_machine_id(char *id, struct err *e)
{
	host_text("/etc/machine-id", id, PLAN_HEX128);
	if (strlen(id) != 32)
		return err_set(e, ENOENT, "/etc/machine-id has no 32 digits; systemd-machine-id-setup makes it");
	return 0;
}

/* A label as udev writes it in a link's name: libblkid's blkid_encode_string(). */
static void encode(const char *text, char *out, size_t size)
{
	size_t used = 0;

	for (; *text && used + 5 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("#+-.:=@_", c) || c >= 0x80)
			out[used++] = (char)c;
		else
			used += (size_t)snprintf(out + used, 5, "\\x%02x", c);
	}
	out[used] = 0;
}

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* The link or file that spec names. */
static char *device_link(const char *spec, char *path)
{
	static const struct { const char *key, *folder; bool any_case; } keys[] = {
		{ "LABEL=", "label", false }, { "UUID=", "uuid", false },
		{ "PARTUUID=", "partuuid", true },
	};
	char value[1024];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strncmp(spec, keys[i].key, strlen(keys[i].key)) != 0)
			continue;
		encode(spec + strlen(keys[i].key), value, sizeof(value));
		if (keys[i].any_case)
			lower(value);
		return host_path(path, "/dev/disk/by-%s/%s", keys[i].folder, value);
	}
	return host_path(path, "%s%s", spec[0] == '/' ? "" : "/dev/", spec);
}

int host_device(const char *spec, char *device, struct err *e)
{
	char path[PATH_MAX];

	if (!realpath(device_link(spec, path), device))
		return err_set(e, ENODEV, "%s is on no disk of this host", spec);
	return 0;
}

bool host_uuid_of(const char *source, char *uuid, size_t size)
{
	char folder_path[PATH_MAX], link[PATH_MAX], device[PATH_MAX], target[PATH_MAX];
	cleanup_dir DIR *dir = opendir(host_path(folder_path, "/dev/disk/by-uuid"));
	struct dirent *entry;

	if (!realpath(host_path(link, "%s", source), device))
		return false;
	while (dir && (entry = readdir(dir))) {
		host_path(link, "/dev/disk/by-uuid/%s", entry->d_name);
		if (entry->d_name[0] != '.' && realpath(link, target) && strcmp(target, device) == 0) {
			snprintf(uuid, size, "%s", entry->d_name);
			return true;
		}
	}
	return false;
}

/* mountinfo writes blank, tab, newline and backslash as \ooo (proc(5)). */
static void decode(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = 0;
}

static bool parse_mount(const char *line, struct mount_point *m)
{
	const char *rest = strstr(line, " - ");
	char options[256];

	if (!rest || sscanf(line, "%*u %*u %u:%u %4095s %4095s %255s", &m->major, &m->minor, m->root,
			    m->folder, options) != 5 ||
	    sscanf(rest, " - %31s %4095s", m->type, m->source) != 2)
		return false;
	m->read_only = strncmp(options, "ro", 2) == 0 && (!options[2] || options[2] == ',');
	decode(m->root);
	decode(m->folder);
	decode(m->source);
	return true;
}

static FILE *open_mounts(void)
{
	char path[PATH_MAX];

	return fopen(host_path(path, "/proc/self/mountinfo"), "re");
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	if (strcmp(folder, "/") == 0)
		return true;
	return strncmp(path, folder, n) == 0 && (!path[n] || path[n] == '/');
}

int host_mount_of(const char *path, struct mount_point *m, struct err *e)
{
	cleanup_file FILE *f = open_mounts();
	struct mount_point one;
	char line[3 * PATH_MAX];
	size_t best = 0;

	while (f && fgets(line, sizeof(line), f))
		/* of two at one folder the later one hides the other */
		if (parse_mount(line, &one) && is_below(path, one.folder) && strlen(one.folder) >= best) {
			best = strlen(one.folder);
			*m = one;
		}
	return best ? 0 : err_set(e, ENOENT, "%s lies on no filesystem that is known", path);
}

int host_mount_of_device(const char *device, struct mount_point *m, struct err *e)
{
	cleanup_file FILE *f = open_mounts();
	char line[3 * PATH_MAX], path[PATH_MAX], source[PATH_MAX];

	while (f && fgets(line, sizeof(line), f)) {
		if (!parse_mount(line, m) || strcmp(m->root, "/") != 0 || m->source[0] != '/')
			continue;
		if (realpath(host_path(path, "%s", m->source), source) && strcmp(source, device) == 0)
			return 0;
	}
	return err_set(e, ENOENT, "%s is not mounted", device);
}
