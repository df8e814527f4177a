/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checksums made right in a disk in memory, so that a fuzzer gets behind them. One that is 0 stays
 * as it is, and is wrong. */
#ifndef FUZZ_SEALS_H
#define FUZZ_SEALS_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memdisk.h"

#define SEAL_MAX 32768 /* bytes that a checksum is made of, at most */

/* A CRC with reflected bits: 0xedb88320 is GPT's, 0x82f63b78 that of MS-VHDX. */
static inline uint32_t seal_crc(uint32_t polynomial, const unsigned char *p, size_t n)
{
	static uint32_t table[256], of;
	uint32_t crc = ~0u;
	unsigned i, bit;

	for (i = 0; of != polynomial && i < 256; i++)
		for (table[i] = i, bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? polynomial : 0);
	of = polynomial;
	while (n--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 255];
	return ~crc;
}

static inline uint32_t seal_get32(const unsigned char *p)
{
	uint32_t value;

	memcpy(&value, p, 4);
	return le32toh(value);
}

static inline void seal_put32(unsigned char *p, uint32_t value)
{
	value = htole32(value);
	memcpy(p, &value, 4);
}

/* The GPT header in sector lba, and its entries (UEFI 2.10, section 5.3.2). */
static inline void seal_gpt(int fd, size_t sector, uint64_t lba)
{
	static unsigned char h[512], entries[SEAL_MAX];
	uint64_t at;
	size_t size;

	if (pread(fd, h, sizeof(h), (off_t)(lba * sector)) != sizeof(h) || memcmp(h, "EFI PART", 8) != 0)
		return;
	memcpy(&at, h + 72, 8);
	at = le64toh(at);
	size = (size_t)seal_get32(h + 80) * (seal_get32(h + 84) & 0xffff);
	if (seal_get32(h + 88) && size <= SEAL_MAX && at < MEMDISK_BYTES / sector &&
	    pread(fd, entries, size, (off_t)(at * sector)) == (ssize_t)size)
		seal_put32(h + 88, seal_crc(0xedb88320, entries, size));
	size = seal_get32(h + 12);
	if (seal_get32(h + 16) && size <= sizeof(h)) {
		seal_put32(h + 16, 0);
		seal_put32(h + 16, seal_crc(0xedb88320, h, size));
	}
	if (pwrite(fd, h, sizeof(h), (off_t)(lba * sector)) != sizeof(h))
		abort();
}

/* The md superblock of version 1 at offset: the kernel's calc_sb_1_csum(), drivers/md/md.c. */
static inline void seal_md(int fd, off_t offset)
{
	static unsigned char sb[4096];
	uint64_t sum = 0;
	size_t size, i;

	if (pread(fd, sb, sizeof(sb), offset) != sizeof(sb) || seal_get32(sb) != 0xa92b4efc)
		return;
	size = 256 + 2 * (size_t)(seal_get32(sb + 220) & 0xfff);
	if (size > sizeof(sb) || !seal_get32(sb + 216))
		return;
	seal_put32(sb + 216, 0);
	for (i = 0; i + 4 <= size; i += 4)
		sum += seal_get32(sb + i);
	if (size & 2)
		sum += sb[i] | sb[i + 1] << 8;
	seal_put32(sb + 216, (uint32_t)(sum + (sum >> 32)));
	if (pwrite(fd, sb, sizeof(sb), offset) != sizeof(sb))
		abort();
}

/* Whatever a disk may have of these. */
static inline void seal_disk(int fd)
{
	static const size_t sectors[] = { 512, 4096 };
	size_t i;

	for (i = 0; i < 2; i++) {
		seal_gpt(fd, sectors[i], 1);
		seal_gpt(fd, sectors[i], MEMDISK_BYTES / sectors[i] - 1);
	}
	seal_md(fd, 0);
	seal_md(fd, 4096);
	seal_md(fd, ((MEMDISK_BYTES / 512 - 16) & ~7u) * 512);
}

#endif
