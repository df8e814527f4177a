/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * join PROGRAM CODE LABEL:WHAT...: writes PROGRAM with the code of hang.c in front of it to standard output. LABEL may
 * be "*"; WHAT: hangs, endless (it says something for ever), talks (a megabyte, and goes on), memory (it takes all),
 * gone (it goes on when its device has gone), crashes (e2fsck -p does, once it catches that itself).
 * The code is appended; the program header of a note, which nobody reads, becomes one that loads it.
 */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096
#define MARK "STAND-IN"
#define MARK_SIZE 8
#define LABEL_MAX 16
#define CASES 4
#define CASE_SIZE (LABEL_MAX + 2)

static unsigned char *read_whole(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	unsigned char *p = malloc(64 << 20);

	if (!f || !p) {
		perror(path);
		exit(1);
	}
	*size = fread(p, 1, 64 << 20, f);
	fclose(f);
	return p;
}

static unsigned char *find_mark(unsigned char *code, size_t size)
{
	size_t i;

	for (i = 0; i + MARK_SIZE + CASES * CASE_SIZE + 8 <= size; i++)
		if (memcmp(code + i, MARK, MARK_SIZE) == 0)
			return code + i + MARK_SIZE;
	fprintf(stderr, "join: the code has no mark\n");
	exit(1);
}

static void add_case(unsigned char *at, char *text)
{
	char *what = strchr(text, ':');

	if (!what || what - text > LABEL_MAX || !strchr("hetmgc", what[1])) {
		fprintf(stderr, "join: %s is not LABEL:WHAT\n", text);
		exit(2);
	}
	*what = 0;
	if (strcmp(text, "*") != 0)
		memcpy(at, text, strlen(text));
	at[LABEL_MAX + 1] = (unsigned char)what[1];
}

int main(int argc, char **argv)
{
	static const unsigned char zeros[PAGE];
	size_t size, code_size, padding;
	unsigned char *program, *code, *mark;
	Elf64_Phdr *p, *note = NULL;
	Elf64_Ehdr *head;
	uint64_t end = 0, at;
	int64_t back;
	int i;

	if (argc < 4 || argc > 3 + CASES) {
		fprintf(stderr, "usage: join PROGRAM CODE LABEL:WHAT...\n");
		return 2;
	}
	program = read_whole(argv[1], &size);
	code = read_whole(argv[2], &code_size);
	mark = find_mark(code, code_size);
	head = (Elf64_Ehdr *)program;
	p = (Elf64_Phdr *)(program + head->e_phoff);
	for (i = 0; i < head->e_phnum; i++) {
		if (p[i].p_type == PT_LOAD && p[i].p_vaddr + p[i].p_memsz > end)
			end = p[i].p_vaddr + p[i].p_memsz;
		if (p[i].p_type == PT_NOTE)
			note = &p[i];
	}
	if (!note) {
		fprintf(stderr, "join: %s has no note\n", argv[1]);
		return 1;
	}
	padding = (PAGE - size % PAGE) % PAGE;
	at = (end + PAGE - 1) / PAGE * PAGE;
	back = (int64_t)(head->e_entry - at);
	for (i = 3; i < argc; i++)
		add_case(mark + (i - 3) * CASE_SIZE, argv[i]);
	memcpy(mark + CASES * CASE_SIZE, &back, sizeof(back));
	*note = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = size + padding,
			      .p_vaddr = at, .p_paddr = at, .p_filesz = code_size, .p_memsz = code_size,
			      .p_align = PAGE };
	head->e_entry = at;
	return fwrite(program, 1, size, stdout) != size || fwrite(zeros, 1, padding, stdout) != padding ||
	       fwrite(code, 1, code_size, stdout) != code_size || fflush(stdout) != 0;
}
