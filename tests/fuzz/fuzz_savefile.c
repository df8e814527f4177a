/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the head of a guest that libvirt has saved: what is read is bounded, and a message of a worker holds it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>

#include "channel.h"
#include "nodejson.h"
#include "savefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_object *o = savefile_read(data, size, "v/l:/folder/x.save", "x");

	if (!o || strlen(json_object_to_json_string(o)) + 100 > CHANNEL_MESSAGE_MAX)
		abort();
	/* without a word of what is wrong the guest is known by its name */
	if (!json_text(o, "problem")[0] && !json_text(o, "domain")[0])
		abort();
	json_object_put(o);
	return 0;
}
