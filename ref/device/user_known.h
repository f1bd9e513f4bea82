/*
 * Users who have logged in lately, as they are: so that one whose requests each
 * bring name and password is not read each time.
 *
 * A user is here only while nothing is counted against him, and as of the
 * generation of users at which he was read (device/user_memory.h): a write to
 * any user, group or membership makes all of them unknown. Without memory a
 * user is just not known.
 *
 * It has no passwords: the hash is what device/remembered.h asks for.
 */
#ifndef DEVICE_USER_KNOWN_H
#define DEVICE_USER_KNOWN_H

#include "device/user_memory.h"

struct known_users;

struct known_user {
	struct key_user user;
	struct password_hash hash;
};

/*
 * places  how many there are, a power of two, 4 at least: a user has one of
 *         four of them, and of those who share the four the one who was put
 *         there longest ago goes
 *
 * ERR_NOMEM
 */
enum err known_users_new(size_t places, struct known_users **out) MUST_CHECK;
void known_users_free(struct known_users *known); /* accepts NULL */

/* NULL: not as of this generation. Borrowed until anything else is called. */
const struct known_user *known_users_find(
    struct known_users *known, struct bytes name, uint64_t generation);

/* `user` stays the caller's; it was made at the generation that it says. */
void known_users_put(struct known_users *known, const struct key_user *user,
    const struct password_hash *hash);

/* Something is counted against this one. */
void known_users_drop(struct known_users *known, struct bytes name);

#endif
