/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a plan: nothing is taken that its key has not signed. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t public_key[PLAN_KEY_SIZE] = { 1, 2, 3 }; /* nobody has its other half */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan p;
	struct err e;

	if (plan_verify((const char *)data, size, public_key, &p, &e) == 0)
		abort();
	return 0;
}
