/*
 * What was found wrong with a message: the kind, the octet, the path in the
 * tree, what was expected and what stands there. The codec, the schema and the
 * comparer all report this way, and it goes into the report as it is.
 */
#ifndef TOUCHSTONE_FINDING_H
#define TOUCHSTONE_FINDING_H

#include "err.h"
#include "node.h"

struct finding {
	enum err kind;  /* OK: nothing found */
	size_t offset;  /* of the item in the message as received */
	char path[320]; /* see node_path; cut off at its size */
	char expected[320];
	char got[320];
	const char *rule; /* the named rule that would allow it, or NULL */
};

/*
 * Fill it and hand the kind back. at NULL leaves offset and path alone.
 */
enum err
finding_at(struct finding *f, enum err kind, const struct node *at) MUST_CHECK;
void finding_expected(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void finding_got(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
