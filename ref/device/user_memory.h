/*
 * Between user.c and user_login.c: what both need and nobody else.
 */
#ifndef DEVICE_USER_MEMORY_H
#define DEVICE_USER_MEMORY_H

#include "device/user.h"

/*
 * A user, a group or a membership has just been written, or undone: whoever
 * has taken one looks again. It is counted once more when the group fails.
 */
void users_changed(struct appliance *appliance);
uint64_t users_generation(const struct appliance *appliance);

/* The session's principal, from what has just been read. */
enum err key_user_make(struct appliance *appliance, const struct user *user,
    struct key_user *out) MUST_CHECK;

/* What was made, once more: both are valid until each is cleared. */
void key_user_share(const struct key_user *user, struct key_user *out);

/* The lockout of a user who is there; nobody has to look again for it. */
enum err
user_lockout_write(struct store *st, const struct user *user) MUST_CHECK;

#endif
