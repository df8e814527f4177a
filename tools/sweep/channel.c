/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <json-c/json_tokener.h>

int channel_make(int ends[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(e, errno, "socketpair: %s", strerror(errno));
	return 0;
}

int channel_send(int fd, json_object *message)
{
	const char *text;
	ssize_t n;

	if (!message)
		return -ENOMEM;
	text = json_object_to_json_string_ext(message, JSON_C_TO_STRING_PLAIN);
	do
		n = text ? send(fd, text, strlen(text), MSG_NOSIGNAL) : -1;
	while (n < 0 && errno == EINTR);
	json_object_put(message);
	return n < 0 ? -errno : 0;
}

int channel_receive(int fd, json_object **message)
{
	char text[CHANNEL_MESSAGE_MAX + 1];
	ssize_t n;

	do
		n = recv(fd, text, CHANNEL_MESSAGE_MAX, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	text[n] = 0;
	*message = json_tokener_parse(text);
	if (!json_object_is_type(*message, json_type_object)) {
		json_object_put(*message);
		return -EPROTO;
	}
	return 1;
}

json_object *channel_names(const char *key, const char *const *names, size_t n, int64_t amount)
{
	json_object *o = json_object_new_object(), *array = json_object_new_array();
	size_t i;

	for (i = 0; i < n; i++)
		json_object_array_add(array, json_object_new_string(names[i]));
	json_object_object_add(o, key, array);
	json_object_object_add(o, "amount", json_object_new_int64(amount));
	return o;
}
