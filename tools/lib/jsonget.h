/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of a JSON object that may lack them. */
#ifndef GS_JSONGET_H
#define GS_JSONGET_H

#include <stdint.h>

#include <json-c/json_object.h>

#include "attrs.h"

/* Member key as a string, "" where there is none; as a number, 0 likewise. */
const char *json_text(json_object *o, const char *key) nonnull_at(2);
int64_t json_number(json_object *o, const char *key) nonnull_at(2);

/* Member key where it is an array, else NULL; how many items it has. */
json_object *json_array(json_object *o, const char *key) nonnull_at(2);
size_t json_length(json_object *array);

#endif
