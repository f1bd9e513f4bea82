/*
 * For the tests of the PED: what cmocka wants to see first, octets as hex, and
 * randomness that a test chooses.
 */
#ifndef IKEY_SAMPLE_TEST_H
#define IKEY_SAMPLE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env.h"
#include "base/secret.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Octets of a hex string (blanks allowed) into `out`; how many they are. */
static inline size_t
hex_read(const char *hex, uint8_t *out, size_t room_octets)
{
	size_t octets = 0;
	unsigned value;
	int used;

	while (sscanf(hex, " %2x%n", &value, &used) == 1) {
		assert_true(octets < room_octets);
		out[octets++] = (uint8_t)value;
		hex += used;
	}
	return octets;
}

static inline void
assert_hex(struct bytes got, const char *want)
{
	uint8_t octets[1024];
	size_t count = hex_read(want, octets, sizeof(octets));

	assert_int_equal(got.octets, count);
	assert_memory_equal(got.at, octets, count);
}

/* "Random" octets: ctx is `struct bytes`, given out over and over. */
static inline enum err
chosen_random(void *ctx, uint8_t *out, size_t octets)
{
	const struct bytes *chosen = ctx;
	size_t k;

	for (k = 0; k < octets; k++)
		out[k] = chosen->at[k % chosen->octets];
	return OK;
}

static inline struct secret *
secret_of(struct bytes in)
{
	struct secret *s;

	assert_int_equal(secret_copy(in, &s), OK);
	return s;
}

#endif
