/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Put in front of libblkid's sources for the fuzzers: its buffers come from the heap, where a read
 * behind their end is seen, and which is faster than three system calls for each. */
#ifndef FUZZ_BLKIDHEAP_H
#define FUZZ_BLKIDHEAP_H

#include <stdlib.h>
#include <sys/mman.h>

#define mmap(at, size, prot, flags, fd, offset) (calloc(1, size) ?: MAP_FAILED)
#define munmap(at, size) free(at)
#define mprotect(at, size, prot) 0

#endif
