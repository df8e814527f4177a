/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Promises about a function that the compiler can hold it to. */
#ifndef GS_ATTRS_H
#define GS_ATTRS_H

#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define must_check __attribute__((warn_unused_result))
#define nonnull_all __attribute__((__nonnull__))
#define nonnull_at(...) __attribute__((__nonnull__(__VA_ARGS__)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
