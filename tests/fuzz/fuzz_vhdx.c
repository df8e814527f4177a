/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any file as a vhdx image, its checksums made right so that the fuzzer gets behind them. */
#include <stddef.h>
#include <stdint.h>

#include "imagefuzz.h"
#include "seals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seal(int fd, off_t at, size_t n)
{
	static unsigned char raw[65536];

	if (pread(fd, raw, n, at) != (ssize_t)n)
		abort();
	seal_put32(raw + 4, 0);
	seal_put32(raw + 4, seal_crc(0x82f63b78, raw, n)); /* CRC-32C, MS-VHDX 2.2.2 */
	if (pwrite(fd, raw + 4, 4, at + 4) != 4)
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
