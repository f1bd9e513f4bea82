/*
 * Who fails too often is locked out for a while; of administrators, of users,
 * of whatever else has a password.
 *
 * Nothing here keeps anything: a struct lockout is two numbers in its owner's
 * record. Time is elapsed time, which no administrator moves.
 */
#ifndef DEVICE_LOCKOUT_H
#define DEVICE_LOCKOUT_H

#include "base/bytes.h"

struct lockout {
	int64_t failures; /* consecutive, since the last success or lockout */
	int64_t until_ms; /* locked before this time; 0: never was */
};

struct lockout_rule {
	int64_t failures; /* so many lock; 0: there is no lockout */
	int64_t duration_ms;
	bool restarts; /* an attempt while locked begins the time anew */
};

enum lockout_verdict {
	LOCKOUT_OPEN,   /* go on and look at the password */
	LOCKOUT_LOCKED, /* refused, whatever the password is */
};

/*
 * An attempt begins. While locked it counts as one (rule.restarts); once the
 * time is over the failures are forgotten. *changed: write the record.
 */
enum lockout_verdict lockout_begin(struct lockout *lockout,
    const struct lockout_rule *rule, int64_t now_ms, bool *changed);

/* It failed; lockout_begin had let it pass. True: this one has locked it. */
bool lockout_failed(
    struct lockout *lockout, const struct lockout_rule *rule, int64_t now_ms);

/* It succeeded. True: the record has to be written. */
bool lockout_succeeded(struct lockout *lockout);

bool lockout_is_locked(const struct lockout *lockout, int64_t now_ms);

#endif
