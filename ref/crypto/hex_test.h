/*
 * For the tests of this folder: hex in, hex out, and the includes that cmocka
 * wants before its own.
 */
#ifndef CRYPTO_HEX_TEST_H
#define CRYPTO_HEX_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Octets of a hex string (blanks allowed), in the arena. */
static inline struct bytes
hex_read(struct arena *a, const char *hex)
{
	size_t octets = 0;
	uint8_t *at;
	unsigned value;
	int used;

	assert_int_equal(ARENA_ARRAY(a, at, strlen(hex) / 2 + 1), OK);
	while (sscanf(hex, " %2x%n", &value, &used) == 1) {
		at[octets++] = (uint8_t)value;
		hex += used;
	}
	return (struct bytes){at, octets};
}

static inline const char *
hex_text(struct arena *a, struct bytes b)
{
	char *text;
	size_t k;

	assert_int_equal(ARENA_ARRAY(a, text, 2 * b.octets + 1), OK);
	for (k = 0; k < b.octets; k++)
		(void)snprintf(text + 2 * k, 3, "%02x", b.at[k]);
	return text;
}

#endif
