/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firmware's boot options, as they stand in its variables: UEFI specification 2.10, sections 3.1.3
 * (EFI_LOAD_OPTION) and 10.3 (device paths). */
#ifndef GS_EFIOPTION_H
#define GS_EFIOPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

#define EFI_OPTION_MAX 4096

/* Where a file lies on an EFI system partition. */
struct efi_place {
	unsigned partition; /* number, from 1 */
	uint64_t start;     /* blocks of 512 bytes */
	uint64_t size;
	char guid[40];      /* the partition's, as text */
	char file[256];     /* "\EFI\guestsweep\vmlinuz" */
};

/* Builds the option into buf (EFI_OPTION_MAX bytes), its length into *size. All texts are ASCII. Returns 0; -EINVAL: no GUID,
 * or a text that is too long. */
int efioption_make(const char *description, const struct efi_place *at, const char *arguments,
		   uint8_t *buf, size_t *size, struct err *e) must_check nonnull_all;

/* true where the option of size bytes has this description. */
bool efioption_is(const uint8_t *option, size_t size, const char *description) nonnull_all;

#endif
