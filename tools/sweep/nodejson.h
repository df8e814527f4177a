/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A node as the report has it (CONTRACT section 5); a worker sends it to the
 * supervisor in the same form. */
#ifndef GS_NODEJSON_H
#define GS_NODEJSON_H

#include <json-c/json_object.h>

#include "jsonget.h"
#include "layer.h"

/* Returns a new object (json_object_put() it), or NULL where there is no memory. */
json_object *node_to_json(const struct node *n) must_check nonnull_all;

/* Seconds since 1970 as "2026-11-21T02:13:30Z" into buf (at least 32 bytes). */
const char *utc_text(int64_t seconds, char *buf, size_t size) nonnull_all;

#endif
