/*
 * Private to device/key*.c: the bytes of keys, sealed in objects.
 */
#ifndef DEVICE_KEY_VALUE_H
#define DEVICE_KEY_VALUE_H

#include "device/key.h"

/* A key in the clear: as it is kept, or as it came. */
struct key_octets {
	uint32_t object_type;
	uint32_t format; /* KEY_FORMAT_TYPE_RAW or PKCS_1 */
	struct bytes octets;
};

/* A new key's, in the arena; of RSA the finished pair's. */
enum err
key_octets_new(struct key_call *call, const struct key_algorithm *algorithm,
    const struct keygen_pair *pair, struct key_octets *out) MUST_CHECK;

/* Into a card: default IV, fingerprint, creation date. */
enum err key_card_fill(struct key_call *call, struct arena *a,
    const struct key_octets *octets, const struct key_algorithm *algorithm,
    struct card *card) MUST_CHECK;

/* Make it the object's value, sealed for it as it is called. */
enum err key_value_set(struct key_call *call, struct object *o,
    const struct key_octets *octets, uint32_t algorithm,
    uint32_t key_bits) MUST_CHECK;

/*
 * ERR_KEY_VALUE   it has none
 * ERR_KEY_FORMAT  neither a symmetric key nor RSA
 */
enum err key_value_open(struct key_call *call, const struct object *o,
    struct key_octets *out) MUST_CHECK;

/* Base 16: upper case; read in any. ERR_VALUE: it is none */
enum err key_hex_text(
    struct arena *a, struct bytes octets, struct bytes *out) MUST_CHECK;
enum err
key_hex_read(struct arena *a, struct bytes text, struct bytes *out) MUST_CHECK;

/* "U.n", in the arena. */
enum err key_version_id(struct arena *a, struct bytes id, uint32_t number,
    struct bytes *out) MUST_CHECK;

#endif
