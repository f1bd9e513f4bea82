/*
 * Vectors of octets: one file, one fact.
 *
 *   id: ttlv/integer-length-three
 *   clause: kmip-1.4 9.1.1.3
 *   expect: length
 *   comment: An Integer has four octets, never three.
 *
 *   42 00 20  02  00 00 00 03     # a length of three
 *   00 00 00 08  00 00 00 00
 *
 * expect is `accept`, or the kind of failure that the codec finds: the names of
 * err.def without ERR_, in small letters with hyphens. A file that is refused
 * for another reason than the one it names does not pass.
 *
 * Each is replayed at our own codec (octets_judge) and at the live server,
 * which is then asked for a sign of life on a fresh connection.
 */
#ifndef TOUCHSTONE_OCTETS_H
#define TOUCHSTONE_OCTETS_H

#include "err.h"
#include "test.h"

struct octets_vector {
	const char *id, *level, *comment, *expect, *path;
	struct words clauses;
	struct bytes octets;
	const char *broken; /* why the file is no vector; NULL: it is one */
};

/* As case_read() and case_parse(). */
struct octets_vector *
octets_read(struct arena *a, const char *root, const char *path);
struct octets_vector *octets_parse(
    struct arena *a, const char *root, const char *path, struct bytes text);

/*
 * What our own codec says of the octets, and our schema where they are a
 * message: "accept", "length", ...; in the arena.
 */
const char *octets_judge(struct arena *a, struct bytes octets);

struct test *octets_test(struct arena *a, const struct octets_vector *v);

#endif
