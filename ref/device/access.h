/*
 * May this user use this key in this way, now, and once more?
 *
 *	visible -> of that kind -> its marks -> owner, or a global key's
 *	everybody -> the permissions of the user's groups -> their policies'
 *hours
 *	-> their rate
 *
 * What a user may is what the most generous of the groups allows: Always before
 * any policy, and of the policies whose hours it is, the one with the most
 * operations an hour.
 *
 * req: KS-03-023 KS-03-025 KS-28-025 KS-28-138 KS-28-140 KS-29-028
 */
#ifndef DEVICE_ACCESS_H
#define DEVICE_ACCESS_H

#include "model/key_use.h"

struct appliance;
struct key_user;

enum { ACCESS_WHY_OCTETS = 256 };

/* Does the session know of it? Its owner's, everybody's if it is global, and
 * those of groups that have permissions on it. */
bool access_sees(const struct key_user *user, const struct object *o);

/*
 * Ask before each operation, once: what a policy allows is counted here,
 * whatever becomes of the operation (device/rate.h). Then ask the store whether
 * the answer has to wait (store_must_wait): it has to, when this operation is
 * the first of the user's hour, or the reservations of operations do not keep
 * up with them.
 *
 * o           the object with the card, whatever version of it is used
 * operations  at a time: all of them, or none
 *
 * ERR_NOT_FOUND        for this session there is no such key
 * ERR_KEY_USE          a key of this kind has no such use
 * ERR_NOT_EXTRACTABLE  it is not exportable
 * ERR_NOT_DELETABLE
 * ERR_DENIED           no group of the user's has the permission
 * ERR_HOURS            it has, at other hours: close the connection
 * ERR_RATE             it has, and this hour's operations are used up: close
 *                      the connection
 * others               the store's; not permitted
 */
enum err access_check(struct appliance *appliance, const struct key_user *user,
    const struct object *o, enum key_use use, uint64_t operations,
    char why[ACCESS_WHY_OCTETS]) MUST_CHECK;

/* The same without hours and counting: is it a use that this session may have
 * at some time? For lists of what can be done. */
enum err access_allows(const struct key_user *user, const struct object *o,
    enum key_use use) MUST_CHECK;

#endif
