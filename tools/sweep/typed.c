/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "typed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "lineedit.h"
#include "log.h"
#include "prompt.h"

#define MAX_PHRASES 64
#define SHORTEST_S 10   /* a question stands at least so long */
#define PAUSE_MS 20
#define OTHERS_MS 1000  /* for those who wait to take up what was typed */

struct typed {
	struct secret *memory; /* where it lies */
	unsigned n;
	unsigned waiting;      /* how many volumes wait for one that opens them */
	unsigned behind;       /* and how many of these have not taken up the last one */
	unsigned unanswered_s; /* how long nobody has answered */
	struct {
		unsigned size;
		char bytes[LINE_MAX_BYTES];
	} phrase[MAX_PHRASES];
};

struct typed *typed_new(struct err *e)
{
	struct secret *memory = secret_new_shared(sizeof(struct typed), e);
	struct typed *t = memory ? (struct typed *)secret_bytes(memory) : NULL;

	if (t)
		t->memory = memory;
	return t;
}

void typed_free(struct typed *t)
{
	if (t)
		secret_free(t->memory);
}

static void rest(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
}

/* Who tries a passphrase has the lock with others, who asks for one has it alone. */
static int open_lock(struct typed_turn *turn, const struct walk_env *env, struct err *e)
{
	char path[256];

	if (turn->lock >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/prompt.lock", env->work_dir);
	turn->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return turn->lock < 0 ? err_set(e, errno, "%s: %s", path, strerror(errno)) : 0;
}

static int take_lock(struct typed_turn *turn, const struct walk_env *env, int how, struct err *e)
{
	while (flock(turn->lock, how | LOCK_NB) < 0) {
		if (env->cancelled())
			return err_set(e, ECANCELED, "the sweep was ended");
		env->idle(true);
		rest();
	}
	return 0;
}

/* Everyone who waits takes up what was typed last, before anyone asks again. One that was killed
 * meanwhile never does. */
static void let_others_try(struct typed *t)
{
	int waited;

	for (waited = 0; waited < OTHERS_MS && __atomic_load_n(&t->behind, __ATOMIC_SEQ_CST); waited += PAUSE_MS)
		rest();
}

static unsigned time_to_answer(const struct typed *t, const struct crypttab_entry *entry)
{
	if (entry->timeout_s == 0)
		return 0;
	if (entry->timeout_s < t->unanswered_s + SHORTEST_S)
		return entry->timeout_s < SHORTEST_S ? entry->timeout_s : SHORTEST_S;
	return entry->timeout_s - t->unanswered_s;
}

static int keep(struct typed *t, struct secret *answer, struct err *e)
{
	if (t->n == MAX_PHRASES)
		return err_set(e, ENOSPC, "%d different passphrases have been typed already", MAX_PHRASES);
	t->phrase[t->n].size = (unsigned)secret_size(answer);
	memcpy(t->phrase[t->n].bytes, secret_bytes(answer), secret_size(answer));
	__atomic_store_n(&t->behind, __atomic_load_n(&t->waiting, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
	__atomic_store_n(&t->n, t->n + 1, __ATOMIC_SEQ_CST);
	return 0;
}

static const struct walk_env *asking_env;

static bool stop(void)
{
	asking_env->idle(true);
	return asking_env->cancelled();
}

/* The lock is this volume's alone. */
static int ask(struct typed *t, const struct walk_env *env, struct typed_turn *turn, struct err *e)
{
	const struct crypttab_entry *entry = turn->entry;
	cleanup_secret struct secret *answer = NULL;
	unsigned seconds = time_to_answer(t, entry);
	char question[320];
	int rc;

	snprintf(question, sizeof(question),
		 "passphrase for %.100s (%.150s), not shown, then Enter; Ctrl-D leaves it locked",
		 entry->name, entry->device);
	asking_env = env;
	rc = prompt_ask(question, seconds, stop, &answer, e);
	if (rc == -ETIMEDOUT)
		t->unanswered_s += seconds;
	else
		t->unanswered_s = 0;
	if (rc == 0)
		rc = keep(t, answer, e);
	turn->asked = rc == 0;
	return rc;
}

/* Until there is a passphrase that this volume has not tried. */
static int wait_for_one(struct typed *t, const struct walk_env *env, struct typed_turn *turn, struct err *e)
{
	int rc;

	let_others_try(t);
	__atomic_add_fetch(&t->waiting, 1, __ATOMIC_SEQ_CST);
	rc = take_lock(turn, env, LOCK_EX, e);
	__atomic_sub_fetch(&t->waiting, 1, __ATOMIC_SEQ_CST);
	if (rc == 0 && turn->tried == t->n)
		rc = ask(t, env, turn, e);
	else if (rc == 0 && __atomic_load_n(&t->behind, __ATOMIC_SEQ_CST))
		__atomic_sub_fetch(&t->behind, 1, __ATOMIC_SEQ_CST);
	flock(turn->lock, LOCK_UN);
	return rc;
}

/* The one typed last, for this volume, was a wrong one. Returns whether it may be asked for again. */
static bool may_ask_again(struct typed_turn *turn)
{
	const struct crypttab_entry *entry = turn->entry;
	unsigned left;

	turn->asked = false;
	turn->wrong++;
	left = entry->tries > turn->wrong ? entry->tries - turn->wrong : 0;
	if (entry->tries)
		log_line("%s: no key slot opens with that passphrase; %u %s left", entry->name, left,
			 left == 1 ? "try" : "tries");
	else
		log_line("%s: no key slot opens with that passphrase", entry->name);
	return !entry->tries || left;
}

static int next(struct typed *t, const struct walk_env *env, struct typed_turn *turn, struct secret **key,
		struct err *e)
{
	int rc = open_lock(turn, env, e);

	if (rc == 0 && turn->asked && !may_ask_again(turn))
		rc = err_set(e, ENOKEY, "no key slot opens with what was typed in %u tries", turn->wrong);
	flock(turn->lock, LOCK_UN);
	if (rc == 0 && turn->tried == t->n)
		rc = wait_for_one(t, env, turn, e);
	if (rc == 0)
		rc = take_lock(turn, env, LOCK_SH, e);
	if (rc < 0)
		return rc;
	*key = secret_new(t->phrase[turn->tried].size, e);
	if (!*key)
		return -ENOMEM;
	memcpy(secret_bytes(*key), t->phrase[turn->tried].bytes, t->phrase[turn->tried].size);
	turn->tried++;
	return 0;
}

int typed_next(struct typed *t, const struct walk_env *env, struct typed_turn *turn, struct secret **key,
	       struct err *e)
{
	int rc = next(t, env, turn, key, e);

	env->idle(false);
	if (rc == 0)
		return 0;
	err_wrap(e, "LUKS: no passphrase");
	snprintf(e->word, sizeof(e->word), "no-key");
	e->code = ENOKEY;
	return -ENOKEY;
}

void typed_end(struct typed_turn *turn, bool is_open)
{
	if (turn->lock < 0)
		return;
	if (is_open)
		log_line("%s is unlocked", turn->entry->name);
	close(turn->lock);
	turn->lock = -1;
}
