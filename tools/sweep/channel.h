/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the supervisor and a worker: a SOCK_SEQPACKET pair, one JSON object a
 * message.
 *
 *   worker      {"opened": true}                 its volumes are about to be opened; answered by {"rc": 0}
 *                                               once that is in the journal
 *               {"checking": STACK}              a filesystem is about to be checked; likewise, or {"rc":
 *                                               -EPERM, "text": why it must not be}
 *               {"step": STACK, "bytes": N}      a layer is about to be opened
 *               {"nodes": [NODE...]}             as they are now
 *               {"acquire": [NAME...], "amount": N}   answered by {"rc": 0 or -errno,
 *                                                     "memory": KiB there are at all}
 *               {"release": [NAME...], "amount": N}
 *               {"volume": {...}}                a disk image on a host filesystem
 *               {"refers_to": NAME}              an image here that is refused has this backing file
 *               {"idle": true or false}          a person is waited for, or no longer
 *               {"holding": true}                all is checked; what is open stays so
 *               {"end": "done" | "again" | "incomplete", "lacks": ["GROUP MEMBER"...]}
 *   worker      {"save": {...}}                  a saved guest (savefile.h)
 *   worker      {"looked": [NAME...]}            its volumes have been searched; waits for leave
 *   supervisor  {"hold": 0|1, "id": NODE, "forbids": CODE, "why": TEXT}   go on; why nothing of it may be written to
 *   supervisor  {"close": true}                  to one that is holding
 */
#ifndef GS_CHANNEL_H
#define GS_CHANNEL_H

#include <json-c/json_object.h>

#include "err.h"

#define CHANNEL_MESSAGE_MAX 32768

/* Makes both ends, close-on-exec. Returns 0 or -errno. */
int channel_make(int ends[2], struct err *e) must_check nonnull_all;

/* Sends message and releases it (NULL: no memory). Returns 0 or -errno. */
int channel_send(int fd, json_object *message);

/* Receives a message into *message. Returns 1; 0 at the end; -errno; -EPROTO where it
 * is no JSON object. */
int channel_receive(int fd, json_object **message) must_check nonnull_all;

/* {KEY: [NAMES...], "amount": AMOUNT}; NULL where there is no memory. */
json_object *channel_names(const char *key, const char *const *names, size_t n, int64_t amount);

#endif
