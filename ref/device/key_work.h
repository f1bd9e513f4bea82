/*
 * Private to device/key*.c: what the functions that write have in common.
 */
#ifndef DEVICE_KEY_WORK_H
#define DEVICE_KEY_WORK_H

#include "device/key_value.h"

/* A clone to change; put back by key_put, or freed. */
enum err key_edit(struct key_call *call, const struct object *key,
    struct object **out) MUST_CHECK;

/* It has a card from here on, if need be that of a key without one. */
enum err key_card_need(struct object *o) MUST_CHECK;

/*
 * Write it in place of what is there, its date of change as of now, and what a
 * template lends as it is now. Takes it, on failure too.
 */
enum err key_put(struct key_call *call, struct object *take) MUST_CHECK;

/* The same whole or not at all. *o is NULL where it was taken. */
enum err key_save(struct key_call *call, struct object **o) MUST_CHECK;

/* A key of octets, all but stored; `generated`: they were made here. */
enum err key_build(struct key_call *call, const struct key_spec *spec,
    const struct key_octets *octets, bool generated,
    struct object **out) MUST_CHECK;

/* Certificates: a clone's, which is not stored yet; as the key is now. */
enum err key_certificates_copy(struct key_call *call, const struct object *from,
    struct object *to) MUST_CHECK;
enum err key_certificates_follow(
    struct key_call *call, const struct object *key) MUST_CHECK;
enum err key_certificates_delete(
    struct key_call *call, const struct object *key) MUST_CHECK;

/* Digest and value of new bytes. */
enum err key_bytes_set(struct key_call *call, struct object *o,
    const struct key_octets *octets) MUST_CHECK;

/* ERR_KEY_NAME, ERR_NAME_TAKEN, with why; except: an identifier, or none */
enum err key_check_name(struct key_call *call, const char *field,
    struct bytes name, struct bytes except) MUST_CHECK;

enum err key_add_name(struct object *o, struct bytes name) MUST_CHECK;

/* ERR_FIELD and the like, with why. */
enum err key_refuse(struct key_call *call, enum err rc, const char *field,
    struct bytes value, const char *rule) MUST_CHECK;

/* The row of an object's algorithm; of a template as of a key. */
const struct key_algorithm *key_row(const struct object *o);

#endif
