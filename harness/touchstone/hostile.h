/*
 * Send what is no request, and see what a server makes of it.
 */
#ifndef TOUCHSTONE_HOSTILE_H
#define TOUCHSTONE_HOSTILE_H

#include "test.h"

enum hostile_want {
	HOSTILE_REFUSAL, /* an answer that tells of failure, or a closed door */
	HOSTILE_ANSWER,  /* an answer, whatever it says */
	HOSTILE_SUCCESS, /* an answer that tells of success */
	HOSTILE_NOTHING, /* cut short: no answer can be asked for */
};

/*
 * Send octets on a connection of their own and judge the answer; then ask for
 * a sign of life on a fresh connection. Where fewer octets are sent than the
 * message's own length says, the server may rightly wait for the rest: nothing
 * is wanted then but that sign of life.
 *
 * false  the outcome is settled: it failed, or the target is dead
 */
bool hostile_send(struct arena *a, const struct bench *b, struct outcome *o,
    unsigned n, struct bytes octets, size_t record_octets,
    enum hostile_want want);

#endif
