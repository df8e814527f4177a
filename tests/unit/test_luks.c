/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LUKS headers, real ones in files, and what their sandbox may answer of them. */
/* link: -Wl,--wrap=blockdev_size,--wrap=lukshead_serve */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "luksbox.h"
#include "tempdisk.h"

#define VOLUME_SIZE (20ull << 20)
#define KEY "0123456789abcdef0123456789abcdef"

int __wrap_blockdev_size(const char *path, uint64_t *bytes, struct err *e);

int __wrap_blockdev_size(const char *path, uint64_t *bytes, struct err *e)
{
	(void)path;
	(void)e;
	*bytes = VOLUME_SIZE;
	return 0;
}

void __wrap_lukshead_serve(const char *device, int slot, int in, int out);
void __real_lukshead_serve(const char *device, int slot, int in, int out);

static void (*taken_over)(int in, int out); /* what a header has made of it; NULL: nothing */

void __wrap_lukshead_serve(const char *device, int slot, int in, int out)
{
	if (taken_over)
		taken_over(in, out);
	else
		__real_lukshead_serve(device, slot, in, out);
}

/* ---- real headers ---- */

/* A LUKS volume in file d with the volume key KEY and the passphrase "secret" in key slot 1, "other" in 2. */
static void make_volume(struct tempdisk *d, const char *type, const char *cipher, const char *mode, void *params,
			uint32_t argon2_kib)
{
	const struct crypt_pbkdf_type pbkdf = {
		.type = argon2_kib ? CRYPT_KDF_ARGON2ID : CRYPT_KDF_PBKDF2, .hash = "sha256",
		.iterations = argon2_kib ? 4 : 1000, .time_ms = 1, .max_memory_kb = argon2_kib,
		.parallel_threads = argon2_kib ? 2 : 0, .flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	const uint32_t flags = CRYPT_ACTIVATE_SAME_CPU_CRYPT | CRYPT_ACTIVATE_ALLOW_DISCARDS;
	struct crypt_device *cd;

	tempdisk_make(d, VOLUME_SIZE);
	assert_int_equal(crypt_init(&cd, d->path), 0);
	crypt_metadata_locking(NULL, 0);
	assert_int_equal(crypt_set_pbkdf_type(cd, &pbkdf), 0);
	assert_int_equal(crypt_format(cd, type, cipher, mode, NULL, KEY, strlen(KEY), params), 0);
	assert_int_equal(crypt_keyslot_add_by_volume_key(cd, 1, NULL, 0, "secret", 6), 1);
	assert_int_equal(crypt_keyslot_add_by_volume_key(cd, 2, NULL, 0, "other", 5), 2);
	if (strcmp(type, CRYPT_LUKS2) == 0)
		assert_int_equal(crypt_persistent_flags_set(cd, CRYPT_FLAGS_ACTIVATION, flags), 0);
	crypt_free(cd);
}

struct server {
	pid_t pid;
	int to, from;
};

static void start(struct server *s, const char *device, int slot)
{
	int in[2], out[2];

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	s->pid = fork();
	if (s->pid == 0) {
		close(in[1]);
		lukshead_serve(device, slot, in[0], out[1]);
		_exit(0);
	}
	close(in[0]);
	close(out[1]);
	s->to = in[1];
	s->from = out[0];
}

static void take(const struct server *s, void *buf, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = read(s->from, (char *)buf + got, size - got);

		assert_true(n > 0);
		got += (size_t)n;
	}
}

/* Returns what is answered to a passphrase; key is the volume's then. */
static int try(const struct server *s, const char *passphrase, char key[LUKS_KEY_MAX + 1])
{
	uint32_t size = (uint32_t)strlen(passphrase);
	struct luks_answer answer;

	assert_int_equal(write(s->to, &size, sizeof(size)), sizeof(size));
	assert_int_equal(write(s->to, passphrase, size), size);
	take(s, &answer, sizeof(answer));
	memcpy(key, answer.key, LUKS_KEY_MAX);
	key[LUKS_KEY_MAX] = 0;
	return answer.rc;
}

static void end(struct server *s)
{
	int status;

	close(s->to);
	close(s->from);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_int_equal(status, 0);
}

static void expect_volume(struct tempdisk *d, const char *cipher, uint32_t sector, uint32_t kib, uint32_t flags)
{
	char key[LUKS_KEY_MAX + 1];
	struct luks_head head;
	struct server s;
	struct err e;

	start(&s, d->path, -1);
	take(&s, &head, sizeof(head));
	if (head.rc != 0)
		fail_msg("%s", head.e.text);
	assert_string_equal(head.facts.cipher, cipher);
	assert_int_equal(head.facts.sector_bytes, sector);
	assert_int_equal(head.facts.argon2_kib, kib);
	assert_int_equal(head.facts.key_bytes, strlen(KEY));
	assert_int_equal(head.facts.flags, flags);
	assert_int_equal(luks_facts_take(&head.facts, VOLUME_SIZE, false, &e), 0);
	assert_int_equal(head.facts.offset + head.facts.sectors, VOLUME_SIZE / 512);
	assert_int_equal(try(&s, "wrong", key), -EKEYREJECTED);
	assert_int_equal(try(&s, "secret", key), 0);
	assert_string_equal(key, KEY);
	assert_int_equal(try(&s, "other", key), 0);
	end(&s);
	start(&s, d->path, 2);
	take(&s, &head, sizeof(head));
	assert_int_equal(try(&s, "secret", key), -EKEYREJECTED);
	assert_int_equal(try(&s, "other", key), 0);
	assert_string_equal(key, KEY);
	end(&s);
	tempdisk_drop(d);
}

static void real_headers(void **state)
{
	struct crypt_params_luks2 small = { .sector_size = 512 }, large = { .sector_size = 4096 };
	struct tempdisk d;

	(void)state;
	make_volume(&d, CRYPT_LUKS1, "aes", "cbc-essiv:sha256", NULL, 0);
	expect_volume(&d, "aes-cbc-essiv:sha256", 512, 0, 0);
	make_volume(&d, CRYPT_LUKS2, "aes", "xts-plain64", &small, 0);
	expect_volume(&d, "aes-xts-plain64", 512, 0, CRYPT_ACTIVATE_SAME_CPU_CRYPT);
	make_volume(&d, CRYPT_LUKS2, "aes", "xts-plain64", &large, 1 << 10);
	expect_volume(&d, "aes-xts-plain64", 4096, 1 << 10, CRYPT_ACTIVATE_SAME_CPU_CRYPT);
}

/* The first of LUKS2's two headers is gone. */
static void second_header(void **state)
{
	static const char zeros[4096];
	struct crypt_params_luks2 small = { .sector_size = 512 };
	struct tempdisk d;

	(void)state;
	make_volume(&d, CRYPT_LUKS2, "aes", "xts-plain64", &small, 0);
	tempdisk_put(&d, 0, zeros, sizeof(zeros));
	expect_volume(&d, "aes-xts-plain64", 512, 0, CRYPT_ACTIVATE_SAME_CPU_CRYPT);
}

static void detached_header(void **state)
{
	struct crypt_params_luks2 apart = { .sector_size = 512 };
	struct tempdisk data, header;
	char key[LUKS_KEY_MAX + 1];
	struct luks_head head;
	struct server s;
	struct err e;

	(void)state;
	tempdisk_make(&data, VOLUME_SIZE);
	apart.data_device = data.path;
	make_volume(&header, CRYPT_LUKS2, "aes", "xts-plain64", &apart, 0);
	start(&s, header.path, -1);
	take(&s, &head, sizeof(head));
	assert_int_equal(head.rc, 0);
	assert_int_equal(head.facts.offset, 0);
	assert_int_equal(luks_facts_take(&head.facts, VOLUME_SIZE, true, &e), 0);
	assert_int_equal(head.facts.sectors, VOLUME_SIZE / 512);
	assert_int_equal(try(&s, "secret", key), 0);
	assert_string_equal(key, KEY);
	end(&s);
	tempdisk_drop(&header);
	tempdisk_drop(&data);
}

static void no_header(void **state)
{
	struct luks_head head;
	struct tempdisk d;
	struct server s;

	(void)state;
	tempdisk_make(&d, VOLUME_SIZE);
	start(&s, d.path, -1);
	take(&s, &head, sizeof(head));
	assert_int_equal(head.rc, -EINVAL);
	assert_string_equal(head.e.word, "bad-header");
	assert_null(strstr(head.e.text, "device-mapper")); /* which is none of the header's */
	assert_null(strstr(head.e.text, "\\x"));
	end(&s);
	tempdisk_drop(&d);
}

static void expect_head(const struct tempdisk *d, int rc, const char *word, unsigned one_header)
{
	struct luks_head head;
	struct server s;

	start(&s, d->path, -1);
	take(&s, &head, sizeof(head));
	assert_int_equal(head.rc, rc);
	assert_string_equal(rc == 0 ? "" : head.e.word, word);
	assert_int_equal(head.facts.one_header, one_header);
	end(&s);
}

static void two_headers(void **state)
{
	static const char zeros[4096];
	struct crypt_params_luks2 small = { .sector_size = 512 };
	struct tempdisk d;

	(void)state;
	make_volume(&d, CRYPT_LUKS2, "aes", "xts-plain64", &small, 0);
	expect_head(&d, 0, "", 0);
	tempdisk_put(&d, 4096, zeros, 1); /* the first one's checksum is wrong */
	expect_head(&d, 0, "", 1);
	tempdisk_drop(&d);
	make_volume(&d, CRYPT_LUKS2, "aes", "xts-plain64", &small, 0);
	tempdisk_put(&d, 16384, zeros, sizeof(zeros)); /* the second is gone */
	expect_head(&d, 0, "", 1);
	tempdisk_put(&d, 0, zeros, sizeof(zeros));
	expect_head(&d, -EINVAL, "bad-header", 0);
	tempdisk_drop(&d);
}

static void erased(void **state)
{
	struct crypt_params_luks2 small = { .sector_size = 512 };
	const char *const types[] = { CRYPT_LUKS1, CRYPT_LUKS2 };
	struct crypt_device *cd;
	struct tempdisk d;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		make_volume(&d, types[i], "aes", "xts-plain64", i ? &small : NULL, 0);
		assert_int_equal(crypt_init(&cd, d.path), 0);
		assert_int_equal(crypt_load(cd, CRYPT_LUKS, NULL), 0);
		assert_int_equal(crypt_keyslot_destroy(cd, 1), 0);
		assert_int_equal(crypt_keyslot_destroy(cd, 2), 0);
		crypt_free(cd);
		expect_head(&d, -ENOKEY, "no-key", 0);
		tempdisk_drop(&d);
	}
}

/* ---- what it may say ---- */

static const struct luks_facts fine = {
	.key_bytes = 64, .sector_bytes = 4096, .offset = 32768, .sectors = 64, .cipher = "xchacha12,aes-adiantum-plain64",
};

static void expect_refused(const struct luks_facts *changed, bool is_detached)
{
	struct luks_facts f = *changed;
	struct err e;

	assert_int_equal(luks_facts_take(&f, VOLUME_SIZE, is_detached, &e), -EINVAL);
	assert_string_equal(e.word, "bad-header");
}

static void answers_are_checked(void **state)
{
	static const char *const ciphers[] = { "", "aes-xts-plain64 0", "aes/../x", "aes\n-x", "A-xts", "aes%n" };
	struct luks_facts f = fine;
	struct err e;
	size_t i;

	(void)state;
	assert_int_equal(luks_facts_take(&f, VOLUME_SIZE, false, &e), 0);
	assert_int_equal(f.sectors, 64);
	f.sectors = 0;
	f.flags = ~0u;
	assert_int_equal(luks_facts_take(&f, VOLUME_SIZE, false, &e), 0);
	assert_int_equal(f.sectors, VOLUME_SIZE / 512 - 32768);
	assert_int_equal(f.flags, LUKS_FLAGS);
	for (i = 0; i < ARRAY_SIZE(ciphers); i++) {
		f = fine;
		snprintf(f.cipher, sizeof(f.cipher), "%s", ciphers[i]);
		expect_refused(&f, false);
	}
	memset(f.cipher, 'a', sizeof(f.cipher));
	expect_refused(&f, false);
#define REFUSED(member, value) (f = fine, f.member = (value), expect_refused(&f, false))
	REFUSED(key_bytes, 0);
	REFUSED(key_bytes, LUKS_KEY_MAX + 1);
	REFUSED(sector_bytes, 0);
	REFUSED(sector_bytes, 256);
	REFUSED(sector_bytes, 8192);
	REFUSED(sector_bytes, 1536);
	REFUSED(offset, 0);
	REFUSED(offset, VOLUME_SIZE / 512);
	REFUSED(offset, UINT64_MAX);
	REFUSED(sectors, VOLUME_SIZE / 512 - 32768 + 8);
	REFUSED(sectors, UINT64_MAX - 7);
	REFUSED(sectors, 9);
	REFUSED(tag_bytes, 257);
	REFUSED(authenticates, 2);
	f = fine;
	f.offset = 0;
	assert_int_equal(luks_facts_take(&f, VOLUME_SIZE, true, &e), 0);
}

/* ---- the sandbox ---- */

static unsigned hour(void)
{
	return 3600;
}

static bool is_cancelled;

static bool cancelled(void)
{
	return is_cancelled;
}

static const struct walk_env env = { .seconds_left = hour, .cancelled = cancelled };

static void expect_start(int rc, const char *word, const char *part)
{
	struct luks_box b;
	struct err e;

	assert_int_equal(luksbox_start(&b, &env, "/dev/zero", "/dev/zero", -1, &e), rc);
	assert_string_equal(e.word, word);
	if (!strstr(e.text, part))
		fail_msg("%s", e.text);
	luksbox_end(&b);
	assert_int_equal(b.pid, 0);
}

static void look_around(int in, int out)
{
	struct luks_head head = { .rc = -ENOENT };

	(void)in;
	snprintf(head.e.text, sizeof(head.e.text), "random %d other %d socket %d network %d fork %d",
		 open("/dev/urandom", O_RDONLY) >= 0, open("/etc/passwd", O_RDONLY) >= 0,
		 socket(AF_UNIX, SOCK_STREAM, 0) >= 0, socket(AF_INET, SOCK_STREAM, 0) >= 0, fork() >= 0);
	if (write(out, &head, sizeof(head)) < 0)
		_exit(1);
}

static void say_much(int in, int out)
{
	struct luks_head head = { .rc = INT32_MIN };

	(void)in;
	memset(&head.e, '\033', sizeof(head.e));
	if (write(out, &head, sizeof(head)) < 0)
		_exit(1);
}

static void break_down(int in, int out)
{
	(void)in;
	(void)out;
	_exit(7);
}

/* Tells the passphrase wherever it can. */
static void tell(int in, int out)
{
	struct luks_head head = { .facts = fine };
	struct luks_answer answer = { .rc = -1234 };
	uint32_t size;

	if (write(out, &head, sizeof(head)) < 0 || read(in, &size, sizeof(size)) < 0 ||
	    read(in, answer.key, size) < 0 || write(out, &answer, sizeof(answer)) < 0)
		_exit(1);
}

static void hang(int in, int out)
{
	(void)in;
	(void)out;
	for (;;)
		pause();
}

/* No machine has a block device for a test; others stand for one. */
static void what_is_in_it(void **state)
{
	struct luks_box b;
	struct err e;

	(void)state;
	if (geteuid() != 0)
		skip();
	taken_over = NULL;
	expect_start(-ENOTBLK, "bad-header", "/dev/zero");
	taken_over = look_around;
	expect_start(-ENOENT, "", "random 1 other 0 socket 0 network 0 fork 0");
	assert_int_equal(luksbox_start(&b, &env, "/dev/nowhere", "/dev/nowhere", -1, &e), -ENOENT);
	luksbox_end(&b);
}

static void taken_over_by_a_header(void **state)
{
	cleanup_secret struct secret *passphrase = NULL, *key = NULL;
	struct luks_box b;
	struct err e;

	(void)state;
	if (geteuid() != 0)
		skip();
	taken_over = break_down;
	expect_start(-EIO, "tool-failed", "exit status 7");
	taken_over = say_much;
	expect_start(-EIO, "\\x1b\\x1b\\x1b\\x1b\\x1b\\x1b\\x1b", "\\x1b\\x1b");
	taken_over = hang;
	is_cancelled = true;
	expect_start(-ECANCELED, "", "ended");
	is_cancelled = false;
	taken_over = tell;
	passphrase = secret_new(6, &e);
	memcpy(secret_bytes(passphrase), "secret", 6);
	assert_int_equal(luksbox_start(&b, &env, "/dev/zero", "/dev/zero", -1, &e), 0);
	assert_int_equal(luksbox_try(&b, passphrase, &key, &e), -EINVAL);
	assert_string_equal(e.text, "LUKS: a key slot can't be tried: it asks for a hash, a cipher or a key derivation that is not known here, or it is damaged");
	/* it has ended, and then is waited for no more */
	assert_int_equal(luksbox_try(&b, passphrase, &key, &e), -EIO);
	assert_int_equal(b.pid, 0);
	assert_int_equal(luksbox_try(&b, passphrase, &key, &e), -EIO);
	assert_string_equal(e.word, "tool-failed");
	luksbox_end(&b);
	assert_null(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_headers),
		cmocka_unit_test(second_header),
		cmocka_unit_test(detached_header),
		cmocka_unit_test(no_header),
		cmocka_unit_test(two_headers),
		cmocka_unit_test(erased),
		cmocka_unit_test(answers_are_checked),
		cmocka_unit_test(what_is_in_it),
		cmocka_unit_test(taken_over_by_a_header),
	};

	signal(SIGPIPE, SIG_IGN); /* as in the sweep */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
