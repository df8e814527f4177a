/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "luksbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "blockdev.h"
#include "boxtalk.h"
#include "cleanup.h"
#include "sandbox.h"
#include "sandbox_profiles.h"

#define LIMIT_S 840      /* for an answer; the supervisor gives 900 to the opening of a layer */
#define GRACE_MS 1000
#define MEMORY_BESIDES (64ull << 20) /* what it needs but for Argon2 */
#define SECTOR 512
#define LEAST_SECTOR 512u
#define MOST_SECTOR 4096u
#define MOST_TAG 256u
#define CIPHER_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_-:,()"

/* ---- what it says ---- */

static int wrong(struct err *e, const char *what)
{
	return err_set_word(e, EINVAL, "bad-header", "LUKS: the header can't be right: %s", what);
}

static bool is_cipher(const char cipher[LUKS_CIPHER_MAX])
{
	size_t n = strnlen(cipher, LUKS_CIPHER_MAX);

	return n > 0 && n < LUKS_CIPHER_MAX && strspn(cipher, CIPHER_LETTERS) == n;
}

int luks_facts_take(struct luks_facts *f, uint64_t device_bytes, bool is_detached, struct err *e)
{
	uint64_t there = device_bytes / SECTOR;
	uint32_t sector = f->sector_bytes;

	if (!is_cipher(f->cipher))
		return wrong(e, "it names no cipher");
	if (f->key_bytes == 0 || f->key_bytes > LUKS_KEY_MAX)
		return wrong(e, "the length of its key");
	if (sector < LEAST_SECTOR || sector > MOST_SECTOR || (sector & (sector - 1)))
		return wrong(e, "the size of its sectors");
	if (f->offset == 0 && !is_detached)
		return wrong(e, "the data lies over it");
	if (f->offset >= there)
		return wrong(e, "the data lies behind the end of the volume");
	if (f->sectors > there - f->offset)
		return wrong(e, "the data is larger than the volume");
	if (f->sectors == 0)
		f->sectors = there - f->offset;
	if (f->sectors % (sector / SECTOR))
		return wrong(e, "the size of the data is no multiple of its sectors'");
	if (f->tag_bytes > MOST_TAG || f->authenticates > 1)
		return wrong(e, "its authentication");
	if (f->one_header > 1)
		return wrong(e, "the number of its headers");
	f->flags &= LUKS_FLAGS;
	return 0;
}

/* ---- the process ---- */

struct task {
	const char *header;
	int slot;
};

enum { IN, OUT, NOTHING, N_FDS }; /* its descriptors */

static void serve(void *arg)
{
	const struct task *t = arg;

	lukshead_serve(t->header, t->slot, IN, OUT);
}

static long until_ms(const struct luks_box *b)
{
	unsigned left = b->env->seconds_left();

	return boxtalk_now_ms() + 1000L * (left < LIMIT_S ? left : LIMIT_S);
}

static int start(struct luks_box *b, const struct task *t, struct err *e)
{
	const struct sandbox_path devices[] = {
		{ t->header, false }, { "/dev/urandom", false }, { "/dev/random", false },
	};
	const struct sandbox box = { .profile = &sandbox_luks, .devices = devices, .n_devices = ARRAY_SIZE(devices),
				     .seconds = LIMIT_S };
	cleanup_fd int its_in = -1, its_out = -1, nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	int in[2], out[2], fds[N_FDS];

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_set(e, errno, "pipe: %s", strerror(errno));
	its_in = in[0];
	b->to = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_set(e, errno, "pipe: %s", strerror(errno));
	b->from = out[0];
	its_out = out[1];
	/* one that doesn't read stops nobody */
	if (fcntl(b->to, F_SETFL, O_NONBLOCK) < 0)
		return err_set(e, errno, "pipe: %s", strerror(errno));
	memcpy(fds, (int[]){ its_in, its_out, nothing }, sizeof(fds));
	b->pid = sandbox_fork(&box, fds, N_FDS, serve, (void *)t, e);
	return b->pid < 0 ? b->pid : 0;
}

/* Returns its wait status; -1: it is gone. */
static int stop(struct luks_box *b)
{
	int status;

	if (b->pid <= 0)
		return -1;
	kill(b->pid, SIGKILL);
	status = sandbox_wait(b->pid);
	b->pid = 0;
	return status;
}

void luksbox_end(struct luks_box *b)
{
	long until = boxtalk_now_ms() + GRACE_MS;
	char ignored;

	if (b->to >= 0)
		close(b->to);
	/* at the end of its input it wipes what it has of keys, and goes */
	while (b->pid > 0 && boxtalk_receive(b->from, &ignored, 1, until, NULL))
		;
	if (b->from >= 0)
		close(b->from);
	b->to = b->from = -1;
	stop(b);
}

/* Why it has not taken, or not said, what it was to. */
static int no_answer(struct luks_box *b, long until, struct err *e)
{
	bool in_time = boxtalk_now_ms() < until;

	if (b->env->cancelled())
		return err_set(e, ECANCELED, "the sweep was ended");
	return boxtalk_broken(in_time ? stop(b) : -1, e);
}

static int receive(struct luks_box *b, void *answer, size_t size, struct err *e)
{
	long until = until_ms(b);

	return boxtalk_receive(b->from, answer, size, until, b->env->cancelled) == size ? 0 : no_answer(b, until, e);
}

static int send(struct luks_box *b, const void *data, size_t size, struct err *e)
{
	struct pollfd p = { .fd = b->to, .events = POLLOUT };
	long until = until_ms(b);
	size_t done = 0;
	ssize_t n = 0;

	while (done < size && boxtalk_now_ms() < until && !b->env->cancelled() && (n >= 0 || errno == EAGAIN)) {
		poll(&p, 1, 1000);
		n = write(b->to, (const char *)data + done, size - done);
		done += n > 0 ? (size_t)n : 0;
	}
	return done == size ? 0 : no_answer(b, until, e);
}

int luksbox_start(struct luks_box *b, const struct walk_env *env, const char *header, const char *device, int slot,
		  struct err *e)
{
	const struct task t = { header, slot };
	struct luks_head head;
	uint64_t bytes;
	int rc;

	*b = (struct luks_box){ .env = env, .to = -1, .from = -1 };
	rc = blockdev_size(device, &bytes, e);
	if (rc == 0)
		rc = start(b, &t, e);
	if (rc == 0)
		rc = receive(b, &head, sizeof(head), e);
	if (rc == 0 && head.rc != 0)
		rc = boxtalk_error(head.rc, &head.e, e);
	if (rc < 0)
		return rc;
	b->facts = head.facts;
	return luks_facts_take(&b->facts, bytes, strcmp(header, device) != 0, e);
}

/* What may be told of a failure. */
static int failed(int32_t rc, struct err *e)
{
	static const int known[] = { EIO, ENOMEM, ENOTSUP };
	size_t i;

	if (rc == -EKEYREJECTED)
		return err_set_word(e, EKEYREJECTED, "no-key", "LUKS: no key slot opens with it");
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (rc == -known[i])
			return err_set_word(e, known[i], "tool-failed", "LUKS: the key slots can't be read: %s",
					    strerror(known[i]));
	return err_set_word(e, EINVAL, "unsupported-feature",
			    "LUKS: a key slot can't be tried: it asks for a hash, a cipher or a key derivation that is not known "
			    "here, or it is damaged");
}

int luksbox_try(struct luks_box *b, struct secret *passphrase, struct secret **key, struct err *e)
{
	cleanup_secret struct secret *memory = secret_new(sizeof(struct luks_answer), e);
	struct luks_answer *answer = memory ? (struct luks_answer *)secret_bytes(memory) : NULL;
	uint32_t size = (uint32_t)secret_size(passphrase);
	int rc;

	if (!answer)
		return -ENOMEM;
	if (b->facts.argon2_kib)
		sandbox_set_memory(b->pid, ((uint64_t)b->facts.argon2_kib << 10) + MEMORY_BESIDES);
	rc = send(b, &size, sizeof(size), e);
	if (rc == 0)
		rc = send(b, secret_bytes(passphrase), size, e);
	if (rc == 0)
		rc = receive(b, answer, sizeof(*answer), e);
	if (rc < 0)
		return rc;
	if (answer->rc != 0)
		return failed(answer->rc, e);
	*key = secret_new(b->facts.key_bytes, e);
	if (!*key)
		return -ENOMEM;
	memcpy(secret_bytes(*key), answer->key, b->facts.key_bytes);
	return 0;
}
