/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Undo files in their sandbox: sound ones, none, and some that have taken over who reads them. */
/* link: -Wl,--wrap=undofile_hash,--wrap=undofile_knows_super,--wrap=undofile_play,--wrap=sandbox_fork */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include "sandbox.h"
#include "tempdisk.h"
#include "undobox.h"
#include "undofile.h"
#include "undoplan.h"

#define BLOCK 1024
#define KEYS (BLOCK / 16 - 1)
#define DISK_BYTES (8 * BLOCK)

int __wrap_undofile_hash(const struct undofile *u, int device, unsigned char hash[UNDOFILE_HASH_BYTES], struct err *e);
int __real_undofile_hash(const struct undofile *u, int device, unsigned char hash[UNDOFILE_HASH_BYTES], struct err *e);
bool __wrap_undofile_knows_super(const struct undofile *u, int device);
bool __real_undofile_knows_super(const struct undofile *u, int device);
int __wrap_undofile_play(const struct undofile *u, int device, struct err *e);
int __real_undofile_play(const struct undofile *u, int device, struct err *e);

/* What a file has made of who reads it, and of who plays it back; NULL: nothing. */
static int (*reading)(const struct undofile *u, int device, struct err *e);
static int (*playing)(const struct undofile *u, int device, struct err *e);

int __wrap_undofile_hash(const struct undofile *u, int device, unsigned char hash[UNDOFILE_HASH_BYTES], struct err *e)
{
	return reading ? reading(u, device, e) : __real_undofile_hash(u, device, hash, e);
}

bool __wrap_undofile_knows_super(const struct undofile *u, int device)
{
	struct err e;

	return reading ? reading(u, device, &e) == 0 : __real_undofile_knows_super(u, device);
}

int __wrap_undofile_play(const struct undofile *u, int device, struct err *e)
{
	return playing ? playing(u, device, e) : __real_undofile_play(u, device, e);
}

pid_t __wrap_sandbox_fork(const struct sandbox *s, const int *fds, size_t n, void (*code)(void *arg), void *arg,
			  struct err *e);
pid_t __real_sandbox_fork(const struct sandbox *s, const int *fds, size_t n, void (*code)(void *arg), void *arg,
			  struct err *e);

/* A file stands for the device, whose size no limit is about. */
pid_t __wrap_sandbox_fork(const struct sandbox *s, const int *fds, size_t n, void (*code)(void *arg), void *arg,
			  struct err *e)
{
	struct sandbox box = *s;

	assert_int_equal(s->file_bytes, 0);
	box.file_bytes = DISK_BYTES;
	return __real_sandbox_fork(&box, fds, n, code, arg, e);
}

/* ---- what it is asked about ---- */

static struct tempdisk file, disk;
static unsigned char content[DISK_BYTES];
static struct node device, fs = { .id = 7, .parents = { &device }, .n_parents = 1, .bytes = DISK_BYTES };

static unsigned hour(void)
{
	return 3600;
}

static const struct walk_env env = { .seconds_left = hour, .log_dir = "/nowhere" };

static uint32_t crc(const void *data, size_t size)
{
	return ext2fs_crc32c_le(~0u, data, size);
}

static void put(unsigned char *p, uint64_t v, size_t size)
{
	memcpy(p, &v, size);
}

/* Saves block 5 of a disk full of 'x', where 'a' was. */
static int set_up(void **state)
{
	unsigned char f[4 * BLOCK] = "E2UNDO02";
	size_t i;

	(void)state;
	if (geteuid() != 0)
		return 0;
	reading = NULL;
	playing = NULL;
	memset(content, 'x', sizeof(content));
	memset(f + 3 * BLOCK, 'a', BLOCK);
	put(f + 2 * BLOCK, 0xcadecade, 4);
	put(f + 2 * BLOCK + 16, 5, 8);
	put(f + 2 * BLOCK + 24, crc(f + 3 * BLOCK, BLOCK), 4);
	put(f + 2 * BLOCK + 28, BLOCK, 4);
	for (i = 1; i < KEYS; i++)
		put(f + 2 * BLOCK + 24 + i * 16, ~0u, 4);
	put(f + 2 * BLOCK + 4, crc(f + 2 * BLOCK, BLOCK), 4);
	put(f + 8, KEYS, 8);
	put(f + 24, 2, 8);
	put(f + 32, BLOCK, 4);
	put(f + 36, BLOCK, 4);
	put(f + 40, crc(content + BLOCK, BLOCK), 4);
	put(f + 44, 1, 4);
	put(f + 508, crc(f, 508), 4);
	tempdisk_make(&file, 0);
	tempdisk_make(&disk, 0);
	tempdisk_put(&file, 0, f, sizeof(f));
	tempdisk_put(&disk, 0, content, sizeof(content));
	snprintf(device.device, sizeof(device.device), "%s", disk.path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (geteuid() == 0) {
		tempdisk_drop(&file);
		tempdisk_drop(&disk);
	}
	return 0;
}

static void expect_disk(void)
{
	unsigned char now[sizeof(content)];

	tempdisk_get(&disk, 0, now, sizeof(now));
	assert_memory_equal(now, content, sizeof(now));
}

static void sound_ones(void **state)
{
	char first[UNDOBOX_HASH_SIZE], hash[UNDOBOX_HASH_SIZE];
	struct err e = { 0 };
	bool known;

	(void)state;
	if (geteuid() != 0)
		skip();
	if (undobox_hash(&env, &fs, file.path, first, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(strspn(first, "0123456789abcdef"), 128);
	assert_int_equal(undobox_knows_super(&env, &fs, file.path, &known, &e), 0);
	assert_true(known);
	expect_disk();
	assert_int_equal(undobox_play(&env, &fs, file.path, &e), 0);
	memset(content + 5 * BLOCK, 'a', BLOCK);
	expect_disk();
	assert_int_equal(undobox_hash(&env, &fs, file.path, hash, &e), 0);
	assert_string_not_equal(first, hash);
	content[BLOCK]++;
	tempdisk_put(&disk, 0, content, sizeof(content));
	assert_int_equal(undobox_knows_super(&env, &fs, file.path, &known, &e), 0);
	assert_false(known);
}

static void none_at_all(void **state)
{
	char hash[UNDOBOX_HASH_SIZE];
	struct err e;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(undobox_hash(&env, &fs, "/nowhere", hash, &e), -ENOENT);
	assert_string_equal(e.word, "bad-undo");
	assert_int_equal(ftruncate(file.fd, 3 * BLOCK), 0);
	assert_int_equal(undobox_hash(&env, &fs, file.path, hash, &e), -EUCLEAN);
	assert_string_equal(e.text, "the undo file is damaged: what it has saved is not whole");
	assert_int_equal(undobox_play(&env, &fs, file.path, &e), -EUCLEAN);
	expect_disk();
	assert_int_equal(ftruncate(file.fd, 0), 0);
	assert_int_equal(undobox_hash(&env, &fs, file.path, hash, &e), -ENODATA);
}

/* ---- taken over ---- */

static int look_around(const struct undofile *u, int fd, struct err *e)
{
	const long there = pwrite(u->fd, "y", 1, 0), device_there = pwrite(fd, "y", 1, 0);

	return err_set(e, ENOENT, "file %d device %d other %d disk %d", there == 1, device_there == 1,
		       open("/etc/passwd", O_RDONLY) >= 0, open(device.device, O_RDWR) >= 0);
}

static int call_out(const struct undofile *u, int fd, struct err *e)
{
	(void)u;
	(void)fd;
	(void)e;
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int write_some(const struct undofile *u, int fd, struct err *e)
{
	(void)u;
	(void)e;
	_exit(pwrite(fd, "y", 1, 0) == 1 ? 7 : 8);
}

static int say_much(const struct undofile *u, int fd, struct err *e)
{
	(void)u;
	(void)fd;
	memset(e, '\033', sizeof(*e));
	return INT32_MIN;
}

static void taken_over(void **state)
{
	char hash[UNDOBOX_HASH_SIZE];
	struct err e;
	bool known;

	(void)state;
	if (geteuid() != 0)
		skip();
	reading = look_around;
	assert_int_equal(undobox_hash(&env, &fs, file.path, hash, &e), -ENOENT);
	assert_string_equal(e.text, "file 0 device 0 other 0 disk 0");
	playing = look_around;
	assert_int_equal(undobox_play(&env, &fs, file.path, &e), -ENOENT);
	assert_string_equal(e.text, "a part of it may have been written: file 0 device 1 other 0 disk 0");
	reading = call_out;
	assert_int_equal(undobox_hash(&env, &fs, file.path, hash, &e), -EIO);
	assert_string_equal(e.text, "reading the undo file broke off in its sandbox (killed by signal 31)");
	assert_int_equal(undobox_knows_super(&env, &fs, file.path, &known, &e), -EIO);
	assert_false(known);
	reading = say_much;
	assert_int_equal(undobox_hash(&env, &fs, file.path, hash, &e), -EIO);
	assert_string_equal(e.word, "\\x1b\\x1b\\x1b\\x1b\\x1b\\x1b\\x1b");
	assert_null(strchr(e.text, '\033'));
}

/* What was begun is no repair taken back, and not left alone either. */
static void broken_off(void **state)
{
	struct undo_item item = { .uuid = "u" };
	struct undoplan plan = { .items = &item, .n = 1, .run = "20261121T080245Z" };
	struct walk w = { .env = &env };
	struct err e;

	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(item.path, sizeof(item.path), "%s", file.path);
	snprintf(fs.uuid, sizeof(fs.uuid), "u");
	playing = write_some;
	assert_int_equal(undoplan_apply(&plan, &w, &fs, &e), -EIO);
	assert_string_equal(e.word, "tool-failed");
	assert_string_equal(e.text, "a part of it may have been written: playing the undo file back broke off in its sandbox (exit status 7)");
	assert_int_equal(fs.verdict, VERDICT_NONE); /* the walk makes an error of it */
	content[0] = 'y';
	expect_disk();
	reading = call_out;
	assert_int_equal(undoplan_apply(&plan, &w, &fs, &e), -EIO);
	assert_string_equal(e.text, "reading the undo file broke off in its sandbox (killed by signal 31)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sound_ones, set_up, tear_down),
		cmocka_unit_test_setup_teardown(none_at_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(taken_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(broken_off, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
