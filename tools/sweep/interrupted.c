/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "interrupted.h"

#include "log.h"

/* It is not this sweep's fault, and this one looks into it: so the verdict is none the worse. */
static void tell(struct results *r, const struct journal *j)
{
	size_t i, fresh = 0;

	for (i = 0; i < j->n; i++) {
		const struct journal_entry *entry = &j->entry[i];

		if (!entry->fresh)
			continue;
		fresh++;
		log_line("%s: the last sweep was cut off here", entry->key);
		results_problem(r, SWEEP_CLEAN, "interrupted",
				"%s: the last sweep was cut off while this was being %s%s; a power cut, a crash "
				"or a watchdog ended it", entry->key, entry->checking ? "checked" : "opened",
				entry->times >= JOURNAL_QUARANTINE ? ", not for the first time" : "");
	}
	if (j->was_cut && !fresh)
		results_problem(r, SWEEP_CLEAN, "interrupted",
				"the last sweep was cut off after %zu of %zu volumes, while none was being opened "
				"or checked", j->done, j->planned);
}

static void say_unkept(struct results *r, const struct err *e)
{
	log_line("no state journal is kept: %s", e->text);
	results_problem(r, SWEEP_CLEAN, "no-journal",
			"no state journal is kept, so that the next sweep would not know where this one was "
			"cut off: %s", e->text);
}

void interrupted_begin(struct journal *j, const char *folder, const struct scopes *scopes,
		       struct results *r)
{
	struct err e;
	size_t i, k;

	if (journal_read(j, folder, &e) < 0)
		log_line("the last sweep's journal can't be read: %s", e.text);
	tell(r, j);
	for (i = 0; i < scopes->n; i++)
		for (k = 0; k < scopes->s[i]->n_volumes; k++)
			journal_note(j, JOURNAL_PLANNED, 0, scopes->s[i]->volumes[k]->stack);
	if (journal_start(j, &e) < 0)
		say_unkept(r, &e);
}

void interrupted_end(struct journal *j, struct results *r)
{
	struct err e;

	if (journal_finish(j, &e) < 0)
		say_unkept(r, &e);
	journal_close(j);
}
