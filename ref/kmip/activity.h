/*
 * What the Activity Log has of a batch item beside its operation and what came
 * of it: the object's name or identifier, and of what is made or registered its
 * algorithm and size. The operation's row of op.def says how much of it.
 *
 * Payloads need not have been checked: an item of another type than the schema
 * has is none.
 *
 * Source: guide chapter 21, "Activity Logs"
 */
#ifndef KMIP_ACTIVITY_H
#define KMIP_ACTIVITY_H

#include "device/activity.h"
#include "kmip/op.h"

/* Borrowed from the payloads. */
struct mention {
	struct bytes key; /* of several objects, the first */
	struct bytes algorithm;
	int64_t bits;         /* 0: none */
	bool says_exportable; /* the client sets Extractable */
	bool exportable;
};

/*
 * item    a Batch Item of the request; NULL: there is none
 * op      NULL: none that is known
 * answer  the payload that it was answered with; NULL: none
 */
void mention_read(const struct item *item, const struct op *op,
    const struct item *answer, struct mention *out);

/* Into the fields of a line. */
void mention_put(const struct mention *mention, struct activity *line);

#endif
