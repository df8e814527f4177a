/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "jsonget.h"

const char *json_text(json_object *o, const char *key)
{
	json_object *value;

	if (!o || !json_object_object_get_ex(o, key, &value) || !value)
		return "";
	return json_object_get_string(value);
}

int64_t json_number(json_object *o, const char *key)
{
	json_object *value;

	if (!o || !json_object_object_get_ex(o, key, &value))
		return 0;
	return json_object_get_int64(value);
}

json_object *json_array(json_object *o, const char *key)
{
	json_object *value;

	if (!o || !json_object_object_get_ex(o, key, &value) ||
	    !json_object_is_type(value, json_type_array))
		return NULL;
	return value;
}

size_t json_length(json_object *array)
{
	return array ? json_object_array_length(array) : 0;
}
