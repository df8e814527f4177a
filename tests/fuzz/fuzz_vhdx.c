/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any file as a vhdx image, its checksums made right so that the fuzzer gets behind them. */
#include <stddef.h>
#include <stdint.h>

#include "imagefuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* CRC-32C, as MS-VHDX wants it. */
static uint32_t crc_of(const unsigned char *p, size_t n)
{
	static uint32_t table[256];
	uint32_t crc = ~0u;
	unsigned i, bit;

	for (i = 0; !table[255] && i < 256; i++)
		for (table[i] = i, bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78u : 0);
	while (n--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 255];
	return ~crc;
}

static void seal(int fd, off_t at, size_t n)
{
	static unsigned char raw[65536];
	uint32_t crc;
	size_t i;

	if (pread(fd, raw, n, at) != (ssize_t)n)
		abort();
	memset(raw + 4, 0, 4);
	crc = crc_of(raw, n);
	for (i = 0; i < 4; i++)
		raw[i] = (unsigned char)(crc >> 8 * i);
	if (pwrite(fd, raw, 4, at + 4) != 4)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd = memdisk_fill(data, size, path);

	seal(fd, 65536, 4096);
	seal(fd, 131072, 4096);
	seal(fd, 196608, 65536);
	fuzz_image(fd, IMAGE_VHDX);
	return 0;
}
