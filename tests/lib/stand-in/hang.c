/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Put in front of a program by join.c: where its last argument is a device with an ext filesystem of
 * one of the labels below, it does what stands there with it; else the program begins as if nothing had been. It
 * needs no file besides and no second execve(2): there is neither in a sandbox.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define LABEL_AT 1144 /* of struct ext2_super_block, on its device */
#define LABEL_SIZE 16
#define LINE "a line of a long story that nobody needs, and another"

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
	"cases: .zero 72\n" /* 4 of: the label, 17 bytes; what to do */
	"back: .quad 0\n"
	"line: .ascii \"" LINE "\\n\"\n");

#define CASES 4

extern const struct {
	char label[LABEL_SIZE + 1]; /* "": any */
	char act;                   /* 0: no more cases */
} cases[CASES] __attribute__((visibility("hidden")));
extern const char line[] __attribute__((visibility("hidden")));

static long call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = -1;
	register long r9 __asm__("r9") = 0;
	long rc;

	__asm__ volatile("syscall" : "=a"(rc) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return rc;
}

static void say(unsigned times)
{
	while (times--)
		call(SYS_write, 1, (long)line, sizeof(LINE), 0);
}

/* Memory that is really there. */
static void eat(void)
{
	const long size = 16 << 20;
	long p, i;

	for (;;) {
		p = call(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
		for (i = 0; p > 0 && i < size; i += 4096)
			*(volatile char *)(p + i) = 1;
	}
}

/* Until the device can't be read any more. */
static void outlast(const char *device)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	long fd = call(SYS_open, (long)device, O_RDONLY | O_DIRECT, 0, 0);
	long p = call(SYS_mmap, 0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);

	while (fd >= 0 && call(SYS_pread64, fd, p, 4096, 0) == 4096)
		call(SYS_nanosleep, (long)&pause, 0, 0, 0);
	call(SYS_close, fd, 0, 0, 0);
}

/* What the kernel takes, and gives back, for a signal; not the C library's. */
struct action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

#define RESTART_WITH_RESTORER 0x14000000 /* SA_RESTART | SA_RESTORER */

void back_from_signal(void) __attribute__((visibility("hidden")));
__asm__("back_from_signal: mov $15, %eax\n" /* rt_sigreturn */
	"	syscall\n");

static void crash_when_caught(int sig)
{
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct action now = { 0 };

	(void)sig;
	call(SYS_rt_sigaction, SIGSEGV, 0, (long)&now, 8);
	if (!now.handler)
		return;
	call(SYS_setitimer, ITIMER_REAL, (long)&never, 0, 0);
	*(volatile int *)8 = 0;
}

/* The program that this stands in front of catches SIGSEGV itself; from then on it lives for a millisecond. */
static void crash(void)
{
	const struct action action = { .handler = crash_when_caught, .flags = RESTART_WITH_RESTORER,
				       .restorer = back_from_signal };
	const struct itimerval every = { { 0, 1000 }, { 0, 1000 } };

	call(SYS_rt_sigaction, SIGALRM, (long)&action, 0, 8);
	call(SYS_setitimer, ITIMER_REAL, (long)&every, 0, 0);
}

static int is_preen(const char *word)
{
	return word[0] == '-' && word[1] == 'p' && !word[2];
}

static void act(char what, const long *stack, const char *device)
{
	long i;

	switch (what) {
	case 'h':
		for (;;)
			call(SYS_pause, 0, 0, 0, 0);
	case 'e':
		for (;;)
			say(1000);
	case 't':
		say(20000);
		break;
	case 'm':
		eat();
		break;
	case 'g':
		outlast(device);
		break;
	case 'c':
		for (i = 1; i < stack[0]; i++)
			if (is_preen((const char *)stack[1 + i]))
				crash();
		break;
	}
}

void look(const long *stack);

void look(const long *stack)
{
	volatile char found[LABEL_SIZE];
	const char *device = (const char *)stack[stack[0]];
	long fd = call(SYS_open, (long)device, 0, 0, 0);
	int i, k;

	if (fd < 0 || call(SYS_pread64, fd, (long)found, LABEL_SIZE, LABEL_AT) != LABEL_SIZE)
		return;
	call(SYS_close, fd, 0, 0, 0);
	for (k = 0; k < CASES && cases[k].act; k++) {
		for (i = 0; cases[k].label[i] && cases[k].label[i] == found[i]; i++)
			;
		if (!cases[k].label[i]) {
			act(cases[k].act, stack, device);
			return;
		}
	}
}
