/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signed plan: what is signed is read back, and every single change to it is found. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan.h"

static const struct plan sample = {
	.token = "000102030405060708090a0b0c0d0e0f", .host = "0123456789abcdef0123456789abcdef",
	.created = 1790000000, .way = "grub",
	.image = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
	.config = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100",
	.grubenv = "UUID=1234-ABCD:/grub/grubenv", .next = "UUID=1:/vmlinuz /initrd root=/dev/x ro",
};

static struct secret *key_of(uint8_t fill)
{
	struct err e;
	struct secret *key = secret_new(PLAN_KEY_SIZE, &e);

	assert_non_null(key);
	memset(secret_bytes(key), fill, PLAN_KEY_SIZE);
	return key;
}

/* RFC 8032, section 7.1, TEST 1: the public key of that private key. */
static void a_known_key(void **state)
{
	static const uint8_t private_key[PLAN_KEY_SIZE] = {
		0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
		0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
	};
	uint8_t public_key[PLAN_KEY_SIZE];
	struct secret *key = key_of(0);
	char hex[PLAN_HEX256];

	(void)state;
	memcpy(secret_bytes(key), private_key, sizeof(private_key));
	plan_public_key(key, public_key);
	assert_string_equal(plan_hex(public_key, sizeof(public_key), hex),
			    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
	secret_free(key);
}

static void signed_and_read_back(void **state)
{
	struct secret *key = key_of(7), *other = key_of(8);
	uint8_t public_key[PLAN_KEY_SIZE], wrong[PLAN_KEY_SIZE];
	char text[PLAN_MAX];
	struct plan p;
	struct err e;

	(void)state;
	plan_public_key(key, public_key);
	plan_public_key(other, wrong);
	assert_int_equal(plan_sign(&sample, key, text, &e), 0);
	assert_int_equal(plan_verify(text, strlen(text), public_key, &p, &e), 0);
	assert_string_equal(p.token, sample.token);
	assert_string_equal(p.host, sample.host);
	assert_int_equal(p.created, sample.created);
	assert_string_equal(p.way, sample.way);
	assert_string_equal(p.image, sample.image);
	assert_string_equal(p.config, sample.config);
	assert_string_equal(p.grubenv, sample.grubenv);
	assert_string_equal(p.next, sample.next);
	assert_int_equal(plan_verify(text, strlen(text), wrong, &p, &e), -EKEYREJECTED);
	assert_string_equal(e.text, "this host has not signed it");
	secret_free(key);
	secret_free(other);
}

static void every_changed_byte_is_found(void **state)
{
	struct secret *key = key_of(7);
	uint8_t public_key[PLAN_KEY_SIZE];
	char text[PLAN_MAX], changed[PLAN_MAX];
	struct plan p = { .way = "none" };
	struct err e;
	size_t i, n;

	(void)state;
	plan_public_key(key, public_key);
	assert_int_equal(plan_sign(&sample, key, text, &e), 0);
	n = strlen(text);
	for (i = 0; i < n; i++) {
		memcpy(changed, text, n);
		changed[i] ^= 1;
		assert_true(plan_verify(changed, n, public_key, &p, &e) < 0);
		assert_true(plan_verify(text, i, public_key, &p, &e) < 0);
	}
	memcpy(changed, text, n);
	changed[n] = '\n';
	assert_int_equal(plan_verify(changed, n + 1, public_key, &p, &e), -EINVAL);
	assert_string_equal(p.way, "none");
	secret_free(key);
}

static void what_is_no_plan_is_not_signed(void **state)
{
	struct secret *key = key_of(7);
	char text[PLAN_MAX];
	struct plan p = sample;
	struct err e;

	(void)state;
	strcpy(p.way, "usb");
	assert_int_equal(plan_sign(&p, key, text, &e), -EINVAL);
	p = sample;
	strcpy(p.grubenv, "UUID=1\ntoken = 1");
	assert_int_equal(plan_sign(&p, key, text, &e), -EINVAL);
	p = sample;
	p.token[3] = 'A';
	assert_int_equal(plan_sign(&p, key, text, &e), -EINVAL);
	p = sample;
	p.created = -1;
	assert_int_equal(plan_sign(&p, key, text, &e), -EINVAL);
	secret_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_key),
		cmocka_unit_test(signed_and_read_back),
		cmocka_unit_test(every_changed_byte_is_found),
		cmocka_unit_test(what_is_no_plan_is_not_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
