/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Put in front of a program by join.c: where its last argument is a device with an ext filesystem of
 * the label below, it stands still for good; else the program begins as if nothing had been. It needs
 * no file besides and no second execve(2): there is neither in a sandbox.
 */
#include <sys/syscall.h>

#define LABEL_AT 1144 /* of struct ext2_super_block, on its device */
#define LABEL_SIZE 16

/* Filled in by join.c, which looks for the first word. */
__asm__(".section .text\n"
	".globl _start\n"
	"_start:\n"
	"	push %rdx\n"
	"	lea 8(%rsp), %rdi\n"
	"	call look\n"
	"	pop %rdx\n"
	"	lea _start(%rip), %rax\n"
	"	add back(%rip), %rax\n"
	"	jmp *%rax\n"
	".ascii \"STAND-IN\"\n"
	"label: .zero 17\n"
	"back: .quad 0\n");

extern const char label[] __attribute__((visibility("hidden")));

static long call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long rc;

	__asm__ volatile("syscall" : "=a"(rc) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return rc;
}

void look(const long *stack);

void look(const long *stack)
{
	volatile char found[LABEL_SIZE];
	long fd = call(SYS_open, stack[stack[0]], 0, 0, 0);
	int i;

	if (fd < 0 || call(SYS_pread64, fd, (long)found, LABEL_SIZE, LABEL_AT) != LABEL_SIZE)
		return;
	call(SYS_close, fd, 0, 0, 0);
	for (i = 0; label[i]; i++)
		if (found[i] != label[i])
			return;
	for (;;)
		call(SYS_pause, 0, 0, 0, 0);
}
