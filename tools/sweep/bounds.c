/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bounds.h"

#include <limits.h>

#define CHECK_S 120
#define STEP_S 900 /* all key slots of a LUKS header, at what Argon2 may cost, one after the other */
#define BYTES_PER_S 5000000 /* of the filesystem's size, most of which no checker reads */
#define SCOPE_LEAST_S 60
#define LOOK_MOST_S 120
#define LOOK_SHARE 4 /* of the deadline, where that is short */
#define END_LEAST_S 15 /* a checker that has to be killed takes its worker ten */
#define END_MOST_S 45
#define END_SHARE 2
#define STUCK_MOST_S 10
#define STUCK_SHARE 8

static unsigned with_size(unsigned seconds, uint64_t bytes)
{
	uint64_t more = bytes / BYTES_PER_S;

	return more > UINT_MAX / 2 ? UINT_MAX / 2 : seconds + (unsigned)more;
}

unsigned bounds_check_s(uint64_t bytes, unsigned left)
{
	unsigned most = with_size(CHECK_S, bytes);

	return most < left ? most : left;
}

unsigned bounds_step_s(uint64_t bytes)
{
	return with_size(STEP_S, bytes);
}

static unsigned share(const struct settings *s, unsigned part, unsigned most)
{
	return s->deadline_s / part < most ? s->deadline_s / part : most;
}

unsigned bounds_look_s(const struct settings *s)
{
	return share(s, LOOK_SHARE, LOOK_MOST_S);
}

unsigned bounds_end_s(const struct settings *s)
{
	unsigned seconds = share(s, END_SHARE, END_MOST_S);

	return seconds < END_LEAST_S ? END_LEAST_S : seconds;
}

unsigned bounds_stuck_s(const struct settings *s)
{
	return 1 + share(s, STUCK_SHARE, STUCK_MOST_S - 1);
}

unsigned bounds_scope_s(const struct settings *s, const char *name, bool others)
{
	const struct guest *guest = settings_guest(s, name);

	if (guest && guest->deadline_s)
		return guest->deadline_s;
	if (!others || s->deadline_s < SCOPE_LEAST_S)
		return s->deadline_s;
	return s->deadline_s / 2 < SCOPE_LEAST_S ? SCOPE_LEAST_S : s->deadline_s / 2;
}
