/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <nettle/eddsa.h>

#define MAGIC "guestsweep plan 1\n"
#define SIGNATURE_LINE "signature = "

int plan_random(void *buf, size_t size, struct err *e)
{
	char *p = buf;

	while (size) {
		ssize_t n = getrandom(p, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, "no random numbers: %s", strerror(errno));
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

char *plan_hex(const void *bytes, size_t size, char *hex)
{
	const uint8_t *b = bytes;
	size_t i;

	for (i = 0; i < size; i++)
		sprintf(hex + 2 * i, "%02x", b[i]);
	hex[2 * size] = 0;
	return hex;
}

static bool is_hex(const char *text, size_t digits)
{
	return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void from_hex(const char *hex, uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
}

void plan_public_key(struct secret *private_key, uint8_t *public_key)
{
	ed25519_sha512_public_key(public_key, (const uint8_t *)secret_bytes(private_key));
}

/* What a plan's values must look like, so that no two plans have the same text. */
static bool is_sound(const struct plan *p)
{
	const char *c;

	if (strcmp(p->way, "kexec") != 0 && strcmp(p->way, "grub") != 0 && strcmp(p->way, "efi") != 0)
		return false;
	for (c = p->grubenv; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	for (c = p->next; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return is_hex(p->token, 32) && is_hex(p->host, 32) && is_hex(p->image, 64) &&
	       is_hex(p->config, 64) && p->created >= 0;
}

static int write_unsigned(const struct plan *p, char *text)
{
	return snprintf(text, PLAN_MAX, MAGIC "token = %s\nhost = %s\ncreated = %" PRId64 "\nway = %s\n"
			"image = %s\nconfig = %s\ngrubenv = %s\nnext = %s\n", p->token, p->host, p->created,
			p->way, p->image, p->config, p->grubenv, p->next);
}

int plan_sign(const struct plan *p, struct secret *private_key, char *text, struct err *e)
{
	uint8_t public_key[ED25519_KEY_SIZE], signature[ED25519_SIGNATURE_SIZE];
	char hex[2 * ED25519_SIGNATURE_SIZE + 1];
	size_t used;

	if (!is_sound(p) || secret_size(private_key) != ED25519_KEY_SIZE)
		return err_set(e, EINVAL, "that makes no plan");
	used = (size_t)write_unsigned(p, text);
	plan_public_key(private_key, public_key);
	ed25519_sha512_sign(public_key, (const uint8_t *)secret_bytes(private_key), used,
			    (const uint8_t *)text, signature);
	snprintf(text + used, PLAN_MAX - used, SIGNATURE_LINE "%s\n",
		 plan_hex(signature, sizeof(signature), hex));
	return 0;
}

/* Takes "KEY = VALUE\n" at *at, value to have room for size bytes. */
static bool take(const char **at, const char *key, char *value, size_t size)
{
	size_t n = strlen(key), length;

	if (strncmp(*at, key, n) != 0 || strncmp(*at + n, " = ", 3) != 0)
		return false;
	*at += n + 3;
	length = strcspn(*at, "\n");
	if (length >= size || (*at)[length] != '\n')
		return false;
	memcpy(value, *at, length);
	value[length] = 0;
	*at += length + 1;
	return true;
}

/* Reads the lines, and *at is then where the signature's line begins. */
static bool parse(const char **at, struct plan *p)
{
	char created[24], back[PLAN_MAX];
	const char *begin = *at;

	if (strncmp(*at, MAGIC, strlen(MAGIC)) != 0)
		return false;
	*at += strlen(MAGIC);
	if (!take(at, "token", p->token, sizeof(p->token)) ||
	    !take(at, "host", p->host, sizeof(p->host)) ||
	    !take(at, "created", created, sizeof(created)) ||
	    !take(at, "way", p->way, sizeof(p->way)) ||
	    !take(at, "image", p->image, sizeof(p->image)) ||
	    !take(at, "config", p->config, sizeof(p->config)) ||
	    !take(at, "grubenv", p->grubenv, sizeof(p->grubenv)) ||
	    !take(at, "next", p->next, sizeof(p->next)))
		return false;
	p->created = strtoll(created, NULL, 10);
	return is_sound(p) && write_unsigned(p, back) == *at - begin &&
	       memcmp(back, begin, (size_t)(*at - begin)) == 0;
}

int plan_verify(const char *text, size_t size, const uint8_t *public_key, struct plan *p,
		struct err *e)
{
	char copy[PLAN_MAX], hex[2 * ED25519_SIGNATURE_SIZE + 2];
	uint8_t signature[ED25519_SIGNATURE_SIZE];
	const char *at = copy, *end;
	struct plan read = { 0 };

	if (size >= sizeof(copy) || memchr(text, 0, size))
		return err_set(e, EINVAL, "it is no plan of guestsweep's");
	memcpy(copy, text, size);
	copy[size] = 0;
	if (!parse(&at, &read))
		return err_set(e, EINVAL, "it is no plan of guestsweep's");
	end = at;
	if (!take(&at, "signature", hex, sizeof(hex)) || *at || !is_hex(hex, 2 * sizeof(signature)))
		return err_set(e, EINVAL, "its signature is missing");
	from_hex(hex, signature, sizeof(signature));
	if (!ed25519_sha512_verify(public_key, (size_t)(end - copy), (const uint8_t *)copy, signature))
		return err_set(e, EKEYREJECTED, "this host has not signed it");
	*p = read;
	return 0;
}
