/*
 * For the tests of this folder: octets as hex, blanks between them as one
 * likes; "#1087" is a number in eight octets.
 */
#ifndef RPC_HEX_TEST_H
#define RPC_HEX_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

enum { HEX_OCTETS_MAX = 1024 };

struct hex {
	uint8_t at[HEX_OCTETS_MAX];
	size_t octets;
};

static inline struct hex
hex(const char *text)
{
	struct hex h = {.octets = 0};
	char *end;

	while (*text != '\0') {
		assert_true(h.octets + 8 < HEX_OCTETS_MAX);
		if (*text == ' ') {
			text++;
		} else if (*text == '#') {
			bytes_put_u64(
			    h.at + h.octets, strtoull(text + 1, &end, 16));
			h.octets += 8;
			text = end;
		} else {
			char pair[3] = {text[0], text[1], '\0'};

			h.at[h.octets++] = (uint8_t)strtoul(pair, &end, 16);
			assert_true(end == pair + 2);
			text += 2;
		}
	}
	return h;
}

/* Prints both when they differ. */
static inline void
assert_hex(const char *name, struct bytes got, const char *want)
{
	struct hex h = hex(want);
	size_t k;

	if (bytes_equal(got, (struct bytes){h.at, h.octets}))
		return;
	print_error("%s\n  want ", name);
	for (k = 0; k < h.octets; k++)
		print_error("%02x", h.at[k]);
	print_error("\n  got  ");
	for (k = 0; k < got.octets; k++)
		print_error("%02x", got.at[k]);
	print_error("\n");
	fail();
}

#endif
