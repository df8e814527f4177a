/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any message of a worker: received or refused, taken into a report, told to a person. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "channel.h"
#include "nodejson.h"
#include "reporttext.h"
#include "results.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(json_object *node)
{
	static const struct sweep_facts facts = { .version = "0" };
	json_object *report;
	char line[1024], *text = NULL;
	struct results r;
	size_t length;
	FILE *f = open_memstream(&text, &length);

	if (!f || results_init(&r) < 0)
		abort();
	nodes_put(r.nodes, json_object_get(node));
	nodes_put(r.nodes, json_object_get(node));
	reporttext_node_line(line, sizeof(line), node);
	report = results_report(&r, &facts);
	results_summary(report, line, sizeof(line));
	reporttext_write(f, report, false);
	results_break(report, "x", "y");
	fclose(f);
	free(text);
	json_object_put(report);
	results_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int ends[2] = { -1, -1 };
	json_object *message = NULL, *node;
	struct err e;
	int rc;

	if (ends[0] < 0 && channel_make(ends, &e) < 0)
		abort();
	if (size == 0 || size > 2 * CHANNEL_MESSAGE_MAX || send(ends[0], data, size, 0) < 0)
		return 0;
	rc = channel_receive(ends[1], &message);
	if (rc <= 0)
		return 0;
	if (!json_object_is_type(message, json_type_object))
		abort();
	if (json_object_object_get_ex(message, "node", &node) && node)
		take(node);
	json_object_put(message);
	return 0;
}
