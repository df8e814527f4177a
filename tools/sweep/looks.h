/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is read of devices, through the reader: never by a process with rights. Each is the function of
 * the same name in its own file, which runs in the reader; what it answers is checked here.
 */
#ifndef GS_LOOKS_H
#define GS_LOOKS_H

#include "extsuper.h"
#include "fields.h"
#include "layer.h"
#include "mdsuper.h"
#include "partitions.h"

int look_content(struct node *n, struct err *e) must_check nonnull_all;                /* content.h */
int look_partitions(const char *device, uint64_t bytes, unsigned sector, struct partitions *t,
		    struct err *e) must_check nonnull_all;                              /* partitions.h */
int look_ext(const char *device, struct extsuper *s, struct err *e) must_check nonnull_all; /* extsuper.h */
bool look_ext_backup(const char *device, uint64_t bytes, struct extsuper_backup *b, struct extsuper *s)
	nonnull_all;
int look_ext_mounted(const char *device, char folder[LAST_MOUNTED_SIZE], struct err *e)
	must_check nonnull_all;
int look_ext_images(const char *device, const struct words *patterns, struct err *e)
	must_check nonnull_all;                                                         /* extlook.h */
/* n: FIELDS_MAX at most. past_cache: as the disk has them now, where another system may write them. */
int look_fields(const char *device, const struct field *f, size_t n, bool past_cache, uint64_t *value,
		struct err *e) must_check nonnull_all;                                  /* fields.h */
int look_md(const char *device, uint64_t bytes, const char *version, struct mdsuper *s, struct err *e)
	must_check nonnull_all;                                                         /* mdsuper.h */

#endif
