/*
 * May this user use this key in this way, now, and once more?
 *
 *	it is seen -> it has that use -> its mark -> its owner, or everybody
 *	where it is global -> what the user's groups may -> at these hours ->
 *	so many times
 *
 * Of several groups the most generous counts: Always before any policy, and of
 * the policies whose hours it is, the one with the most operations an hour.
 * User Administration Permission is none for keys.
 *
 * req: KS-03-023 KS-03-025 KS-03-049 KS-28-018 KS-28-025 KS-28-047 KS-28-138
 * req: KS-28-140 KS-28-221 KS-29-028 KS-29-029
 */
#ifndef DEVICE_ACCESS_H
#define DEVICE_ACCESS_H

#include "device/entry.h"
#include "device/user.h"
#include "model/object.h"

enum { ACCESS_WHY_OCTETS = 128 };

/*
 * Ask before each operation, once: what a policy allows is counted here,
 * whatever becomes of the operation (device/rate.h). Then ask the store whether
 * the answer has to wait (store_must_wait): it does where this operation is
 * the first of the user's hour, or reservations do not keep up.
 *
 * o           with the card: the key itself, whatever version of it is used
 * operations  at a time: all of them, or none
 * why         on failure, for the log
 *
 * ERR_NOT_FOUND        for this session there is no such key: it is neither its
 *                      user's nor global, and no group of its user's may do
 *                      anything with it
 * ERR_KEY_USE          a key of this kind has no such use
 * ERR_NOT_EXTRACTABLE  it is not exportable
 * ERR_NOT_DELETABLE
 * ERR_DENIED           no group of the user's has the permission
 * ERR_HOURS            it has, at other hours: the connection is closed
 * ERR_RATE             it has, and this hour's operations are used up: the
 *                      connection is closed
 * others               the store's; not permitted
 */
enum err access_check(struct appliance *appliance, const struct key_user *user,
    const struct object *o, enum key_use use, uint64_t operations,
    char why[ACCESS_WHY_OCTETS]) MUST_CHECK;

/*
 * Can a key have these permissions? For who sets them: device/key.h.
 *
 * owner   "": a global key
 * family  of the key, or of the keys of a template; FAMILY_CERTIFIED too where
 *         it has a certificate
 *
 * ERR_FIELD  a global key has none; a group that there is not, or twice; a use
 *            that keys of this kind have not; a policy that there is not, or of
 *            what is no key: why
 *
 * req: KS-28-136 KS-28-137 KS-28-139 KS-28-141 KS-28-220 KS-28-222 KS-28-223
 * req: KS-28-226 KS-29-031 KS-29-032
 */
enum err
access_check_permissions(struct appliance *appliance, struct bytes owner,
    enum key_family family, const struct card_permission *permissions,
    size_t count, char why[ENTRY_WHY_OCTETS]) MUST_CHECK;

#endif
