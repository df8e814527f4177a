/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line per event on standard error, which PID 1 carries to every console.
 * The logger prints no bytes that it was not given as text: control characters
 * and escape sequences in it (a guest chooses its own labels) come out as \xNN.
 */
#ifndef GS_LOG_H
#define GS_LOG_H

#include <stddef.h>

#include "attrs.h"

/* Writes "guestsweep: TEXT\n" in one write(2). Keeps errno. */
void log_line(const char *fmt, ...) printf_like(1, 2) nonnull_at(1);

/* Copies src into dst (size bytes with the final NUL) with every byte that is
 * not printable ASCII or well-formed UTF-8 (direction marks and the like are not
 * taken either) written as \xNN; cut where it does
 * not fit. Returns dst. */
char *escape_text(char *dst, size_t size, const char *src) nonnull_all;

#endif
