/*
 * For the tests of this folder only: files, hexadecimal, directories.
 */
#ifndef WIRE_TESTING_H
#define WIRE_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The directory that a variable names, or a place to look; NULL: neither. */
static inline const char *
testing_directory(const char *variable, const char *otherwise)
{
	const char *path = getenv(variable);

	if (path != NULL && path[0] == '\0')
		return NULL; /* not wanted */
	if (path != NULL)
		return path;
	return access(otherwise, R_OK) == 0 ? otherwise : NULL;
}

static inline struct arena *
testing_arena(size_t cap_octets)
{
	struct arena *a;

	assert_int_equal(arena_new(cap_octets, &a), OK);
	return a;
}

/* Cleared before the test fails: what it holds is no finding. */
static inline void
testing_put(struct buf *out, const void *at, size_t octets)
{
	enum err rc = buf_put(out, (struct bytes){at, octets});

	if (rc != OK)
		buf_clear(out);
	assert_int_equal(rc, OK);
}

/* A buf that has its room: it need not grow. */
static inline void
testing_buf(struct buf *out, size_t octets)
{
	uint8_t *tail;

	buf_init(out, octets);
	assert_int_equal(buf_reserve(out, octets, &tail), OK);
}

/* The whole file, with a NUL behind it; the caller clears the buf. */
static inline void
testing_read(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	char piece[16384];
	size_t octets;

	buf_init(out, (size_t)64 << 20);
	if (file == NULL)
		fail_msg("%s: cannot be read", path);
	while ((octets = fread(piece, 1, sizeof(piece), file)) != 0)
		testing_put(out, piece, octets);
	(void)fclose(file);
	testing_put(out, "", 1);
}

/* Octets of hexadecimal digits; blanks between them are skipped. */
static inline struct bytes
testing_hex(struct arena *a, const char *hex)
{
	size_t digit_count = 0;
	uint8_t *at;

	assert_int_equal(ARENA_ARRAY(a, at, strlen(hex) / 2 + 1), OK);
	for (; *hex != '\0'; hex++) {
		const char *digits = "0123456789abcdef";
		const char *digit;

		if (*hex == ' ' || *hex == '\n' || *hex == '\t')
			continue;
		digit = strchr(digits, *hex | 0x20);
		if (digit == NULL)
			fail_msg("'%c' is no hexadecimal digit", *hex);
		at[digit_count / 2] =
		    (uint8_t)(at[digit_count / 2] << 4 | (digit - digits));
		digit_count++;
	}
	assert_int_equal(digit_count % 2, 0);
	return (struct bytes){at, digit_count / 2};
}

#endif
