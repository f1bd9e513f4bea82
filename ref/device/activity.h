/*
 * The lines of the Activity Log and of the Client Event Log: what clients asked
 * of key servers, whatever the protocol.
 *
 *	[DATE] PRIORITY IP [COMMON-NAME] USER REQUEST-ID REQUEST-TYPE KEY
 *	    [DETAIL] ERROR-CODE [MESSAGE]
 *	[DATE] PRIORITY IP [COMMON-NAME] USER REQUEST-ID [MESSAGE]
 *
 * each in one line, with one blank between fields and a dash for one that is
 * empty; device/line.h says how values are kept in their fields. DATE is wall
 * time in the appliance's zone when the request was done with, PRIORITY is INFO
 * or ERROR by what came of it. COMMON-NAME is the certificate's where the key
 * server requires one, and ERROR-CODE what the client was told; nothing is told
 * of a success.
 *
 * The lines are no part of a transaction: see device/logs.h. Nothing is
 * allocated for one.
 *
 * req: KS-21-019 KS-21-049
 */
#ifndef DEVICE_ACTIVITY_H
#define DEVICE_ACTIVITY_H

#include "base/buf.h"

struct appliance;
struct key_door;

enum { ACTIVITY_WORDS = 7 };

/* A word of the detail. */
struct activity_word {
	struct bytes text;
	uint64_t number;
	bool is_number;
};

/* Borrowed, all of it. BYTES_NONE: a dash. */
struct activity {
	const struct key_door *door; /* has the origin */
	struct bytes user;
	struct bytes id;
	struct bytes type;
	struct bytes key;
	struct activity_word words[ACTIVITY_WORDS];
	unsigned word_count;
	bool failed;
	unsigned code;        /* 0: a dash */
	struct bytes message; /* of a failure */
};

/*
 * IP [COMMON-NAME], as each line of a connection has them: made when it is let
 * in, since a line is made for each request.
 *
 * address      without port: "10.0.0.5"
 * common_name  none where no certificate is required
 */
enum err activity_origin(
    struct bytes address, struct bytes common_name, struct buf *out) MUST_CHECK;

/* One more word; beyond ACTIVITY_WORDS is a bug. */
void activity_word(struct activity *activity, struct bytes text);
void activity_number(struct activity *activity, uint64_t number);

/* Does the log take it? With the level ERROR successes are left out. */
bool activity_wanted(const struct appliance *appliance, bool failed);

void activity_add(struct appliance *appliance, const struct activity *activity);

/*
 * An event that a client has recorded; of `activity` these count: door, user,
 * id, failed. A long message is several lines, each with all fields.
 *
 * message  as it was before it was encoded; none: it is empty, or could not be
 *          read
 */
void activity_event(struct appliance *appliance,
    const struct activity *activity, struct bytes message);

#endif
