/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "telling.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "host.h"
#include "log.h"
#include "reporttext.h"

#define SENDMAIL_TIMEOUT_S 120

static void write_mail(FILE *f, const struct news *n, const char *address)
{
	char name[128] = "";

	gethostname(name, sizeof(name) - 1);
	fprintf(f, "To: %s\nSubject: guestsweep on %s: %s\nAuto-Submitted: auto-generated\n"
		   "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
		   "Content-Transfer-Encoding: 8bit\n\n%s\n", address, name, n->verdict, n->text);
	if (n->guests_left_off)
		fprintf(f, "%d guest(s) could not be started again; the journal says which.\n",
			n->guests_left_off);
	if (!n->report)
		return;
	fputc('\n', f);
	reporttext_write(f, n->report, false);
}

void tell_mail(const struct news *n, const char *address)
{
	char path[PATH_MAX], in[40];
	const char *argv[] = { "sendmail", "-i", "--", address, NULL };
	cleanup_fd int fd = -1;
	struct err e;
	FILE *f;

	if (host_program("sendmail", path, &e) < 0)
		return;
	fd = memfd_create("mail", MFD_CLOEXEC);
	f = fd < 0 ? NULL : fdopen(dup(fd), "w");
	if (!f) {
		log_line("no mail: %s", strerror(errno));
		return;
	}
	write_mail(f, n, address);
	fclose(f);
	snprintf(in, sizeof(in), "/proc/self/fd/%d", fd);
	if (host_run_with_input(argv, in, SENDMAIL_TIMEOUT_S, &e) != 0)
		log_line("no mail: %s", e.text);
}
