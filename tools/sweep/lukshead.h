/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A LUKS header and its key slots, by libcryptsetup: what runs in the sandbox of luksbox.h. */
#ifndef GS_LUKSHEAD_H
#define GS_LUKSHEAD_H

#include <stdint.h>

#include "attrs.h"
#include "err.h"

#define LUKS_CIPHER_MAX 128
#define LUKS_KEY_MAX 512 /* bytes of a volume key */

/* What a header says; plain data, and any bytes until luks_facts_take() has seen it. */
struct luks_facts {
	uint32_t argon2_kib;   /* the most that a key slot asks for that will be tried; 0: none does */
	uint32_t key_bytes;    /* of the volume key */
	uint32_t sector_bytes; /* that are encrypted together */
	uint32_t flags;        /* LUKS_FLAGS, for the mapping */
	uint32_t tag_bytes;    /* that dm-integrity keeps beside each sector; 0: there are none */
	uint32_t authenticates; /* 1: the tags tell whether the data is what was written; 0: they are IVs only */
	uint64_t offset;       /* of the data, sectors of 512 bytes */
	uint64_t sectors;      /* of 512 bytes, of the data; 0: to the device's end */
	char cipher[LUKS_CIPHER_MAX]; /* as dm-crypt has it */
	uint32_t one_header;   /* 1: LUKS2's other header is damaged */
	uint64_t iv_offset;    /* added to a sector's number for its IV, likewise; any number is one */
};

/* Of CRYPT_ACTIVATE_...: those that a header can ask for, but discards, which crypttab alone does. */
#define LUKS_FLAGS \
	(CRYPT_ACTIVATE_SAME_CPU_CRYPT | CRYPT_ACTIVATE_SUBMIT_FROM_CRYPT_CPUS | \
	 CRYPT_ACTIVATE_NO_READ_WORKQUEUE | CRYPT_ACTIVATE_NO_WRITE_WORKQUEUE | CRYPT_ACTIVATE_NO_JOURNAL)

/* The first answer; e only where rc is -errno. */
struct luks_head {
	int32_t rc;
	struct err e;
	struct luks_facts facts;
};

/* Each further one. Of what went wrong there is no text: nothing that has seen a passphrase writes into a report. */
struct luks_answer {
	int32_t rc; /* 0; -EKEYREJECTED: no key slot opens with it; other -errno */
	unsigned char key[LUKS_KEY_MAX];
};

/* Reads the header on device (or file), of which only key slot slot will be tried (-1: all), writes a struct luks_head to
 * descriptor out, and a struct luks_answer for each passphrase that comes by descriptor in: its bytes, behind their
 * number as uint32_t. Returns at the end of these. */
void lukshead_serve(const char *device, int slot, int in, int out) nonnull_all;

#endif
